//! One stage of training: from a network and faces to the best weights on the validation faces.

use std::time::Instant;

use anyhow::{anyhow, bail};
use burn::module::Module;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, AdamWConfig, ModuleOptimizer, SgdConfig};
use burn::tensor::Device;
use models::BlurLevel;

use crate::ask::{EVALUATION_BATCH, forward};
use crate::average::{blend, moving};
use crate::batches::{self, Lesson, Place};
use crate::checkpoint::{Epoch, Progress, State, Store};
use crate::config::{NetworkConfig, Optimiser, Recipe, TrialConfig};
use crate::evaluate::calibration::mean_negative_log_likelihood;
use crate::network::Network;
use crate::progress::Meter;
use crate::replicas::Replicas;
use crate::say::say;
use crate::schedule::learning_rate;
use crate::split::Split;
use crate::stop;
use crate::targets::{Taught, targets};

/// One of the two trainings of a trial.
pub struct Stage<'a> {
    /// "clear" or "robust": the folder of its checkpoints and its name in messages.
    pub name: &'a str,
    /// Its place in the trial's random streams.
    pub index: u64,
    /// The network that it trains.
    pub network: &'a NetworkConfig,
    /// How it trains.
    pub recipe: &'a Recipe,
    /// The blurs that validation faces go through in turn.
    pub validation_levels: &'a [BlurLevel],
}

/// What every stage of a trial shares.
pub struct Context<'a> {
    /// The trial.
    pub trial: &'a TrialConfig,
    /// SHA-256 of the data.
    pub data_sha256: &'a str,
    /// Classes of the network.
    pub classes: usize,
    /// Training and validation faces.
    pub split: &'a Split<'a>,
    /// Whether each showing of a face aims at one class alone, drawn by how likely it is.
    pub draws_labels: bool,
    /// The processors that share the work (without autodiff), at least one; the tensors live on the first.
    pub devices: &'a [Device],
}

impl Context<'_> {
    /// Where the tensors live (without autodiff).
    pub fn device(&self) -> &Device {
        &self.devices[0]
    }
}

/// What a stage of training gave.
pub struct Trained {
    /// The best averaged weights, in evaluation mode.
    pub network: Network,
    /// How they came to be.
    pub progress: Progress,
}

/// What every epoch of a stage learns.
struct Task {
    /// A probability of each class for each training face.
    targets: Vec<Vec<f32>>,
    replicas: Replicas,
    /// Steps of an epoch.
    steps: usize,
}

/// Trains what `start` gives to the end of the stage, or goes on from its checkpoint where there is one, and gives the
/// averaged weights of the best epoch. `taught` is what there is to learn from besides the labels; it is not asked for where
/// there is nothing left to learn.
///
/// # Errors
/// A loss that is no number, a checkpoint that cannot be read or written, what `start` and `taught` fail with.
pub fn train<'l>(
    context: &Context<'_>,
    stage: &Stage<'_>,
    start: impl FnOnce() -> anyhow::Result<Network>,
    taught: impl FnOnce() -> anyhow::Result<Taught<'l>>,
    store: &Store,
) -> anyhow::Result<Trained> {
    let (trial, recipe) = (context.trial, stage.recipe);
    let mut progress: Progress = store
        .progress(trial, |trial| trial.up_to(stage.index), context.data_sha256)?
        .unwrap_or_else(|| Progress::new(trial, context.data_sha256));
    if recipe.epochs == 0 {
        say(&format!("{}: no epochs, it stays what it begins as", stage.name));
        return Ok(Trained { network: start()?.valid(), progress });
    }
    let start = if progress.history.is_empty() {
        start()?
    } else {
        // Of the right shape; the checkpoint has the weights.
        Network::new(stage.network, context.classes, &context.device().clone().autodiff())
    };
    let mut state = State { average: start.valid(), best: start.valid(), network: start, optimizer: optimizer(recipe) };
    if !progress.history.is_empty() {
        state = store.load(state)?;
        say(&format!("{}: going on after epoch {}", stage.name, progress.history.len()));
    }
    if progress.finished {
        return Ok(Trained { network: state.best, progress });
    }
    state.network = state.network.frozen(recipe.frozen);

    let steps = batches::steps(&context.split.train, recipe);
    if steps == 0 {
        bail!(
            "{}: {} training faces do not fill one batch of {}\n  give more faces or a smaller batch",
            stage.name,
            context.split.train.len(),
            recipe.batch
        );
    }
    let Taught { lessons, consistent } = taught()?;
    let targets = targets(&context.split.train, context.classes, recipe.label_smoothing, lessons);
    let replicas = Replicas::new(recipe, &targets, consistent, context.devices);
    let task = Task { replicas, targets, steps };
    let mut meter = Meter::new(stage.name, (recipe.epochs - progress.history.len()) * steps);
    while !progress.finished {
        let number = progress.history.len();
        let began = Instant::now();
        let training_loss = run_epoch(context, stage, &task, &progress.history, &mut state, &mut meter)?;
        let (validation_loss, validation_accuracy) = validate(context, stage, &state.average)?;
        let best = best_accuracy(&progress.history);
        if validation_accuracy > best {
            state.best = state.average.valid();
        }
        let epoch = Epoch {
            epoch: number + 1,
            training_loss,
            validation_loss,
            validation_accuracy,
            duration_secs: began.elapsed().as_secs_f64(),
        };
        meter.line(&format!(
            "{} epoch {}/{}: training loss {:.4}, validation loss {:.4}, accuracy {:.2} % (best {:.2} %), {:.1} s",
            stage.name,
            epoch.epoch,
            recipe.epochs,
            training_loss,
            validation_loss,
            validation_accuracy * 100.0,
            best.max(validation_accuracy) * 100.0,
            epoch.duration_secs
        ));
        progress.history.push(epoch);
        progress.finished =
            progress.history.len() >= recipe.epochs || epochs_since_best(&progress.history) >= recipe.patience;
        store.save(&state, &progress)?;
    }
    meter.finish();
    Ok(Trained { network: state.best, progress })
}

