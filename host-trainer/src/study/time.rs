//! `trial time`: how long the networks of trials take a face on this machine, before an hour goes into training one.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::module::Module;
use burn::tensor::Device;
use clap::Args;
use models::{Classifier, ModelChoice};
use serde::Serialize;

use super::folder::Study;
use super::trial::Trial;
use crate::export::export;
use crate::failure::bad_input;
use crate::network::Network;

/// Calls of a network in one round.
const CALLS: usize = 8;
/// Expressions that the networks are made for; the time hardly depends on it.
const CLASSES: usize = 7;

/// What `trial time` is given.
#[derive(Args)]
pub struct TimeArgs {
    /// Trial files, or folders of them. Times are told as shares of the first one's.
    #[arg(required = true, value_name = "FILE|DIR")]
    trials: Vec<PathBuf>,
    /// Rounds; in each one every network has its turn, so that whatever else the machine does falls on all of them.
    #[arg(long, value_name = "N", default_value_t = 41, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// One network's time.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Row {
    /// Study and name of the trial, and which of its models.
    trial: String,
    /// The network.
    network: String,
    /// Its trained weights.
    weights: usize,
    /// Side of its input, px.
    side: usize,
    /// One face on one thread under tract, median of the rounds, ms.
    median_ms: f64,
    /// Median over the rounds of its time as a share of the first network's in the same round.
    share_of_first: f64,
}

/// A network that is ready to run.
struct Candidate {
    trial: String,
    network: String,
    weights: usize,
    side: usize,
    classifier: Classifier,
    crop: Vec<f32>,
}

/// Times networks with random weights, whose time is that of trained ones.
///
/// # Errors
/// Bad input: a file that does not hold, a folder without trials. A network that tract does not run.
pub fn run(args: &TimeArgs) -> anyhow::Result<()> {
    let candidates = trials(&args.trials)?.iter().map(Candidate::of).collect::<anyhow::Result<Vec<_>>>()?;
    let candidates: Vec<Candidate> = candidates.into_iter().flatten().collect();
    let rounds = rounds(&candidates, args.rounds.into())?;
    let column = |of: &dyn Fn(&[f64]) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(|round| of(round)).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let rows = candidates.iter().enumerate().map(|(index, candidate)| Row {
        trial: candidate.trial.clone(),
        network: candidate.network.clone(),
        weights: candidate.weights,
        side: candidate.side,
        median_ms: column(&|round| round[index]),
        share_of_first: column(&|round| round[index] / round[0]),
    });
    let rows: Vec<Row> = rows.collect();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    println!("{:<28} {:<38} {:>10} {:>8} {:>10} {:>8}", "trial", "network", "weights", "side px", "ms a face", "share");
    for row in &rows {
        println!(
            "{:<28} {:<38} {:>10} {:>8} {:>10.3} {:>8.2}",
            row.trial, row.network, row.weights, row.side, row.median_ms, row.share_of_first
        );
    }
    println!("(one face on one thread under tract, medians of {} rounds in turns)", args.rounds);
    Ok(())
}

fn trials(paths: &[PathBuf]) -> anyhow::Result<Vec<Trial>> {
    let open = |path: &PathBuf| -> anyhow::Result<Vec<Trial>> {
        if !Path::exists(path) {
            return Err(bad_input(format!("{}: there is no such file or folder", path.display())));
        }
        if path.is_dir() { Ok(Study::open(path)?.trials) } else { Ok(vec![Trial::open(path)?]) }
    };
    Ok(paths.iter().map(open).collect::<anyhow::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

impl Candidate {
    /// The models of a trial: both, where they take different times.
    fn of(trial: &Trial) -> anyhow::Result<Vec<Self>> {
        let name = |role| trial.config.model_name(role);
        let is_another = name(ModelChoice::Robust) != name(ModelChoice::Clear);
        let roles = ModelChoice::ALL.into_iter().filter(|&role| role == ModelChoice::Clear || is_another);
        roles.map(|role| Self::new(trial, role)).collect()
    }

    fn new(trial: &Trial, role: ModelChoice) -> anyhow::Result<Self> {
        let config = &trial.config;
        let device = Device::flex().autodiff();
        device.seed(config.seed);
        let network = Network::new(config.network_of(role), CLASSES, &device);
        let input = config.input;
        let onnx = export(&network, &input, config.recipe_of(role).mirrored, CLASSES, &[])?.onnx;
        let classifier = Classifier::from_onnx(&onnx, &trial.id, input.side, CLASSES)?;
        // Not all alike: a processor may be slow with numbers that nearly vanish.
        let crop = (0..input.side * input.side).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect();
        let robust = if role == ModelChoice::Robust { ", robust" } else { "" };
        Ok(Self {
            trial: format!("{}/{}{robust}", trial.study, trial.id),
            network: config.model_name(role),
            weights: network.num_params(),
            side: input.side,
            classifier,
            crop,
        })
    }
}

/// Milliseconds a call of every network in every round.
fn rounds(candidates: &[Candidate], count: usize) -> anyhow::Result<Vec<Vec<f64>>> {
    let round = || {
        let time = |candidate: &Candidate| {
            let began = Instant::now();
            for _ in 0..CALLS {
                black_box(candidate.classifier.logits(black_box(&candidate.crop))?);
            }
            anyhow::Ok(began.elapsed().as_secs_f64() * 1e3 / CALLS as f64)
        };
        candidates.iter().map(time).collect()
    };
    // The first one warms up.
    (0..=count).map(|_| round()).skip(1).collect()
}
