//! A live camera: the newest picture, and back again by itself after whatever went wrong.

mod capture;
mod config;
mod find;
mod pixels;
mod v4l2;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use self::capture::title;
pub use self::capture::{Capture, Fault};
pub use self::config::CameraConfig;
use self::v4l2::{Camera, NodeKind};
use super::{Pause, Source};
use crate::clock::{Clock, MachineClock};
use crate::diagnostics::{Problem, tell, warn};
use crate::frame::Frame;

/// The longest that one call waits, so that a request to stop is heard.
const PATIENCE: Duration = Duration::from_millis(200);
/// A camera that sends nothing for so long is opened anew. Dark rooms make exposures long, but not so long.
const STALL: Duration = Duration::from_secs(4);
/// Time before the first try to open it again, and the longest, which repeated failures lead to.
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(8);
/// Frames missing between two sequence numbers that are believed; drivers also start over.
const LONGEST_GAP: u32 = 10_000;

/// The name of the first camera there is.
const FIRST: &str = "camera";

/// Whether a source is named like a camera.
pub fn is_camera(name: &str) -> bool {
    name == FIRST || name.starts_with("/dev/video") || name.starts_with("/dev/v4l/")
}

/// The first camera of this machine, if it has one. Where none answers, a video device that this
/// user may not open stands for it: opening it says so.
pub fn first() -> Option<PathBuf> {
    let nodes = find::nodes();
    let is_camera = |node: &&find::Node| node.about.as_ref().is_ok_and(|about| about.kind == NodeKind::Camera);
    let is_closed = |node: &&find::Node| {
        node.about.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
    };
    nodes.iter().find(is_camera).or_else(|| nodes.iter().find(is_closed)).map(|node| node.path.clone())
}

/// Opens a camera by its node, a name that udev gave it, or as `camera`: the first there is. With
/// `wait` one that is not there yet, or in use, is waited for as one that was lost.
///
/// # Errors
/// Why it cannot be used, and what to do about it.
pub fn open(name: &str, config: &CameraConfig, wait: bool) -> anyhow::Result<Box<dyn Source>> {
    let there = first().filter(|_| name == FIRST);
    let name = there.map_or_else(|| name.to_owned(), |node| node.display().to_string());
    let (wanted, config) = (name.clone(), config.clone());
    // Once a camera was open, no other one takes its place.
    let mut known = None;
    let open = move || -> Result<Box<dyn Capture>, Fault> {
        let path: PathBuf = match &known {
            Some(path) => PathBuf::clone(path),
            None => stable_path(&wanted)?,
        };
        let camera = Camera::open(&path, &config)?;
        known = Some(path);
        Ok(Box::new(camera))
    };
    let source = CameraSource::open(&name, open, Box::new(MachineClock::start()), std::thread::sleep, wait);
    Ok(Box::new(source.map_err(|fault| fault.into_problem(&name))?))
}

/// The path by which the camera of that name is found again when it was unplugged.
fn stable_path(name: &str) -> Result<PathBuf, Fault> {
    let node = if name == FIRST { first().ok_or(Fault::NoneThere)? } else { PathBuf::from(name) };
    Ok(find::stable_name(&node).unwrap_or(node))
}

/// Takes one picture from every camera: what each gives, or what is wrong with it.
pub fn probe_all(config: &CameraConfig) -> Vec<(PathBuf, Result<String, Problem>)> {
    let is_candidate = |node: &find::Node| match &node.about {
        Ok(about) => matches!(about.kind, NodeKind::Camera | NodeKind::MultiPlane),
        Err(_) => true,
    };
    let probe = |path: &PathBuf| -> Result<String, Fault> {
        let mut camera = Camera::open(path, config)?;
        let (about, layout) = (camera.describe(), camera.layout());
        let raw = camera.newest(STALL)?.ok_or(Fault::Stalled)?;
        layout.decode(raw.bytes, false).map_err(Fault::Driver)?;
        Ok(about)
    };
    let nodes = find::nodes().into_iter().filter(is_candidate).map(|node| node.path);
    nodes
        .map(|path| {
            let name = path.display().to_string();
            let probed = probe(&path).map_err(|fault| fault.into_problem(&name));
            (path, probed)
        })
        .collect()
}

/// What `mien list-cameras` prints: a line for each video node.
pub fn list() -> String {
    let nodes = find::nodes();
    if nodes.is_empty() {
        return "no video device; plug a camera in, and see `sudo dmesg | tail` if that does not help\n".into();
    }
    let mut text = String::new();
    for node in nodes {
        let _ = match &node.about {
            Ok(about) => {
                let use_of = match about.kind {
                    NodeKind::Camera => "camera",
                    NodeKind::MultiPlane => "raw end of a CSI sensor: needs libcamera",
                    NodeKind::Metadata => "data about pictures: not the camera itself",
                    NodeKind::Other => "no camera",
                };
                writeln!(text, "{}: {} ({}), {use_of}", node.path.display(), about.card, about.driver)
            }
            Err(error) => writeln!(text, "{}: {}", node.path.display(), Fault::of_open(error)),
        };
        if let Some(stable) = &node.stable {
            let _ = writeln!(text, "    stays {}", stable.display());
        }
    }
    text
}

