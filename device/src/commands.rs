//! What the commands do.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use embedded_graphics::geometry::Size;

use crate::bench::{About, Bench};
use crate::cli::{BenchArgs, DoctorArgs, InputArgs, RunArgs, StatusArgs, TestDisplayArgs, ValidateArgs};
use crate::clock::MachineClock;
use crate::config::{Config, STDOUT};
use crate::diagnostics::{Problem, stdout_error, tell};
use crate::doctor;
use crate::health::{self, Guard};
use crate::open;
use crate::panel::{PanelChoice, PanelSink};
use crate::pipeline::Pipeline;
use crate::run::{Sinks, Summary, drive};
use crate::screen::test_card;
use crate::service::{Notifier, Report, status};
use crate::show;
use crate::sink::json_lines::JsonLines;
use crate::sink::narrator::Narrator;
use crate::sink::recorder::Recorder;
use crate::source::images::FolderRule;
use crate::source::{Source, camera};

/// Exit code of a program that was told twice to stop.
const EXIT_INTERRUPTED: i32 = 130;

/// Size in px of the screen that a bench draws when none is chosen.
const BENCH_PANEL: Size = Size::new(800, 480);

/// How often a test card that stays looks whether its window was closed.
const CARD_INTERVAL: Duration = Duration::from_millis(100);

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
    fn guard(&self) -> anyhow::Result<Option<Guard>> {
        if !self.source.is_live() {
            return Ok(None);
        }
        let monitor = health::watch().context("the board's health cannot be watched")?;
        Ok(Some(Guard::new(monitor, &self.config)))
    }

    /// What tells systemd and `mien status` how the run is, where somebody wants to know.
    fn report(&self, status_file: Option<&Path>, guard: Option<&Guard>) -> Option<Report> {
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

/// `mien` without a command: what is configured; else the first camera, or the demo where there is
/// none.
///
/// # Errors
/// As [`run`].
pub fn live_or_demo() -> anyhow::Result<()> {
    let mut args = RunArgs::of_environment();
    let is_configured = args.input.source.is_some() || Config::file(args.input.config.file.as_deref()).is_some();
    if is_configured {
        return run(&args);
    }
    let Some(camera) = camera::first() else { return show::demo() };
    tell(format_args!(
        "mien: reading faces from {} until Ctrl-C; `mien --help` says what else there is",
        camera.display()
    ));
    args.input.source = Some(camera.to_string_lossy().into_owned());
    run(&args)
}

/// `mien run`
///
/// # Errors
/// What bundle, source, pipeline and sinks report.
pub fn run(args: &RunArgs) -> anyhow::Result<()> {
    let mut line = Line::open(&args.input, args.wait)?;
    let guard = line.guard()?;
    let mut sinks = Sinks::default();
    // The first to hear that the run is ending.
    if let Some(report) = line.report(args.status_file.as_deref(), guard.as_ref()) {
        sinks.writing.push(Box::new(report));
    }
    let panel = args.panel.as_ref().unwrap_or(&line.config.panel);
    if let Some(panel) = panel.open(&line.config.panel_spi, &line.config.panel_oled)? {
        sinks.drawing.push(Box::new(PanelSink::new(panel)));
    }
    if let Some(path) = &args.save {
        sinks.drawing.push(Box::new(Recorder::create(path)?));
    }
    if sinks.drawing.is_empty() {
        line.source.leave_colour_out();
    }
    let json = args.json.as_ref().or(line.config.json.as_ref());
    if json.is_some_and(|path| path.as_os_str() == STDOUT) {
        sinks.writing.push(Box::new(JsonLines::stdout()));
    } else {
        if let Some(path) = json {
            sinks.writing.push(Box::new(JsonLines::file(path)?));
        }
        sinks.writing.push(Box::new(Narrator::default()));
    }
    tell(format_args!("mien: {}", line.about()));
    line.drive(sinks, guard)?.expect_a_face(line.source.as_ref())
}

/// `mien bench`
///
/// # Errors
/// As [`run`].
pub fn bench(args: &BenchArgs) -> anyhow::Result<()> {
    let clock = MachineClock::start();
    let mut line = Line::open(&args.input, false)?;
    let mut sinks = Sinks::default();
    let panel = match (&args.panel, &line.config.panel) {
        (Some(chosen), _) => chosen.clone(),
        (None, PanelChoice::None) => PanelChoice::Null(BENCH_PANEL),
        (None, configured) => configured.clone(),
    };
    match panel.open(&line.config.panel_spi, &line.config.panel_oled)? {
        Some(panel) => sinks.drawing.push(Box::new(PanelSink::new(panel))),
        None => line.source.leave_colour_out(),
    }
    let bench = Bench::new(line.about(), args.json.clone(), clock);
    sinks.writing.push(Box::new(bench));
    line.drive(sinks, None)?;
    Ok(())
}

/// `mien doctor`
///
/// # Errors
/// Something needs attention, or the configuration cannot be read.
pub fn doctor(args: &DoctorArgs) -> anyhow::Result<()> {
    let config = Config::load(args.config.file.as_deref())?;
    let report = doctor::examine(&config);
    write!(io::stdout(), "{report}").map_err(stdout_error)?;
    report.verdict()
}

/// `mien status`
///
/// # Errors
/// No `mien` keeps that file, or none does any more.
pub fn status(args: &StatusArgs) -> anyhow::Result<()> {
    let status = status::read(&args.status_file)?;
    let text = if args.json { status.to_json()? } else { status.to_string() };
    write!(io::stdout(), "{text}").map_err(stdout_error)?;
    status.verdict()
}

/// `mien test-display`: shows the card, and stays where the picture would go with the program.
///
/// # Errors
/// The panel cannot be used.
pub fn test_display(args: &TestDisplayArgs) -> anyhow::Result<()> {
    let config = Config::load(args.config.file.as_deref())?;
    let choice = match (&args.panel, &config.panel) {
        (Some(choice), _) => choice.clone(),
        (None, PanelChoice::None) => PanelChoice::first_framebuffer(),
        (None, choice) => choice.clone(),
    };
    let Some(mut panel) = choice.open(&config.panel_spi, &config.panel_oled)? else {
        return Err(Problem::input("no panel to test").next_step("Name one: --panel fb, or --panel png:DIR.").into());
    };
    let card = test_card::draw(panel.size());
    panel.flush(&card, &[card.area()])?;
    panel.settle()?;
    tell(format_args!(
        "mien: the test card is on the panel: red, green and blue bars must bear their own names, the ramp \
         must be even, and the white line must run along all four edges"
    ));
    if panel.ends_with_program() {
        tell("mien: it stays until Ctrl-C");
        let stop = stop_on_signals()?;
        while !stop.load(Ordering::Relaxed) {
            panel.flush(&card, &[])?;
            std::thread::sleep(CARD_INTERVAL);
        }
    }
    Ok(())
}

/// `mien list-cameras`
///
/// # Errors
/// Standard output cannot be written.
pub fn list_cameras() -> anyhow::Result<()> {
    write!(io::stdout(), "{}", camera::list()).map_err(stdout_error)
}

/// `mien validate`
///
/// # Errors
/// The first thing that is wrong.
pub fn validate(args: &ValidateArgs) -> anyhow::Result<()> {
    let file = Config::file(args.config.file.as_deref()).ok_or_else(|| {
        Problem::input("there is no configuration to check").next_step("Name one with --config FILE.")
    })?;
    let config = Config::read(file)?;
    let bundle = open::bundle(config.bundle.as_deref())?;
    open::recognizer(&config.detect, &bundle)?;
    let detector = open::detector(&config.detect, &bundle)?;
    let (file, bundle) = (file.display(), &bundle.manifest.name);
    let detector = detector.name();
    writeln!(io::stdout(), "{file} is fine: bundle {bundle}, detector {detector}").map_err(stdout_error)
}

/// A flag that Ctrl-C and SIGTERM raise, so that the sinks can be finished. A second
/// signal ends the program at once.
fn stop_on_signals() -> anyhow::Result<Arc<AtomicBool>> {
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
