//! The `train-detector` command: faces set -> scenes -> network -> ONNX files with their provenance.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::Device;
use clap::Args;
use models::{FaceDetector, YunetDetector};
use serde::{Deserialize, Serialize};

use super::batches;
use super::config::{DetectorConfig, Keep};
use super::evaluate::figures::{Figures, Tally};
use super::export::{check, export};
use super::faces::{self, FaceSplit, Picture};
use super::loss::loss;
use super::network::DetectorNet;
use super::scene::Scene;
use crate::augment::stream;
use crate::average::{blend, moving};
use crate::checkpoint::{DETECTOR, Progress, State, Store};
use crate::failure::bad_input;
use crate::init::init_detector;
use crate::lock::lock;
use crate::progress::Meter;
use crate::report::settings::command_line;
use crate::sample::sha256_hex;
use crate::say::say;
use crate::stop;
use crate::training_args::TrainingArgs;
use crate::whole::put;

/// Scenes of held-out people that an epoch is measured on.
const VALIDATION_SCENES: usize = 240;
/// The random streams of those scenes.
const VALIDATION: u64 = 1;
/// Width and height of the inputs of the files that are written, px.
const INPUTS: [(usize, usize); 3] = [(320, 256), (256, 192), (160, 128)];
/// Scenes on which an exported file is compared with the network.
const CHECKED_SCENES: u64 = 16;
/// Kingma and Ba's; the library's own is larger.
const EPSILON: f32 = 1e-8;

/// What `train-detector` is given.
#[derive(Args)]
pub struct TrainDetectorArgs {
    /// Folder with faces.csv and its pictures, in images.tar or images/.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder of the detector's files.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Trial file; without it, the recipe of the shipped detector.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    training: TrainingArgs,
}

/// What one epoch gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Epoch {
    /// From 1.
    epoch: usize,
    /// Mean loss over the epoch's steps.
    training_loss: f64,
    /// Learning rate of its last step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    learning_rate: Option<f64>,
    /// Weight of the points' errors in the loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    points_weight: Option<f64>,
    /// Harmonic mean of recall and precision of the averaged weights on scenes of held-out people (0..=1).
    f1: f64,
    /// Their other figures.
    held_out: Figures,
    /// Wall time of the epoch, seconds.
    duration_secs: f64,
}

impl Epoch {
    /// What the best epoch has most of: F1, less the worst point's median error in eye distances.
    fn quality(&self) -> f64 {
        self.f1 - self.held_out.worst_median().unwrap_or(1.0)
    }
}

/// What is written beside a detector's file.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Provenance<'a> {
    file: String,
    sha256: String,
    /// Px.
    input_width: usize,
    input_height: usize,
    parameters: usize,
    data: String,
    data_sha256: &'a str,
    pictures: usize,
    held_out_pictures: usize,
    command: String,
    commit: &'a str,
    date: String,
    trial: &'a DetectorConfig,
    /// The epoch whose weights these are; its figures are without the share of `init`.
    kept: Option<&'a Epoch>,
    history: &'a [Epoch],
}

/// Trains a detector and writes its files.
///
/// # Errors
/// Bad data or configuration, a device that is not there, a loss that is no number, a folder that cannot be written.
pub fn run(args: &TrainDetectorArgs) -> anyhow::Result<()> {
    let trial = DetectorConfig::read(args.config.as_deref())?;
    let trial = if args.training.quick { trial.quick() } else { trial };
    let device = args.training.processors.open_one()?;
    stop::on_signal(|| ())?;
    let set = faces::read(&args.data)?;
    let data_sha256 = set.sha256.clone();
    let split = set.split(trial.held_out_share, trial.seed);
    if split.train.is_empty() || split.held_out.is_empty() {
        return Err(bad_input(format!(
            "{}: {} pictures to learn from and {} to measure on; give pictures of more people",
            args.data.display(),
            split.train.len(),
            split.held_out.len()
        )));
    }
    say(&format!(
        "{}: {} pictures to learn from, {} of other people to measure on",
        args.data.display(),
        split.train.len(),
        split.held_out.len()
    ));
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make the folder {}; name another one with --out", args.out.display()))?;
    let work = args.training.work(&args.out);
    let _lock = lock(&work, "--work")?;
    let (network, progress) = train(&trial, &split, &data_sha256, &device, &Store::new(&work, DETECTOR))?;
    write(args, &network, &progress, &split)
}

