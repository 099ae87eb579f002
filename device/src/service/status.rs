//! The status file of a running `mien`: what is in it, and what `mien status` makes of it. It says
//! how the run is, and nothing of what was read in anybody's face.

use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::bench::About;
use crate::diagnostics::Problem;
use crate::output::WholeFile;
use crate::reading::{BoardState, Reading};

/// The file of the installed service.
pub const SYSTEM_FILE: &str = "/run/mien/status.json";
/// Its name in the service's runtime directory.
const NAME: &str = "status.json";
/// Version of the JSON form.
const SCHEMA_VERSION: u32 = 1;
/// A file older than this was left behind by a `mien` that hangs or was killed.
const STALE: Duration = Duration::from_secs(10);

/// How a run is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Always [`SCHEMA_VERSION`].
    pub schema: u32,
    /// Version of `mien`.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Source, bundle and detector.
    #[serde(flatten)]
    pub about: About,
    /// Seconds since the run began.
    pub uptime_secs: f64,
    /// Why there is no picture now, if there is none.
    pub waiting: Option<String>,
    /// Seconds since the last frame was read.
    pub read_secs_ago: Option<f64>,
    /// Frames read.
    pub frames: u64,
    /// Faces in the last of them.
    pub faces: usize,
    /// Frames a second.
    pub fps: f32,
    /// Frames that the source dropped because newer ones were there.
    pub dropped: u64,
    /// Heat and supply, where the board can be asked.
    pub board: Option<BoardState>,
}

impl Status {
    /// The status of a run that has not read anything yet.
    pub fn new(about: About) -> Self {
        Self {
            schema: SCHEMA_VERSION,
            version: env!("CARGO_PKG_VERSION").into(),
            pid: std::process::id(),
            about,
            uptime_secs: 0.0,
            waiting: None,
            read_secs_ago: None,
            frames: 0,
            faces: 0,
            fps: 0.0,
            dropped: 0,
            board: None,
        }
    }

    /// Counts a frame that was read.
    pub fn count(&mut self, reading: &Reading) {
        self.waiting = None;
        self.frames += 1;
        self.faces = reading.faces.len();
        self.fps = reading.fps;
        self.dropped = reading.dropped;
    }

    /// Notes that there is no picture, and why.
    pub fn lose(&mut self, why: &str) {
        if self.waiting.as_deref() != Some(why) {
            self.waiting = Some(why.to_owned());
        }
        (self.faces, self.fps) = (0, 0.0);
    }

    /// How it is, in one line.
    pub fn headline(&self) -> String {
        match &self.waiting {
            Some(why) => format!("waiting: {why}"),
            None => format!("reading {:.1} frames a second, {}", self.fps, faces(self.faces)),
        }
    }

    /// Puts the file in place of the one before, whole.
    ///
    /// # Errors
    /// When it cannot be written; the error names it.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string(self)?;
        let mut file = WholeFile::create(path)?;
        writeln!(file, "{text}").with_context(|| format!("{} cannot be written", path.display()))?;
        file.finish()
    }
}

/// A status and how old it is.
#[derive(Debug, PartialEq, Serialize)]
pub struct Found {
    /// As it was written.
    #[serde(flatten)]
    pub status: Status,
    /// Seconds since then.
    pub age_secs: f64,
}

/// Where the service that this program is keeps its file: in the directory that systemd gave it.
pub fn file_of_service() -> Option<PathBuf> {
    let folders = std::env::var_os("RUNTIME_DIRECTORY")?;
    std::env::split_paths(&folders).next().map(|folder| folder.join(NAME))
}

/// Reads a status file.
///
/// # Errors
/// When it is not there, or is none.
pub fn read(path: &Path) -> anyhow::Result<Found> {
    let name = path.display();
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let problem = Problem::failure(format!("no mien runs that keeps {name}")).next_step(
                "Start the service with `sudo systemctl start mien`, and see `journalctl -u mien -n 30` if it does \
                 not stay; a run of your own keeps one with --status-file.",
            );
            return Err(problem.into());
        }
        text => text.with_context(|| format!("{name} cannot be read"))?,
    };
    let status = serde_json::from_str(&text).with_context(|| {
        Problem::input(format!("{name} is no status of this version of mien"))
            .next_step("Restart the service after an upgrade: `sudo systemctl restart mien`.")
    })?;
    // By the clock on the wall: when that is set, this is wrong until the next writing.
    let written = std::fs::metadata(path).and_then(|found| found.modified());
    let age = written.ok().and_then(|written| SystemTime::now().duration_since(written).ok());
    Ok(Found { status, age_secs: age.unwrap_or_default().as_secs_f64() })
}