/// Opens the camera, at first and again.
type Open = Box<dyn FnMut() -> Result<Box<dyn Capture>, Fault>>;

/// A camera as a source that never ends.
struct CameraSource {
    name: String,
    open: Open,
    clock: Box<dyn Clock>,
    sleep: fn(Duration),
    state: State,
    number: u64,
    dropped: u64,
    waited: Duration,
}

enum State {
    Streaming {
        capture: Box<dyn Capture>,
        /// When the last picture came, or the stream began.
        alive_at: Duration,
        /// The sequence number of that picture.
        sequence: Option<u32>,
    },
    Lost {
        fault: Fault,
        retry_at: Duration,
        /// The pause after the next failure.
        pause: Duration,
    },
}

impl CameraSource {
    fn open(
        name: &str,
        mut open: impl FnMut() -> Result<Box<dyn Capture>, Fault> + 'static,
        clock: Box<dyn Clock>,
        sleep: fn(Duration),
        wait: bool,
    ) -> Result<Self, Fault> {
        let state = match open() {
            Ok(capture) => State::Streaming { capture, alive_at: clock.now(), sequence: None },
            Err(fault) if wait && fault.may_pass() => lost(name, fault, clock.now()),
            Err(fault) => return Err(fault),
        };
        Ok(Self {
            name: name.into(),
            open: Box::new(open),
            clock,
            sleep,
            state,
            number: 0,
            dropped: 0,
            waited: Duration::ZERO,
        })
    }

    /// Notes that the camera is lost.
    fn lose(&mut self, fault: Fault) {
        self.state = lost(&self.name, fault, self.clock.now());
    }

    /// Tries to get a lost camera back when it is time to.
    fn recover(&mut self) -> anyhow::Result<()> {
        let State::Lost { retry_at, pause, .. } = &self.state else { return Ok(()) };
        let (now, retry_at, pause) = (self.clock.now(), *retry_at, *pause);
        if now < retry_at {
            (self.sleep)((retry_at - now).min(PATIENCE));
            return Ok(());
        }
        match (self.open)() {
            Ok(capture) => {
                tell(format_args!("mien: {} is back: {}", title(&self.name), capture.describe()));
                self.state = State::Streaming { capture, alive_at: self.clock.now(), sequence: None };
            }
            // Another camera in its place that cannot be used: waiting longer does not help.
            Err(fault) if !fault.may_pass() => return Err(fault.into_problem(&self.name).into()),
            Err(fault) => {
                let retry_at = self.clock.now() + pause;
                self.state = State::Lost { fault, retry_at, pause: (pause * 2).min(LAST_RETRY) };
            }
        }
        Ok(())
    }
}

/// The state of a camera that was lost at `now`, which is told once.
fn lost(name: &str, fault: Fault, now: Duration) -> State {
    warn(format_args!("mien: {}: {fault}; waiting for it", title(name)));
    State::Lost { fault, retry_at: now + FIRST_RETRY, pause: FIRST_RETRY * 2 }
}

/// Pictures that are missing between two sequence numbers.
fn missing(before: Option<u32>, now: u32) -> u64 {
    let gap = before.map_or(0, |before| now.wrapping_sub(before).wrapping_sub(1));
    if gap < LONGEST_GAP { u64::from(gap) } else { 0 }
}

impl Source for CameraSource {
    fn describe(&self) -> String {
        match &self.state {
            State::Streaming { capture, .. } => format!("{}, {}", title(&self.name), capture.describe()),
            State::Lost { .. } => title(&self.name),
        }
    }

    fn next_frame(&mut self) -> anyhow::Result<Option<Frame>> {
        let State::Streaming { capture, alive_at, sequence } = &mut self.state else {
            self.recover()?;
            return Ok(None);
        };
        let layout = capture.layout();
        let asked = self.clock.now();
        let raw = match capture.newest(PATIENCE) {
            Ok(raw) => raw,
            Err(fault) => {
                self.lose(fault);
                return Ok(None);
            }
        };
        let now = self.clock.now();
        self.waited = now.saturating_sub(asked);
        let decoded = raw.map(|raw| (layout.decode(raw.bytes, true), raw.sequence));
        let Some((decoded, number)) = decoded else {
            if now.saturating_sub(*alive_at) >= STALL {
                self.lose(Fault::Stalled);
            }
            return Ok(None);
        };
        self.dropped += missing(*sequence, number);
        (*alive_at, *sequence) = (now, Some(number));
        // Damaged pictures happen on long cables; each is one that was dropped.
        let Ok((gray, colour)) = decoded else {
            self.dropped += 1;
            return Ok(None);
        };
        let frame = Frame { number: self.number, captured_at: now, gray, colour, name: None };
        self.number += 1;
        Ok(Some(frame))
    }

    fn is_live(&self) -> bool {
        true
    }

    fn pause(&self) -> Pause {
        match &self.state {
            State::Streaming { .. } => Pause::Waiting,
            State::Lost { fault, .. } => Pause::Lost(format!("camera: {fault}")),
        }
    }

    fn waited(&self) -> Duration {
        self.waited
    }

    fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
