//! `mien-trainer`: face pictures in, a bundle of ONNX models out.

mod adjust;
mod answers;
mod ask;
mod augment;
mod average;
mod batches;
mod by_heart;
mod calibrate;
mod checkpoint;
mod clean;
mod cli;
mod composites;
mod compute;
mod config;
mod crowd;
mod detector;
mod evaluate;
mod export;
mod face;
mod failure;
mod init;
mod inspect;
mod learnt_gate;
mod lock;
mod logistic;
mod loss;
mod network;
mod pack;
mod prepare;
mod progress;
mod reader;
mod recrop;
mod refit;
mod replicas;
mod report;
mod robustness;
mod sample;
mod say;
mod schedule;
mod shard;
mod split;
mod stop;
mod study;
mod targets;
mod teachers;
mod train;
mod training_args;
mod trial;
mod whole;

use std::process::ExitCode;

use clap::Parser;

/// The commit this program was built from.
pub const COMMIT: &str = env!("MIEN_COMMIT");

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if stop::was_stopped(&error) => {
            eprintln!("stopped: {error:#}");
            ExitCode::from(stop::EXIT_CODE)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if failure::is_bad_input(&error) { 2 } else { 1 })
        }
    }
}
