//! A live camera: the newest picture, and back again by itself after whatever went wrong.
//!
//! The driver is spoken to through a binding of our own to the few requests that this needs. The crate `v4l` was tried
//! and left: it makes its bindings when it is built, which asks for libclang on every machine that builds Mien and in
//! every cross image; it waits for ever for a camera that is silent, and panics when one goes away as it is closed.

mod capture;
mod config;
mod find;
pub mod pixels;
mod v4l2;

use std::path::PathBuf;
use std::time::Duration;

use self::capture::title;
pub use self::capture::{Capture, Fault};
pub use self::config::CameraConfig;
pub use self::find::{first, list, probe_all};
use self::v4l2::Camera;
use super::{Pause, Source};
use crate::clock::{Clock, MachineClock};
use crate::diagnostics::{tell, warn};
use crate::frame::Frame;

/// The longest that one call waits, so that a request to stop is heard.
const PATIENCE: Duration = Duration::from_millis(200);
/// A camera that sends nothing for so long is opened anew. Dark rooms make exposures long, but not so long.
const STALL: Duration = Duration::from_secs(4);
/// Time before the first try to open it again, and the longest, which repeated failures lead to.
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(8);
/// How often the exposure is asked for: an automatic one drifts with the light.
const EXPOSURE_EVERY: Duration = Duration::from_secs(1);
/// Frames missing between two sequence numbers that are believed; drivers also start over.
const LONGEST_GAP: u32 = 10_000;

/// The name of the first camera there is.
const FIRST: &str = "camera";

/// Whether a source is named like a camera.
pub fn is_camera(name: &str) -> bool {
    name == FIRST || name.starts_with("/dev/video") || name.starts_with("/dev/v4l/")
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
    bad_frames: u64,
    colour: bool,
    waited: Duration,
}

enum State {
    Streaming {
        capture: Box<dyn Capture>,
        /// When the last picture came, or the stream began.
        alive_at: Duration,
        /// The sequence number of that picture.
        sequence: Option<u32>,
        /// When the exposure was asked for, and the answer.
        exposure: Option<(Duration, Option<u32>)>,
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
            Ok(capture) => streaming(capture, clock.now()),
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
            bad_frames: 0,
            colour: true,
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
                self.state = streaming(capture, self.clock.now());
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

/// The state of a camera that was opened at `now`.
fn streaming(capture: Box<dyn Capture>, now: Duration) -> State {
    State::Streaming { capture, alive_at: now, sequence: None, exposure: None }
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
        let State::Streaming { capture, alive_at, sequence, exposure } = &mut self.state else {
            self.recover()?;
            return Ok(None);
        };
        let layout = capture.layout();
        let asked = self.clock.now();
        if exposure.is_none_or(|(at, _)| asked.saturating_sub(at) >= EXPOSURE_EVERY) {
            *exposure = Some((asked, capture.exposure_us()));
        }
        let raw = match capture.newest(PATIENCE) {
            Ok(raw) => raw,
            Err(fault) => {
                self.lose(fault);
                return Ok(None);
            }
        };
        let now = self.clock.now();
        self.waited = now.saturating_sub(asked);
        let decoded = raw.map(|raw| (layout.decode(raw.bytes, self.colour), raw.sequence));
        let Some((decoded, number)) = decoded else {
            if now.saturating_sub(*alive_at) >= STALL {
                self.lose(Fault::Stalled);
            }
            return Ok(None);
        };
        self.dropped += missing(*sequence, number);
        (*alive_at, *sequence) = (now, Some(number));
        let (gray, colour) = match decoded {
            Ok(picture) => picture,
            // Damaged pictures happen on long cables; each is one that was dropped.
            Err(why) => {
                if self.bad_frames == 0 {
                    warn(format_args!("mien: {}: {why}; such pictures are left out and counted", title(&self.name)));
                }
                self.bad_frames += 1;
                self.dropped += 1;
                return Ok(None);
            }
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

    fn bad_frames(&self) -> u64 {
        self.bad_frames
    }

    fn exposure_us(&self) -> Option<u32> {
        match &self.state {
            State::Streaming { exposure, .. } => exposure.and_then(|(_, exposure)| exposure),
            State::Lost { .. } => None,
        }
    }

    fn leave_colour_out(&mut self) {
        self.colour = false;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
