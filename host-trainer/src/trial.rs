//! The `train` command: data -> split -> clear model -> robust model -> bundle.

use std::path::PathBuf;

use burn::module::Module;
use clap::Args;
use models::BlurLevel;

use crate::checkpoint::Store;
use crate::compute::Compute;
use crate::config::TrialConfig;
use crate::lock::lock;
use crate::network::Network;
use crate::pack::pack;
use crate::reader::{self, DataOptions};
use crate::sample::UsageFilter;
use crate::split::validation_split;
use crate::train::{Context, Stage, train};

/// What `train` is given.
#[derive(Args)]
pub struct TrainArgs {
    /// Labelled faces of one size in any of the formats of --format.
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    #[command(flatten)]
    options: DataOptions,
    /// Folder of the bundle.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Trial file; without it, Mien's own recipe.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the checkpoints [default: beside the bundle, its name with .work]; a run that
    /// finds some goes on from them.
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// Processor to train on.
    #[arg(long, value_enum, default_value_t)]
    device: Compute,
}

/// Trains both models and writes the bundle.
///
/// # Errors
/// Bad data or configuration, a device that is not there, a loss that is no number, a folder
/// that cannot be written.
pub fn run(args: &TrainArgs) -> anyhow::Result<()> {
    let trial = TrialConfig::read(args.config.as_deref())?;
    let device = args.device.open()?;
    let data = reader::read(&args.data, &args.options)?;
    let samples = data.select(UsageFilter::Training);
    let split = validation_split(&samples, trial.validation_share, trial.seed);
    eprintln!(
        "{}: {} faces for training, {} for validation; network {} on {:?}",
        args.data.display(),
        split.train.len(),
        split.validation.len(),
        trial.network.name(),
        args.device
    );

    let work = args.work.clone().unwrap_or_else(|| args.out.with_extension("work"));
    let _lock = lock(&work, "--work")?;
    let context = Context {
        trial: &trial,
        data_sha256: &data.sha256,
        classes: data.labels.len(),
        split: &split,
        device: &device,
    };
    let autodiff = device.clone().autodiff();
    autodiff.seed(trial.seed);
    let fresh = Network::new(&trial.network, context.classes, &autodiff);
    let clear_stage = Stage { name: "clear", index: 0, recipe: &trial.clear, validation_levels: &[BlurLevel::None] };
    let clear = train(&context, &clear_stage, fresh, &Store::new(&work, "clear"))?;
    let robust_stage = Stage { name: "robust", index: 1, recipe: &trial.robust, validation_levels: &BlurLevel::ALL };
    let robust = train(&context, &robust_stage, clear.network.clone().train(), &Store::new(&work, "robust"))?;
    pack(&context, &data, &clear, &robust, &args.out)
}
