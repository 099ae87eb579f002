//! The command line.

use clap::{Parser, Subcommand};

use crate::{answers, composites, detector, evaluate, inspect, prepare, refit, robustness, study, trial};

/// Turns face pictures into a bundle of ONNX models for Mien's device.
#[derive(Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Look at a data set before using it: classes, sizes, duplicates, sharpness, samples.
    Inspect(inspect::InspectArgs),
    /// Make shards of clean, aligned faces out of a data set of any size.
    Prepare(prepare::PrepareArgs),
    /// Train a clear and a robust model and write them as a bundle.
    Train(trial::TrainArgs),
    /// Fit the gate and the calibration of a bundle anew, on faces of your own camera.
    Refit(refit::RefitArgs),
    /// Write down what a trained network says of every face, for others to learn from.
    Answers(answers::AnswersArgs),
    /// Measure a bundle on labelled faces, sharp and blurred.
    Evaluate(evaluate::EvaluateArgs),
    /// Measure a bundle on faces blurred, noisy, dark, covered, compressed or small, beside deblurring and equalising.
    Robustness(robustness::RobustnessArgs),
    /// Run one trial of a study and measure it, or list trials.
    #[command(subcommand)]
    Trial(study::TrialCommand),
    /// Run all trials of a folder, or put their figures beside the published ones.
    #[command(subcommand)]
    Study(study::StudyCommand),
    /// Train a face detector with five points a face and write its ONNX files.
    TrainDetector(detector::train::TrainDetectorArgs),
    /// Measure face detectors on held-out people, sharp and blurred, and on videos.
    EvaluateDetector(detector::evaluate::EvaluateDetectorArgs),
    /// Make the demo's faces: means of many, in which nobody can be recognised.
    Composites(composites::CompositesArgs),
}

impl Cli {
    /// Does what was asked.
    ///
    /// # Errors
    /// Whatever the command could not do, with its cause and the next step.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Inspect(args) => inspect::run(&args),
            Command::Prepare(args) => prepare::run(&args),
            Command::Train(args) => trial::run(&args),
            Command::Refit(args) => refit::run(&args),
            Command::Answers(args) => answers::run(&args),
            Command::Evaluate(args) => evaluate::run(&args),
            Command::Robustness(args) => robustness::run(&args),
            Command::Trial(command) => command.run(),
            Command::Study(command) => command.run(),
            Command::TrainDetector(args) => detector::train::run(&args),
            Command::EvaluateDetector(args) => detector::evaluate::run(&args),
            Command::Composites(args) => composites::run(&args),
        }
    }
}