/// Trains to the end, going on from a checkpoint where there is one; gives the averaged weights of the epoch that counts, with
/// those of `init` in them where the trial says so.
fn train(
    trial: &DetectorConfig,
    split: &FaceSplit,
    data_sha256: &str,
    device: &Device,
    store: &Store,
) -> anyhow::Result<(DetectorNet, Progress<DetectorConfig, Epoch>)> {
    let autodiff = device.clone().autodiff();
    let mut progress: Progress<DetectorConfig, Epoch> = store
        .progress(trial, DetectorConfig::without_length, data_sha256)?
        .unwrap_or_else(|| Progress::new(trial, data_sha256));
    // It may be longer now.
    progress.trial = trial.clone();
    progress.finished = progress.history.len() >= trial.epochs;
    autodiff.seed(trial.seed);
    let fresh = DetectorNet::new(trial, &autodiff);
    let start = match &trial.init {
        Some(path) if progress.history.is_empty() => started_from(path, fresh, trial, &split.train, &autodiff)?,
        _ => fresh,
    };
    let optimizer: ModuleOptimizer =
        AdamWConfig::new().with_epsilon(EPSILON).with_weight_decay(trial.weight_decay).init();
    let mut state = State { average: start.valid(), best: start.valid(), network: start, optimizer };
    if !progress.history.is_empty() {
        state = store.load(state)?;
        say(&format!("detector: going on after epoch {}", progress.history.len()));
    }
    let scenes = validation_scenes(trial, &split.held_out);
    let mut meter = Meter::new("detector", (trial.epochs - progress.history.len()) * trial.steps);
    while !progress.finished {
        let (number, began) = (progress.history.len(), Instant::now());
        let training_loss = run_epoch(trial, &split.train, number, &autodiff, &mut state, &mut meter)?;
        let tally = measure(&state.average, &scenes)?;
        let epoch = Epoch {
            epoch: number + 1,
            training_loss,
            learning_rate: Some(trial.learning_rate_at(number, trial.steps - 1)),
            points_weight: Some(trial.points_weight_at(number).all),
            f1: tally.f1(),
            held_out: tally.figures(),
            duration_secs: began.elapsed().as_secs_f64(),
        };
        if progress.history.iter().all(|earlier| epoch.quality() > earlier.quality()) {
            state.best = state.average.valid();
        }
        meter.line(&format!(
            "detector epoch {}/{}: loss {training_loss:.4}, recall {:.2} %, {:.3} false boxes a picture, points off by \
             {} eye distances, F1 {:.4}, {:.1} s",
            epoch.epoch,
            trial.epochs,
            epoch.held_out.recall * 100.0,
            epoch.held_out.false_boxes_a_picture,
            epoch.held_out.worst_median().map_or_else(|| "-".into(), |error| format!("{error:.3}")),
            epoch.f1,
            epoch.duration_secs
        ));
        progress.history.push(epoch);
        progress.finished = progress.history.len() >= trial.epochs;
        store.save(&state, &progress)?;
    }
    meter.finish();
    let trained = match trial.keep {
        Keep::Best => state.best,
        Keep::Last => state.average,
    };
    let Some(path) = trial.init.as_deref().filter(|_| trial.init_share > 0.0) else { return Ok((trained, progress)) };
    let start = started_from(path, DetectorNet::new(trial, &autodiff), trial, &split.train, &autodiff)?;
    // As a device has them: normalisations have no weights that could be averaged by themselves.
    let network = blend(trained.folded(), &start.folded(), 1.0 - f64::from(trial.init_share));
    Ok((network, progress))
}

/// The network with the weights of a trained detector, where they fit.
fn started_from(
    path: &Path,
    fresh: DetectorNet,
    trial: &DetectorConfig,
    pictures: &[Picture],
    device: &Device,
) -> anyhow::Result<DetectorNet> {
    let (network, plan) = init_detector(fresh, path)?;
    say(&plan.summary(path));
    if plan.folded.is_empty() {
        return Ok(network);
    }
    // An epoch that is never trained: the statistics are of scenes like those to come.
    let first = std::thread::scope(|scope| batches::epoch(scope, pictures, trial, trial.epochs as u64).recv());
    let (scenes, _) = first.context("composing the first scenes")?.tensors(device);
    Ok(network.unfolded(&scenes))
}

