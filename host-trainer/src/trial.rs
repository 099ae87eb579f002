//! The `train` command: data -> split -> clear model -> robust model -> bundle.

mod start;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::Device;
use clap::Args;
use models::{BlurLevel, ModelChoice};

use self::start::start;
use crate::checkpoint::{Progress, Store};
use crate::config::{RobustStart, TrialConfig};
use crate::crowd;
use crate::failure::bad_input;
use crate::lock::lock;
use crate::pack::{BundledDetector, Given, gate_of, pack};
use crate::reader::{self, DataOptions};
use crate::recrop::recrop;
use crate::sample::DataSet;
use crate::say::say;
use crate::split::{Split, validation_split};
use crate::stop;
use crate::targets::{Lessons, Taught};
use crate::teachers::{ConsistentTeachers, Pupil};
use crate::train::{Context, Stage, train};
use crate::training_args::TrainingArgs;

/// What `train` is given.
#[derive(Args)]
pub struct TrainArgs {
    /// Labelled faces of one size in any of the formats of --format.
    /// Takes the place of the trial's `data`.
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    #[command(flatten)]
    options: DataOptions,
    /// Folder of the bundle.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Trial file; without it, Mien's own recipe.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Weights to start from instead of random ones: a .safetensors, .pth or .pt file with torchvision's or timm's
    /// names, the work folder of an earlier training, or a bundle, to fine-tune it. Takes the place of the trial's `init`.
    #[arg(long, value_name = "PATH")]
    init: Option<PathBuf>,
    /// Face detector of the bundle, an ONNX file of the YuNet form: it is copied into the bundle, whose faces are then
    /// framed as the training faces are. Without it, the detector that is built in.
    #[arg(long, value_name = "FILE")]
    detector: Option<PathBuf>,
    #[command(flatten)]
    training: TrainingArgs,
}

/// Trains both models and writes the bundle.
///
/// # Errors
/// Bad data or configuration, a device that is not there, a loss that is no number, a folder
/// that cannot be written.
pub fn run(args: &TrainArgs) -> anyhow::Result<()> {
    let trial = trial(args)?;
    let devices = args.training.processors.open()?;
    let data = read(data_of(args.data.as_deref(), &trial)?, &args.options, args.training.quick)?;
    let data = cropped(&trial, data.without(&trial.drop_classes)?)?;
    let work = args.training.work(&args.out);
    stop::on_signal(|| ())?;
    let detector = args.detector.as_deref();
    Training { trial: &trial, data: &data, work: &work, out: &args.out, detector, devices: &devices }.run()?;
    Ok(())
}

/// The faces at `path`; few of them for a quick run.
///
/// # Errors
/// Bad data.
pub fn read(path: &Path, options: &DataOptions, quick: bool) -> anyhow::Result<DataSet> {
    let mut data = reader::read(path, options)?;
    if quick {
        data.keep_few();
    }
    Ok(data)
}

/// The faces as the trial wants them: cut out once more where it says so, which takes a detector's time for each.
///
/// # Errors
/// A face that cannot be read, a detector that fails.
pub fn cropped(trial: &TrialConfig, data: DataSet) -> anyhow::Result<DataSet> {
    if trial.crop_faces { recrop(data) } else { Ok(data) }
}

/// Where the data of a trial lies: the path on the command line wins.
///
/// # Errors
/// Neither names any.
pub fn data_of<'a>(given: Option<&'a Path>, trial: &'a TrialConfig) -> anyhow::Result<&'a Path> {
    given.or(trial.data.as_deref()).ok_or_else(|| {
        bad_input(format!(
            "trial {}: no data\n  name it with --data PATH, or with `data` in the trial file",
            trial.name
        ))
    })
}

/// A training with all that it needs.
pub struct Training<'a> {
    /// The trial.
    pub trial: &'a TrialConfig,
    /// Its data, without the classes that it drops.
    pub data: &'a DataSet,
    /// Folder of the checkpoints.
    pub work: &'a Path,
    /// Folder of the bundle.
    pub out: &'a Path,
    /// File of the bundle's own face detector.
    pub detector: Option<&'a Path>,
    /// Where to compute (without autodiff); the first one keeps the network.
    pub devices: &'a [Device],
}

/// What a training has done.
pub struct Outcome {
    /// Of the clear and the robust stage.
    pub stages: [Progress; 2],
    /// Faces that were learned from.
    pub training_faces: usize,
    /// Faces that decided when to stop.
    pub validation_faces: usize,
}

