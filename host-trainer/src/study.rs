//! The commands `trial` and `study`: a trial is a TOML file, a study is a folder of them, and a report puts what they
//! reached beside what was published.
//!
//! Everything of a trial lies in one folder below the study's results: the bundle, the checkpoints (`work`), what was said
//! (`log.txt`), an evaluation for each set of test faces, and `trial.json`, which is written last and marks it done.

mod all;
mod compare;
mod contents;
mod folder;
mod list;
mod local;
mod one;
mod options;
mod page;
mod published;
mod record;
mod report;
mod samples;
mod slurm;
mod time;
mod trial;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use self::all::StudyRunArgs;
use self::one::TrialRunArgs;
use self::report::ReportArgs;

/// Name of the file with a study's published figures, beside its trials: see [`published::Published`].
pub const PUBLISHED: &str = "published.toml";

/// `trial ...`
#[derive(Subcommand)]
pub enum TrialCommand {
    /// Train one trial and measure it on the test faces; what is done already is not done again.
    Run(TrialRunArgs),
    /// List the trials of a folder and of the folders in it.
    List(ListArgs),
    /// Time the networks of trials, a face at a time on one thread, without training them.
    Time(time::TimeArgs),
}

/// `study ...`
#[derive(Subcommand)]
pub enum StudyCommand {
    /// Run every trial of a folder that is not done, here or as an array of jobs.
    Run(StudyRunArgs),
    /// Put the figures of a study beside the published ones: one page and one JSON file.
    Report(ReportArgs),
}

/// What `trial list` is given.
#[derive(Args)]
pub struct ListArgs {
    /// Folder with trial files.
    #[arg(value_name = "DIR", default_value = "host-trainer/trials")]
    folder: PathBuf,
}

impl TrialCommand {
    /// Does what was asked.
    ///
    /// # Errors
    /// Whatever the command could not do, with its cause and the next step.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Run(args) => one::run(&args),
            Self::List(args) => list::run(&args.folder),
            Self::Time(args) => time::run(&args),
        }
    }
}

impl StudyCommand {
    /// Does what was asked.
    ///
    /// # Errors
    /// Whatever the command could not do, with its cause and the next step.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Run(args) => all::run(&args),
            Self::Report(args) => report::run(&args),
        }
    }
}
