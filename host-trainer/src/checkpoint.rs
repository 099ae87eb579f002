//! What a stopped run needs to go on: weights, their average, the optimiser and the history.
//!
//! A checkpoint is a folder, written beside the old one and renamed over it after each epoch, so
//! that whatever ends the process, at most one epoch is lost.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::config::TrialConfig;
use crate::failure::bad_input;
use crate::network::Network;

/// What one epoch gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Mean loss over the epoch's steps, nats.
    pub training_loss: f64,
    /// Cross-entropy of the averaged weights on the validation faces, nats, without smoothing.
    pub validation_loss: f64,
    /// Accuracy of the averaged weights on the validation faces (0..=1).
    pub validation_accuracy: f64,
    /// Wall time of the epoch, seconds.
    pub duration_secs: f64,
}

/// Where a stage stands: `C` is what decides its outcome, `E` what an epoch gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Progress<C = TrialConfig, E = Epoch> {
    /// The trial that is being run; a checkpoint of another one is refused.
    pub trial: C,
    /// SHA-256 of the training data.
    pub data_sha256: String,
    /// Commit of the trainer that began the stage.
    pub commit: String,
    /// Whether the stage has run to its end.
    pub finished: bool,
    /// Every epoch so far.
    pub history: Vec<E>,
}

impl<C: Clone, E> Progress<C, E> {
    /// A stage that begins.
    pub fn new(trial: &C, data_sha256: &str) -> Self {
        Self {
            trial: trial.clone(),
            data_sha256: data_sha256.into(),
            commit: crate::COMMIT.into(),
            finished: false,
            history: Vec::new(),
        }
    }
}

/// A stage's folder of checkpoints.
pub struct Store {
    folder: PathBuf,
}

/// What lies in a checkpoint.
pub struct State<M = Network> {
    /// The weights that the optimiser works on.
    pub network: M,
    /// Their moving average.
    pub average: M,
    /// The average at its best on the validation pictures.
    pub best: M,
    /// Momentum of every weight.
    pub optimizer: ModuleOptimizer,
}

/// Folder of a trial's checkpoints, beside its bundle.
pub const WORK: &str = "work";
const PROGRESS: &str = "progress.json";
const NETWORK: &str = "network.bpk";
const AVERAGE: &str = "average.bpk";
/// Best weights of a stage so far.
pub const BEST: &str = "best.bpk";
/// The only stage in which a detector is trained, and its folder in the work folder.
pub const DETECTOR: &str = "detector";
const OPTIMIZER: &str = "optimizer.bpk";

impl Store {
    /// The checkpoints of one stage below a trial's work folder.
    pub fn new(work: &Path, stage: &str) -> Self {
        Self { folder: work.join(stage) }
    }

    /// How far the stage has come, or `None` where it has not begun; `decisive` leaves of a trial what decides the
    /// stage's outcome.
    ///
    /// # Errors
    /// The checkpoint is of another trial or other data, or cannot be read.
    pub fn progress<C: DeserializeOwned + PartialEq, E: DeserializeOwned>(
        &self,
        trial: &C,
        decisive: impl Fn(&C) -> C,
        data_sha256: &str,
    ) -> anyhow::Result<Option<Progress<C, E>>> {
        self.recover()?;
        if !self.folder.join(PROGRESS).exists() {
            return Ok(None);
        }
        let progress: Progress<C, E> = self.read()?;
        if decisive(&progress.trial) != decisive(trial) {
            return Err(self.unusable("it was made by a trial with other settings"));
        }
        if progress.data_sha256 != data_sha256 {
            return Err(self.unusable("it was made from other data"));
        }
        Ok(Some(progress))
    }

    /// How far the stage of whatever trial has come.
    ///
    /// # Errors
    /// No checkpoint, or one that cannot be read.
    pub fn read<C: DeserializeOwned, E: DeserializeOwned>(&self) -> anyhow::Result<Progress<C, E>> {
        self.recover()?;
        let path = self.folder.join(PROGRESS);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| self.unusable(&error.to_string()))
    }

    /// Removes a checkpoint that this trial cannot go on from; gives the reason why it could not.
    ///
    /// # Errors
    /// The folder cannot be removed.
    pub fn discard_unusable(
        &self,
        trial: &TrialConfig,
        stage: u64,
        data_sha256: &str,
    ) -> anyhow::Result<Option<String>> {
        let found = self.progress::<_, Epoch>(trial, |trial: &TrialConfig| trial.up_to(stage), data_sha256);
        let Err(error) = found else { return Ok(None) };
        fs::remove_dir_all(&self.folder).with_context(|| format!("cannot remove {}", self.folder.display()))?;
        Ok(Some(error.root_cause().to_string()))
    }

    /// Loads the weights over `state`, which gives the structure.
    ///
    /// # Errors
    /// A file is missing, damaged, or of another structure.
    pub fn load<M: Module>(&self, state: State<M>) -> anyhow::Result<State<M>> {
        let network = |network: M, file| {
            network.try_load_file(self.folder.join(file)).map_err(|error| self.unusable(&format!("{file}: {error}")))
        };
        Ok(State {
            network: network(state.network, NETWORK)?,
            average: network(state.average, AVERAGE)?,
            best: network(state.best, BEST)?,
            optimizer: state
                .optimizer
                .load(self.folder.join(OPTIMIZER))
                .map_err(|error| self.unusable(&format!("{OPTIMIZER}: {error}")))?,
        })
    }

    /// Replaces the checkpoint.
    ///
    /// # Errors
    /// The folder cannot be written; the old checkpoint is then still whole.
    pub fn save<M: Module, C: Serialize, E: Serialize>(
        &self,
        state: &State<M>,
        progress: &Progress<C, E>,
    ) -> anyhow::Result<()> {
        let fresh = self.folder.with_extension("partial");
        let write = || -> anyhow::Result<()> {
            if fresh.exists() {
                fs::remove_dir_all(&fresh)?;
            }
            fs::create_dir_all(&fresh)?;
            let save = |network: &M, file| {
                network.clone().save_file(fresh.join(file)).map_err(|error| anyhow!("{file}: {error}"))
            };
            save(&state.network, NETWORK)?;
            save(&state.average, AVERAGE)?;
            save(&state.best, BEST)?;
            state.optimizer.save(fresh.join(OPTIMIZER)).map_err(|error| anyhow!("{OPTIMIZER}: {error}"))?;
            fs::write(fresh.join(PROGRESS), serde_json::to_string_pretty(progress)?)?;
            let old = self.folder.with_extension("old");
            if self.folder.exists() {
                fs::rename(&self.folder, &old)?;
            }
            fs::rename(&fresh, &self.folder)?;
            if old.exists() {
                fs::remove_dir_all(&old)?;
            }
            Ok(())
        };
        write().with_context(|| {
            format!("cannot write the checkpoint {}\n  is the disk full or the folder read-only? The last checkpoint is still whole", self.folder.display())
        })
    }

    /// Ends a replacement that was interrupted between its two renames.
    fn recover(&self) -> anyhow::Result<()> {
        let old = self.folder.with_extension("old");
        if !old.exists() {
            return Ok(());
        }
        if self.folder.exists() { fs::remove_dir_all(&old) } else { fs::rename(&old, &self.folder) }
            .with_context(|| format!("cannot recover the checkpoint {}", old.display()))
    }

    fn unusable(&self, why: &str) -> anyhow::Error {
        bad_input(format!(
            "the checkpoint {} cannot be used: {why}\n  delete that folder to start over, or name another with --work",
            self.folder.display()
        ))
    }
}