impl Training<'_> {
    /// Trains both models, going on from their checkpoints, and writes the bundle.
    ///
    /// # Errors
    /// Too little data, a loss that is no number, a folder that cannot be written or is another process's, a wish to stop.
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let Training { trial, data, work, .. } = *self;
        let given = Given {
            detector: self.detector.map(BundledDetector::read).transpose()?,
            gate: trial.gate_of.as_deref().map(gate_of).transpose()?,
        };
        let [has_clear, has_robust] = ModelChoice::ALL.map(|role| !trial.starts(role).is_empty());
        if trial.robust_start == RobustStart::InitRobust && !has_robust {
            return Err(bad_input(
                "robust-start = init-robust: there is no init\n  name a bundle in the trial file, or with --init",
            ));
        }
        let robust_has_start = trial.robust_start != RobustStart::Init || has_clear;
        for (stage, recipe, has_start) in
            [("clear", &trial.clear, has_clear), ("robust", &trial.robust, robust_has_start)]
        {
            if recipe.epochs == 0 && !has_start {
                return Err(bad_input(format!(
                    "{stage}.epochs = 0: there is no init whose model it could be\n  name one in the trial file, or with --init"
                )));
            }
        }
        let samples = data.select(trial.learn_from);
        let split = validation_split(&samples, trial.validation_share, trial.seed);
        say(&format!(
            "{}: {} faces for training, {} for validation; networks: clear {}, robust {}",
            data.path.display(),
            split.train.len(),
            split.validation.len(),
            trial.network_of(ModelChoice::Clear).name(),
            trial.network_of(ModelChoice::Robust).name(),
        ));
        let _lock = lock(work, "--work")?;
        let context = Context {
            trial,
            data_sha256: &data.sha256,
            classes: data.labels.len(),
            split: &split,
            draws_labels: data.draws_labels,
            devices: self.devices,
        };
        let from_init = |stage: &Stage<'_>, role| start(&context, work, stage, role);
        let (votes, teachers, consistent) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        let votes = || once(&votes, || self.votes(&split));
        let teachers = || once(&teachers, || self.teachers(&split));
        let consistent = || once(&consistent, || self.consistent_teachers());

        let clear_stage = Stage {
            name: "clear",
            index: 0,
            network: trial.network_of(ModelChoice::Clear),
            recipe: &trial.clear,
            validation_levels: &[BlurLevel::None],
        };
        let clear_store = Store::new(work, "clear");
        let taught_clear = || Ok(Taught { lessons: [votes()?, teachers()?], consistent: consistent()? });
        let clear =
            train(&context, &clear_stage, || from_init(&clear_stage, ModelChoice::Clear), taught_clear, &clear_store)?;

        // One that learns some levels of blur alone is as good as it is on those.
        let validation_levels = match trial.robust.augment.only_levels() {
            [] => &BlurLevel::ALL[..],
            levels => levels,
        };
        let network = trial.network_of(ModelChoice::Robust);
        let robust_stage = Stage { name: "robust", index: 1, network, recipe: &trial.robust, validation_levels };
        let robust_start = || match trial.robust_start {
            RobustStart::Clear => Ok(clear.network.clone().train()),
            RobustStart::Init => from_init(&robust_stage, ModelChoice::Clear),
            RobustStart::InitRobust => from_init(&robust_stage, ModelChoice::Robust),
        };
        let (lessons_of_clear, clear_itself) = (OnceCell::new(), OnceCell::new());
        let taught_robust = || {
            let Some(distil) = &trial.robust_distil else { return taught_clear() };
            let network = &clear.network;
            if distil.consistent {
                let clear = ConsistentTeachers::of_clear(distil, network, trial.input);
                let consistent = Some(clear_itself.get_or_init(|| clear));
                return Ok(Taught { lessons: [votes()?, None], consistent });
            }
            let ask = || Lessons::of_clear(distil, network, &trial.input, &split.train, &self.devices[0]);
            Ok(Taught { lessons: [votes()?, once(&lessons_of_clear, || ask().map(Some))?], consistent: None })
        };
        let robust = train(&context, &robust_stage, robust_start, taught_robust, &Store::new(work, "robust"))?;
        pack(&context, data, &clear, &robust, given, self.out)?;
        Ok(Outcome {
            stages: [clear.progress, robust.progress],
            training_faces: split.train.len(),
            validation_faces: split.validation.len(),
        })
    }

    /// What people said of the training faces when asked again, where the trial wants that.
    fn votes(&self, split: &Split<'_>) -> anyhow::Result<Option<Lessons>> {
        let Some(votes) = &self.trial.votes else { return Ok(None) };
        crowd::lessons(&votes.beside(&self.data.path), &split.train, &self.data.labels, &self.devices[0]).map(Some)
    }

    /// What the trial's teachers say of them, where it has any that are asked once.
    fn teachers(&self, split: &Split<'_>) -> anyhow::Result<Option<Lessons>> {
        let Some(distil) = self.trial.distil.as_ref().filter(|distil| !distil.consistent) else { return Ok(None) };
        Lessons::of(distil, &self.data.labels, split).map(Some)
    }

    /// The trial's teachers, where it has any that are asked at every step.
    fn consistent_teachers(&self) -> anyhow::Result<Option<ConsistentTeachers>> {
        let Some(distil) = self.trial.distil.as_ref().filter(|distil| distil.consistent) else { return Ok(None) };
        let DataSet { labels, sha256, .. } = self.data;
        let pupil = Pupil { labels, data_sha256: sha256, device: &self.devices[0] };
        ConsistentTeachers::of(distil, &pupil, &self.trial.input).map(Some)
    }
}

/// What `cell` holds, made when it is first asked for.
fn once<T>(cell: &OnceCell<Option<T>>, make: impl FnOnce() -> anyhow::Result<Option<T>>) -> anyhow::Result<Option<&T>> {
    if let Some(made) = cell.get() {
        return Ok(made.as_ref());
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made).as_ref())
}

/// The trial that is asked for.
fn trial(args: &TrainArgs) -> anyhow::Result<TrialConfig> {
    let mut trial = TrialConfig::read(args.config.as_deref())?;
    if args.init.is_some() {
        trial.init.clone_from(&args.init);
    }
    if let Some(name) = trial.distil.as_ref().and_then(|distil| distil.trials.first()) {
        return Err(bad_input(format!(
            "distil.trials: {name} is a trial of the same study, which only `trial run` and `study run` know\n  use one of those, or \
             name its bundle in distil.teachers"
        )));
    }
    Ok(if args.training.quick { trial.quick() } else { trial })
}
