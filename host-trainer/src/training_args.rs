//! What every training is given on the command line.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::compute::Processors;

/// How long, where and on what to train.
#[derive(Args)]
pub struct TrainingArgs {
    /// Only prove that the trial can be run: one epoch of little and small data. What comes out is worth nothing.
    #[arg(long)]
    pub quick: bool,
    /// Folder of the checkpoints [default: beside what is written, its name with .work]; a run that finds some goes on
    /// from them.
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    #[command(flatten)]
    pub processors: Processors,
}

impl TrainingArgs {
    /// Folder of the checkpoints of what is written to `out`.
    pub fn work(&self, out: &Path) -> PathBuf {
        self.work.clone().unwrap_or_else(|| out.with_extension("work"))
    }
}
