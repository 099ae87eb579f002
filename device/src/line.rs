//! The line that frames go through: a source, and the pipeline that reads them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

use crate::bench::About;
use crate::cli::InputArgs;
use crate::clock::MachineClock;
use crate::config::Config;
use crate::diagnostics::tell;
use crate::health::{self, Guard};
use crate::open;
use crate::pipeline::Pipeline;
use crate::run::{Sinks, Summary, drive};
use crate::service::{Notifier, Report, status};
use crate::source::Source;
use crate::source::images::FolderRule;

/// Exit code of a program that was told twice to stop.
const EXIT_INTERRUPTED: i32 = 130;

/// A source and the pipeline that reads its frames.
pub struct Line {
    /// Where the frames come from.
    pub source: Box<dyn Source>,
    /// What reads them.
    pub pipeline: Pipeline,
    /// The settings, file and command line together.
    pub config: Config,
    bundle: String,
    frames: Option<u64>,
}

impl Line {
    /// Opens all that the command line names, and the configuration where it does not.
    /// `wait` lets a camera come later.
    ///
    /// # Errors
    /// The first of them that cannot be used.
    pub fn open(input: &InputArgs, wait: bool) -> anyhow::Result<Self> {
        let mut config = Config::load(input.config.file.as_deref())?;
        if let Some(source) = &input.source {
            config.source.clone_from(source);
        }
        if input.bundle.is_some() {
            config.bundle.clone_from(&input.bundle);
        }
        if input.detector.is_some() {
            config.detect.model.clone_from(&input.detector);
        }
        let rule = FolderRule { skip_bad: input.skip_bad, fps: input.sequence };
        let source = open::source(&config.source, rule, &config.camera, wait)?;
        let bundle = open::bundle(config.bundle.as_deref())?;
        let pipeline = Pipeline::new(
            open::detector(&config.detect, &bundle)?,
            open::recognizer(&config.detect, &bundle)?,
            Box::new(MachineClock::start()),
            &config,
            source.is_sequence(),
        );
        Ok(Self { source, pipeline, config, bundle: bundle.manifest.name, frames: input.frames })
    }

    /// What is read with what.
    pub fn about(&self) -> About {
        About {
            source: self.source.describe(),
            bundle: self.bundle.clone(),
            detector: self.pipeline.detector_name().to_owned(),
        }
    }

    /// What spares the board while a camera is read. Files are read the same way on every machine
    /// and in any heat.
    ///
    /// # Errors
    /// When the board cannot be watched.
    pub fn guard(&self) -> anyhow::Result<Option<Guard>> {
        if !self.source.is_live() {
            return Ok(None);
        }
        let monitor = health::watch().context("the board's health cannot be watched")?;
        Ok(Some(Guard::new(monitor, &self.config)))
    }

    /// What tells systemd and `mien status` how the run is, where somebody wants to know.
    pub fn report(&self, status_file: Option<&Path>, guard: Option<&Guard>) -> Option<Report> {
        let link = Notifier::find();
        let file = status_file.map(Path::to_path_buf).or_else(status::file_of_service);
        if link.is_none() && file.is_none() {
            return None;
        }
        let monitor = guard.map(Guard::monitor);
        Some(Report::new(link, file, self.about(), monitor, Box::new(MachineClock::start())))
    }

    /// Runs to the end, or until Ctrl-C or a request to terminate; then says what it
    /// came to.
    ///
    /// # Errors
    /// What source, pipeline and sinks report.
    pub fn drive(&mut self, mut sinks: Sinks, mut guard: Option<Guard>) -> anyhow::Result<Summary> {
        let stop = stop_on_signals()?;
        let clock = MachineClock::start();
        let source = self.source.as_mut();
        let pipeline = &mut self.pipeline;
        let summary = drive(source, pipeline, guard.as_mut(), &mut sinks, self.frames, &stop, &clock)?;
        tell(format_args!("mien: {summary}"));
        Ok(summary)
    }
}

/// A flag that Ctrl-C and SIGTERM raise, so that the sinks can be finished. A second
/// signal ends the program at once.
pub fn stop_on_signals() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::Relaxed) {
            std::process::exit(EXIT_INTERRUPTED);
        }
    })
    .context("Ctrl-C cannot be caught")?;
    Ok(stop)
}
