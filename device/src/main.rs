//! `mien` reads the expressions of faces from a video or pictures, also when they are
//! blurred.
//!
//! The way of a frame: [`source`] -> [`pipeline`] (detect, [`track`], align, recognise,
//! [`smooth`]) -> [`reading`] -> [`sink`]; [`run`] drives it.

mod bench;
mod cli;
mod clock;
mod commands;
mod config;
mod diagnostics;
mod doctor;
mod frame;
mod health;
mod line;
mod numbered;
mod open;
mod output;
mod panel;
mod pipeline;
mod reading;
mod run;
mod screen;
mod service;
mod show;
mod sink;
mod smooth;
mod source;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;
mod track;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        None => commands::live_or_demo(),
        Some(Command::Run(args)) => commands::run(&args),
        Some(Command::Bench(args)) => commands::bench(&args),
        Some(Command::Doctor(args)) => commands::doctor(&args),
        Some(Command::Status(args)) => commands::status(&args),
        Some(Command::ListCameras) => commands::list_cameras(),
        Some(Command::TestDisplay(args)) => commands::test_display(&args),
        Some(Command::Validate(args)) => commands::validate(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if diagnostics::is_audience_gone(&error) => ExitCode::SUCCESS,
        Err(error) => {
            diagnostics::tell_error(diagnostics::message(&error));
            ExitCode::from(diagnostics::exit_code(&error))
        }
    }
}