impl Found {
    /// For programs.
    ///
    /// # Errors
    /// None that is known.
    pub fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Whether the run goes on. A camera that is waited for is no fault of it.
    ///
    /// # Errors
    /// A failure that says since when it does not.
    pub fn verdict(&self) -> anyhow::Result<()> {
        if self.age_secs <= STALE.as_secs_f64() {
            return Ok(());
        }
        let message = format!("mien has not said anything for {}: it hangs or was killed", span(self.age_secs));
        Err(Problem::failure(message)
            .next_step("See `journalctl -u mien -n 30`; `sudo systemctl restart mien` starts it anew.")
            .into())
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, age_secs } = self;
        let up = span(status.uptime_secs + age_secs);
        writeln!(f, "mien      {}, process {}, up {up}", status.version, status.pid)?;
        writeln!(f, "source    {}", status.about.source)?;
        if let Some(why) = &status.waiting {
            writeln!(f, "          waiting: {why}")?;
        }
        writeln!(f, "models    bundle {}, detector {}", status.about.bundle, status.about.detector)?;
        let last = match status.read_secs_ago {
            Some(ago) => format!("{} ago", span(ago + age_secs)),
            None => "none yet".into(),
        };
        let Status { frames, dropped, fps, .. } = status;
        writeln!(f, "reading   last {last}: {}; {fps:.1} frames a second", faces(status.faces))?;
        writeln!(f, "frames    {frames} read, {dropped} dropped")?;
        let Some(board) = &status.board else { return Ok(()) };
        let celsius = board.temperature_celsius.map_or_else(|| "no thermometer".into(), |now| format!("{now:.0} °C"));
        let throttled = if board.throttled { ", throttled" } else { "" };
        let voltage = if board.under_voltage { ", too little voltage" } else { "" };
        writeln!(f, "board     {celsius}{throttled}{voltage}")
    }
}

fn faces(count: usize) -> String {
    match count {
        0 => "no face".into(),
        1 => "1 face".into(),
        count => format!("{count} faces"),
    }
}

/// A span of time in words, exact enough for people.
fn span(secs: f64) -> String {
    let whole = secs as u64;
    match whole {
        0..60 => format!("{secs:.1} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..86_400 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3600),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::diagnostics::{EXIT_BAD_INPUT, EXIT_FAILURE, exit_code, message};

    fn status() -> Status {
        let about = About { source: "camera /dev/video0".into(), bundle: "b".into(), detector: "rustface".into() };
        let board = BoardState { temperature_celsius: Some(61.4), throttled: true, under_voltage: false };
        Status { uptime_secs: 3725.0, read_secs_ago: Some(0.25), board: Some(board), ..Status::new(about) }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        status().write(&path).unwrap();
        let found = read(&path).unwrap();
        assert_eq!(found.status, status());
        found.verdict().unwrap();
        let text = found.to_string();
        for part in ["up 1 h 2 min", "camera /dev/video0", "61 °C, throttled", "last 0."] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let json: serde_json::Value = serde_json::from_str(&found.to_json().unwrap()).unwrap();
        assert_eq!((&json["schema"], &json["detector"]), (&1.into(), &"rustface".into()));
        assert!(json["age_secs"].as_f64().unwrap() < STALE.as_secs_f64());
    }

    #[test]
    fn a_status_that_is_old_missing_or_none_is_told_with_the_next_step() {
        let old = Found { status: status(), age_secs: 75.0 };
        let text = message(&old.verdict().unwrap_err());
        assert!(text.contains("1 min 15 s") && text.contains("journalctl"), "{text}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        let missing = read(&path).unwrap_err();
        assert_eq!(exit_code(&missing), EXIT_FAILURE);
        assert!(message(&missing).contains("systemctl start"), "{}", message(&missing));
        std::fs::write(&path, "{}").unwrap();
        let none = read(&path).unwrap_err();
        assert_eq!(exit_code(&none), EXIT_BAD_INPUT);
        assert!(message(&none).contains("systemctl restart"), "{}", message(&none));
    }

    #[test]
    fn waiting_ends_with_the_next_frame() {
        let mut status = status();
        status.lose("camera: it is gone");
        assert_eq!(status.headline(), "waiting: camera: it is gone");
        status.count(&crate::reading::sample(0).1);
        assert_eq!(status.headline(), "reading 25.0 frames a second, 1 face");
    }
}