/// Trains one epoch (from 0) in place; gives the mean loss.
fn run_epoch(
    trial: &DetectorConfig,
    pictures: &[Picture],
    number: usize,
    device: &Device,
    state: &mut State<DetectorNet>,
    meter: &mut Meter,
) -> anyhow::Result<f64> {
    let (steps, points_weight) = (trial.steps, trial.points_weight_at(number));
    let mut total = 0.0;
    std::thread::scope(|scope| {
        let batches = batches::epoch(scope, pictures, trial, number as u64);
        for (index, batch) in batches.iter().enumerate() {
            let step = number * steps + index;
            let (scenes, targets) = batch.tensors(device);
            let loss = loss(state.network.forward(scenes), targets, points_weight);
            let gradients = GradientsParams::from_grads(loss.backward(), &state.network);
            let rate = trial.learning_rate_at(number, index);
            state.network = state.optimizer.step(rate, state.network.clone(), gradients);
            state.average = blend(state.average.clone(), &state.network.valid(), moving(trial.ema_decay, step));
            let loss = f64::from(loss.into_scalar::<f32>());
            if !loss.is_finite() {
                return Err(anyhow!(
                    "the loss is {loss} at step {} of epoch {}\n  the checkpoint of epoch {number} is whole; lower \
                     learning-rate and start again",
                    index + 1,
                    number + 1,
                ));
            }
            total += loss;
            meter.step(loss);
            stop::check(|| {
                format!(
                    "the detector in epoch {}; {number} whole epochs are kept, and the same command goes on from there",
                    number + 1
                )
            })?;
        }
        Ok(total / steps as f64)
    })
}

fn validation_scenes(trial: &DetectorConfig, pictures: &[Picture]) -> Vec<Scene> {
    let scenes = VALIDATION_SCENES.min(trial.steps * trial.batch);
    (0..scenes as u64)
        .map(|index| Scene::compose(pictures, &trial.scene, &mut stream(trial.seed, VALIDATION, 0, index)))
        .collect()
}

/// Finds the faces of the scenes as the device would.
fn measure(network: &DetectorNet, scenes: &[Scene]) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let Some(first) = scenes.first() else { return Ok(tally) };
    let onnx = export(network, first.image.width(), first.image.height())?;
    // The scenes have smaller faces than a device is to find by itself.
    let mut detector = YunetDetector::from_bytes(&onnx, "the detector in training")?.with_min_face_px(0.0);
    for scene in scenes {
        tally.add(scene, &detector.detect(scene.image.view())?);
    }
    Ok(tally)
}

/// Writes an ONNX file, and a JSON file of where it comes from, for every size of the input.
fn write(
    args: &TrainDetectorArgs,
    network: &DetectorNet,
    progress: &Progress<DetectorConfig, Epoch>,
    split: &FaceSplit,
) -> anyhow::Result<()> {
    let trial = &progress.trial;
    for (width, height) in INPUTS {
        let onnx = export(network, width, height)?;
        let mut config = trial.scene.clone();
        config.shrink_to(width, height);
        let scene = |index| Scene::compose(&split.held_out, &config, &mut stream(trial.seed, VALIDATION, 1, index));
        let pictures: Vec<_> = (0..CHECKED_SCENES).map(|index| scene(index).image).collect();
        let difference = check(network, &onnx, &pictures)?;
        let name = format!("{}-{width}x{height}", trial.name);
        let kept = match trial.keep {
            // Of equals the first, as in training.
            Keep::Best => progress.history.iter().rev().max_by(|a, b| a.quality().total_cmp(&b.quality())),
            Keep::Last => progress.history.last(),
        };
        let provenance = Provenance {
            file: format!("{name}.onnx"),
            sha256: sha256_hex(&onnx),
            input_width: width,
            input_height: height,
            parameters: network.num_params(),
            data: args.data.file_name().map_or_else(String::new, |name| name.to_string_lossy().into()),
            data_sha256: &progress.data_sha256,
            pictures: split.train.len(),
            held_out_pictures: split.held_out.len(),
            command: command_line(),
            commit: &progress.commit,
            date: time::OffsetDateTime::now_utc().date().to_string(),
            trial,
            kept,
            history: &progress.history,
        };
        put(&args.out.join(&provenance.file), &onnx)?;
        put(&args.out.join(format!("{name}.json")), &serde_json::to_vec_pretty(&provenance)?)?;
        say(&format!(
            "{}: {} kB, agrees with the network within {difference:.1e}",
            args.out.join(&provenance.file).display(),
            onnx.len() / 1000
        ));
    }
    Ok(())
}