fn optimizer(recipe: &Recipe) -> ModuleOptimizer {
    /// Kingma and Ba's; the library's own is larger.
    const EPSILON: f32 = 1e-8;
    let decay = (recipe.weight_decay > 0.0).then(|| WeightDecayConfig::new(recipe.weight_decay));
    match recipe.optimiser {
        Optimiser::Sgd => {
            let momentum = MomentumConfig::new().with_momentum(recipe.momentum).with_dampening(0.0).with_nesterov(true);
            SgdConfig::new().with_momentum(Some(momentum)).with_weight_decay(decay).init()
        }
        Optimiser::Adam => AdamConfig::new().with_epsilon(EPSILON).with_weight_decay(decay).init(),
        Optimiser::AdamW => AdamWConfig::new().with_epsilon(EPSILON).with_weight_decay(recipe.weight_decay).init(),
    }
}

/// Trains one epoch in place; gives the mean loss.
fn run_epoch(
    context: &Context<'_>,
    stage: &Stage<'_>,
    task: &Task,
    history: &[Epoch],
    state: &mut State,
    meter: &mut Meter,
) -> anyhow::Result<f64> {
    let (recipe, number) = (stage.recipe, history.len());
    let place = Place { stage: stage.index, epoch: number as u64 };
    // Dropout draws from the device: seeded by the epoch, so that a resumed run draws the same.
    task.replicas.seed(context.trial.seed ^ (place.stage << 32) ^ (place.epoch << 1));
    let mut total = 0.0;
    std::thread::scope(|scope| {
        let lesson = Lesson {
            samples: &context.split.train,
            targets: &task.targets,
            draws_labels: context.draws_labels,
            keeps_sharp: task.replicas.have_teachers(),
        };
        let batches = batches::epoch(scope, lesson, context.trial, recipe, place);
        for (index, batch) in batches.iter().enumerate() {
            let batch = batch?;
            let step = number * task.steps + index;
            let (gradients, loss) = task.replicas.gradients(&state.network, batch)?;
            let rate = learning_rate(recipe, step, task.steps, history);
            state.network = state.optimizer.step(rate, state.network.clone(), gradients);
            state.average = blend(state.average.clone(), &state.network.valid(), moving(recipe.ema_decay, step));
            if !loss.is_finite() {
                return Err(anyhow!(
                    "{}: the loss is {loss} at step {} of epoch {}\n  the checkpoint of epoch {number} is whole; lower {}.learning-rate and start again",
                    stage.name,
                    index + 1,
                    number + 1,
                    stage.name
                ));
            }
            total += loss;
            meter.step(loss);
            stop::check(|| {
                format!(
                    "{} in epoch {}; {number} whole epochs are kept, and the same command goes on from there",
                    stage.name,
                    number + 1
                )
            })?;
        }
        Ok(total / task.steps as f64)
    })
}

/// Cross-entropy and accuracy on the validation faces.
fn validate(context: &Context<'_>, stage: &Stage<'_>, network: &Network) -> anyhow::Result<(f64, f64)> {
    let mut labels = Vec::new();
    let mut logits = Vec::new();
    for batch in
        batches::fixed(&context.split.validation, &context.trial.input, stage.validation_levels, EVALUATION_BATCH)
    {
        let batch = batch?;
        labels.extend_from_slice(&batch.labels);
        logits.extend(forward(network, batch, context.device())?);
    }
    let loss = mean_negative_log_likelihood(&logits, &labels, 1.0);
    let right = logits.iter().zip(&labels).filter(|(row, label)| argmax(row) == **label).count();
    Ok((loss, right as f64 / labels.len().max(1) as f64))
}

fn argmax(row: &[f32]) -> usize {
    row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(index, _)| index)
}

fn best_accuracy(history: &[Epoch]) -> f64 {
    history.iter().map(|epoch| epoch.validation_accuracy).fold(f64::NEG_INFINITY, f64::max)
}

fn epochs_since_best(history: &[Epoch]) -> usize {
    let best = best_accuracy(history);
    history.iter().rev().take_while(|epoch| epoch.validation_accuracy < best).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_counts_from_the_best_epoch() {
        let at = |accuracies: &[f64]| {
            accuracies
                .iter()
                .enumerate()
                .map(|(index, &validation_accuracy)| Epoch {
                    epoch: index + 1,
                    training_loss: 1.0,
                    validation_loss: 1.0,
                    validation_accuracy,
                    duration_secs: 1.0,
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(epochs_since_best(&at(&[0.1, 0.5, 0.4, 0.3])), 2);
        assert_eq!(epochs_since_best(&at(&[0.1, 0.2])), 0);
        assert_eq!(epochs_since_best(&[]), 0);
    }
}
