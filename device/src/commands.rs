//! What the commands do.

use std::io::{self, Write};
use std::sync::atomic::Ordering;
use std::time::Duration;

use embedded_graphics::geometry::Size;

use crate::bench::Bench;
use crate::cli::{BenchArgs, DoctorArgs, RunArgs, StatusArgs, TestDisplayArgs, ValidateArgs};
use crate::clock::MachineClock;
use crate::config::{Config, STDOUT};
use crate::diagnostics::{Problem, stdout_error, tell};
use crate::doctor;
use crate::line::{Line, stop_on_signals};
use crate::open;
use crate::panel::{PanelChoice, PanelSink};
use crate::run::Sinks;
use crate::screen::test_card;
use crate::service::status;
use crate::show;
use crate::sink::json_lines::JsonLines;
use crate::sink::narrator::Narrator;
use crate::sink::recorder::Recorder;
use crate::source::camera;

/// Size in px of the screen that a bench draws when none is chosen.
const BENCH_PANEL: Size = Size::new(800, 480);

/// How often a test card that stays looks whether its window was closed.
const CARD_INTERVAL: Duration = Duration::from_millis(100);

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
