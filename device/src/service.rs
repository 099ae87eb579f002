//! What whoever looks after an unattended `mien` is told: systemd by its notification protocol,
//! people and programs by a status file.

mod notify;
pub mod status;

use std::path::PathBuf;
use std::time::Duration;

pub use self::notify::Notifier;
use self::status::Status;
use crate::bench::About;
use crate::clock::Clock;
use crate::diagnostics::{causes, warn};
use crate::frame::Frame;
use crate::health::Monitor;
use crate::reading::Reading;
use crate::sink::Sink;

/// Time between two writings of the status file.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// Time between two lines for `systemctl status`.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// A sink that reports how the run is. It has no thread of its own: it speaks only when the
/// pipeline has read a frame or has tried in vain to get one, so that a run that hangs falls silent
/// and the watchdog ends it.
pub struct Report {
    link: Option<Notifier>,
    file: Option<PathBuf>,
    status: Status,
    monitor: Option<Monitor>,
    clock: Box<dyn Clock>,
    began: Duration,
    /// When the last frame was read.
    read_at: Option<Duration>,
    is_ready: bool,
    /// It was told that the file cannot be written.
    is_unwritable: bool,
    written: Rhythm,
    told: Rhythm,
}

impl Report {
    /// A report over `link` and in `file`.
    pub fn new(
        link: Option<Notifier>,
        file: Option<PathBuf>,
        about: About,
        monitor: Option<Monitor>,
        clock: Box<dyn Clock>,
    ) -> Self {
        Self {
            link,
            file,
            status: Status::new(about),
            monitor,
            began: clock.now(),
            clock,
            read_at: None,
            is_ready: false,
            is_unwritable: false,
            written: Rhythm::every(WRITE_EVERY),
            told: Rhythm::every(TELL_EVERY),
        }
    }

    /// Reports that the run goes on.
    fn go_on(&mut self) {
        let now = self.clock.now();
        let is_turn = !std::mem::replace(&mut self.is_ready, true);
        if let Some(link) = &mut self.link {
            if is_turn {
                link.ready();
            }
            link.alive(now);
            if self.told.is_due(now) || is_turn {
                link.say(&self.status.headline());
            }
        }
        if self.file.is_some() && self.written.is_due(now) {
            self.write(now);
        }
    }

    fn write(&mut self, now: Duration) {
        let Some(file) = &self.file else { return };
        self.status.uptime_secs = secs_between(self.began, now);
        self.status.read_secs_ago = self.read_at.map(|then| secs_between(then, now));
        self.status.board = self.monitor.as_ref().and_then(Monitor::latest);
        let written = self.status.write(file);
        let was_unwritable = std::mem::replace(&mut self.is_unwritable, written.is_err());
        if let (Err(error), false) = (written, was_unwritable) {
            warn(format_args!("mien: the status is not kept: {}", causes(&error)));
        }
    }
}

fn secs_between(then: Duration, now: Duration) -> f64 {
    now.saturating_sub(then).as_secs_f64()
}

impl Sink for Report {
    fn take(&mut self, _frame: &Frame, reading: &Reading) -> anyhow::Result<()> {
        self.read_at = Some(self.clock.now());
        self.status.count(reading);
        self.go_on();
        Ok(())
    }

    fn lose(&mut self, why: &str) -> anyhow::Result<()> {
        self.status.lose(why);
        self.go_on();
        Ok(())
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        if let Some(link) = &self.link {
            link.stopping();
        }
        // Who asks shall hear that nothing runs, not what ran.
        if let Some(file) = &self.file {
            let _ = std::fs::remove_file(file);
        }
        Ok(())
    }
}

/// Something that is due at once, and then not before `every` has passed.
#[derive(Debug)]
pub struct Rhythm {
    every: Duration,
    last: Option<Duration>,
}

impl Rhythm {
    /// The rhythm of that time.
    pub fn every(every: Duration) -> Self {
        Self { every, last: None }
    }

    /// Whether it is due; then it counts as done.
    pub fn is_due(&mut self, now: Duration) -> bool {
        let is_due = self.last.is_none_or(|last| now.saturating_sub(last) >= self.every);
        if is_due {
            self.last = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::clock::fake::SteppingClock;
    use crate::reading::sample;

    fn report(file: PathBuf) -> Report {
        let about = About { source: "camera /dev/video0".into(), bundle: "b".into(), detector: "d".into() };
        let clock = Box::new(SteppingClock::new(Duration::from_millis(400)));
        Report::new(None, Some(file), about, None, clock)
    }

    #[test]
    fn the_file_follows_the_run_and_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("status.json");
        let mut report = report(file.clone());
        assert!(!file.exists(), "nothing was read yet");
        let (frame, reading) = sample(0);
        report.take(&frame, &reading).unwrap();
        let first = status::read(&file).unwrap();
        assert_eq!((first.status.frames, first.status.faces, first.status.waiting), (1, 1, None));
        for _ in 0..10 {
            report.lose("camera: it is gone").unwrap();
        }
        let later = status::read(&file).unwrap();
        assert_eq!(later.status.waiting.as_deref(), Some("camera: it is gone"));
        assert!(later.status.read_secs_ago.unwrap() > 2.0 && later.status.uptime_secs > 2.0);
        report.take(&frame, &reading).unwrap();
        report.finish().unwrap();
        assert!(!file.exists());
    }

    #[test]
    fn a_status_that_cannot_be_written_does_not_end_the_run() {
        let mut report = report("/no/such/folder/status.json".into());
        let (frame, reading) = sample(0);
        report.take(&frame, &reading).unwrap();
        report.finish().unwrap();
    }

    #[test]
    fn a_rhythm_begins_at_once() {
        let mut rhythm = Rhythm::every(Duration::from_secs(2));
        let due: Vec<u64> = (0..8).filter(|&second| rhythm.is_due(Duration::from_secs(second))).collect();
        assert_eq!(due, [0, 2, 4, 6]);
    }
}
