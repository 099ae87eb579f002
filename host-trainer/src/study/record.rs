//! `trial.json`: what a trial has reached. It is written last, so a trial that has one is done.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use models::LabelSet;
use serde::{Deserialize, Serialize};

use super::published::VALIDATION;
use crate::checkpoint::{Epoch, WORK};
use crate::config::TrialConfig;
use crate::failure::bad_input;
use crate::report::LevelRow;
use crate::sample::sha256_hex;
use crate::whole::put;

/// Name of the file.
pub const FILE: &str = "trial.json";
/// The trained bundle.
pub const BUNDLE: &str = "bundle";
/// What is said to the end of the file beside it.
pub const LOG: &str = "log.txt";

/// All that a report needs of a trial.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Version of this form.
    pub schema: u32,
    /// Name of the study.
    pub study: String,
    /// Name of the trial file, without `.toml`.
    pub trial: String,
    /// Whether only a few faces were learned from: the figures are worth nothing then.
    pub quick: bool,
    /// SHA-256 of the trial's settings: see [`config_sha256`].
    pub config_sha256: String,
    /// The settings.
    pub config: TrialConfig,
    /// What was learned from.
    pub data: DataRecord,
    /// Faces that were learned from.
    pub training_faces: usize,
    /// Faces that decided when to stop.
    pub validation_faces: usize,
    /// The file of weights that the clear model started from; none of random ones.
    pub weights: Option<String>,
    /// Processor that the trial ended on.
    pub device: String,
    /// Seed of the split, the weights and every augmentation.
    pub seed: u64,
    /// The command line that ended it.
    pub command: String,
    /// Commit of the trainer.
    pub commit: String,
    /// The clear and the robust stage.
    pub stages: Vec<StageRecord>,
    /// What was measured on, in order.
    pub tests: Vec<TestRecord>,
    /// Parts of the data that it was to be measured on, and why it was not.
    pub left_out: BTreeMap<String, String>,
}

/// A data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataRecord {
    /// Where it lay.
    pub path: PathBuf,
    /// SHA-256 of what is in it.
    pub sha256: String,
}

/// How a stage of training went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StageRecord {
    /// `clear` or `robust`.
    pub name: String,
    /// Every epoch.
    pub epochs: Vec<Epoch>,
    /// Wall time of an epoch, mean, s.
    pub epoch_secs: f64,
    /// The accuracy on the validation faces for which its weights were chosen, 0..=1.
    pub validation_accuracy: f64,
}

/// Figures on one set of faces.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestRecord {
    /// The part of the data, or the name of another data set.
    pub name: String,
    /// Where the faces are from.
    pub data: DataRecord,
    /// How many there were.
    pub samples: usize,
    /// Faces of labels that the trial does not have, by label.
    pub skipped: BTreeMap<String, usize>,
    /// What the rows and columns of the matrices mean.
    pub labels: LabelSet,
    /// One row for each level of blur, without blur first.
    pub blur: Vec<LevelRow>,
}

impl StageRecord {
    /// Sums a stage up.
    pub fn of(name: &str, epochs: Vec<Epoch>) -> Self {
        let total: f64 = epochs.iter().map(|epoch| epoch.duration_secs).sum();
        let best = epochs.iter().map(|epoch| epoch.validation_accuracy).fold(0.0, f64::max);
        Self { name: name.into(), epoch_secs: total / epochs.len().max(1) as f64, validation_accuracy: best, epochs }
    }
}

/// What a trial must have been done with to count as done.
pub struct Wanted {
    /// [`config_sha256`] of the trial.
    pub config_sha256: String,
    /// Whether it is a quick run.
    pub quick: bool,
    /// SHA-256 of the data.
    pub data_sha256: String,
    /// Name and SHA-256 of each other data set to measure on.
    pub also: Vec<(String, String)>,
}

/// How a trial stands.
pub enum Standing {
    /// It is done, with these figures.
    Done(Box<Record>),
    /// It is to be run, for a reason.
    ToDo(String),
}

impl Record {
    /// Version of the form that is written and read.
    pub const SCHEMA: u32 = 1;

    /// Reads the record in a trial's folder; none where the trial was never done.
    ///
    /// # Errors
    /// Bad input: the file is damaged, or of another version.
    pub fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let wrong = |why: String| bad_input(format!("{} cannot be used: {why}", path.display()));
        let text = fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        let record: Self = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if record.schema != Self::SCHEMA {
            return Err(wrong(format!("its schema is {}, and this program knows {}", record.schema, Self::SCHEMA)));
        }
        Ok(Some(record))
    }

    /// Writes it into a trial's folder, whole or not at all.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        put(&folder.join(FILE), &json)
    }

    /// Figures on a set of faces.
    pub fn test(&self, name: &str) -> Option<&TestRecord> {
        self.tests.iter().find(|test| test.name == name)
    }

    /// Why there are no figures on a set of faces.
    pub fn why_without(&self, test: &str) -> String {
        let known = self.left_out.get(test).cloned();
        known.unwrap_or_else(|| match test {
            VALIDATION => "of the validation faces only the accuracy of the clear and the robust model is kept".into(),
            _ => format!("our trial was not measured on {test}"),
        })
    }

    /// What speaks against it being what is wanted.
    fn misses(&self, wanted: &Wanted) -> Option<String> {
        if self.config_sha256 != wanted.config_sha256 {
            return Some("it was done with other settings".into());
        }
        if self.data.sha256 != wanted.data_sha256 {
            return Some(format!("it was done with other data ({})", self.data.path.display()));
        }
        let missing = wanted.also.iter().find(|(name, sha256)| {
            self.test(name).is_none_or(|test| test.data.sha256 != *sha256) && !self.left_out.contains_key(name)
        });
        missing.map(|(name, _)| format!("it was not measured on this {name}"))
    }
}

/// How the trial in a folder stands.
///
/// # Errors
/// Bad input: the folder holds a full run, and a quick one is wanted.
pub fn standing(folder: &Path, wanted: &Wanted) -> anyhow::Result<Standing> {
    let has_work = folder.join(WORK).join("clear").exists();
    let how = if has_work { "goes on from its checkpoint" } else { "from the start" };
    let record = match Record::read(folder) {
        Ok(Some(record)) => record,
        Ok(None) => return Ok(Standing::ToDo(how.into())),
        Err(error) => return Ok(Standing::ToDo(format!("not done: {error}"))),
    };
    if wanted.quick && !record.quick {
        return Err(bad_input(format!(
            "{} holds a full run, which a quick one must not replace\n  name another folder with --results",
            folder.display()
        )));
    }
    Ok(match record.misses(wanted) {
        Some(why) => Standing::ToDo(format!("anew: {why}")),
        None => Standing::Done(Box::new(record)),
    })
}

/// SHA-256 of a trial's settings. Where the data lies is none of them; what is in it is compared by its own hash.
pub fn config_sha256(config: &TrialConfig) -> String {
    let config = TrialConfig { data: None, ..config.clone() };
    // All keys are texts and all values can be written.
    sha256_hex(&serde_json::to_vec(&config).unwrap_or_default())
}
