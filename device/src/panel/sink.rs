//! The live screen on a panel.

use std::time::Duration;

use super::Panel;
use super::courier::Courier;
use crate::clock::{Clock, MachineClock};
use crate::diagnostics::{causes, is_audience_gone, warn};
use crate::frame::Frame;
use crate::reading::Reading;
use crate::screen::Screen;
use crate::screen::canvas::Canvas;
use crate::screen::changes;
use crate::sink::Sink;

/// A panel that failed is tried again after this many frames: a loose cable may be
/// plugged in again, and each try may cost a time-out.
const RETRY_FRAMES: u64 = 50;

/// Draws readings and shows them on a panel. A panel that fails is reported once and does
/// not stop the readings; the end of the run says how much it missed. One that somebody
/// closes ends the run.
pub struct PanelSink {
    screen: Screen,
    link: Link,
    frames: u64,
}

/// The way to the panel.
struct Link {
    panel: Box<dyn Panel>,
    /// What the panel shows; unknown at the start and after an error.
    shown: Option<Canvas>,
    missed: u64,
    /// What was wrong first.
    trouble: Option<anyhow::Error>,
    /// Frames left before a panel that failed is tried again.
    rest: u64,
    /// How long the last picture took.
    took: Duration,
}

impl PanelSink {
    /// A sink that draws for `panel`.
    pub fn new(panel: Box<dyn Panel>) -> Self {
        let screen = Screen::new(panel.size());
        let panel = if panel.is_slow() { Box::new(Courier::start(panel)) } else { panel };
        let link = Link { panel, shown: None, missed: 0, trouble: None, rest: 0, took: Duration::ZERO };
        Self { screen, link, frames: 0 }
    }
}

impl Link {
    /// Sends what changed.
    ///
    /// # Errors
    /// Only when nobody looks any more.
    fn show(&mut self, canvas: &Canvas) -> anyhow::Result<()> {
        let clock = MachineClock::start();
        let sent = self.send(canvas);
        self.took = clock.now();
        sent
    }

    fn send(&mut self, canvas: &Canvas) -> anyhow::Result<()> {
        if self.rest > 0 {
            self.rest -= 1;
            self.missed += 1;
            return Ok(());
        }
        let changed = match &self.shown {
            None => vec![canvas.area()],
            Some(shown) => changes::between(canvas, shown),
        };
        match self.panel.flush(canvas, &changed) {
            Ok(()) => match &mut self.shown {
                Some(shown) => shown.clone_from(canvas),
                None => self.shown = Some(canvas.clone()),
            },
            Err(error) if is_audience_gone(&error) => return Err(error),
            Err(error) => self.fail(error),
        }
        Ok(())
    }

    fn fail(&mut self, error: anyhow::Error) {
        self.shown = None;
        self.missed += 1;
        self.rest = RETRY_FRAMES;
        if self.trouble.is_none() {
            warn(format_args!("mien: the panel failed, readings go on: {}", causes(&error)));
            self.trouble = Some(error);
        }
    }
}

impl Sink for PanelSink {
    fn take(&mut self, frame: &Frame, reading: &Reading) -> anyhow::Result<()> {
        self.frames += 1;
        let canvas = self.screen.draw(frame, reading);
        self.link.show(canvas)
    }

    fn flushed(&self) -> Duration {
        self.link.took
    }

    fn lose(&mut self, why: &str) -> anyhow::Result<()> {
        self.link.show(self.screen.draw_notice(why))
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        if let Err(error) = self.link.panel.settle() {
            self.link.fail(error);
        }
        let Some(trouble) = self.link.trouble.take() else {
            return Ok(());
        };
        let message = format!("the panel missed {} of {} frames", self.link.missed, self.frames);
        // Its exit code stays a failure; the next step follows from the cause.
        Err(trouble.context(message))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::{Arc, Mutex};

    use embedded_graphics::geometry::Size;
    use embedded_graphics::primitives::Rectangle;

    use super::*;
    use crate::screen::sample;

    /// Remembers what it was told to send, and fails on demand.
    #[derive(Default)]
    struct Fake {
        flushed: Arc<Mutex<Vec<Vec<Rectangle>>>>,
        fails: Arc<Mutex<bool>>,
    }

    const ALL: Rectangle = Rectangle::new(embedded_graphics::geometry::Point::zero(), Size::new(320, 240));

    impl Panel for Fake {
        fn size(&self) -> Size {
            Size::new(320, 240)
        }

        fn flush(&mut self, canvas: &Canvas, changed: &[Rectangle]) -> anyhow::Result<()> {
            assert_eq!(canvas.area().size, self.size());
            if !changed.is_empty() {
                self.flushed.lock().unwrap().push(changed.to_vec());
            }
            anyhow::ensure!(!*self.fails.lock().unwrap(), "no answer");
            Ok(())
        }
    }

    #[test]
    fn only_what_changed_is_sent() {
        let fake = Fake::default();
        let flushed = Arc::clone(&fake.flushed);
        let mut sink = PanelSink::new(Box::new(fake));
        let frame = sample::frame(0);
        let mut reading = sample::reading(1);
        sink.take(&frame, &reading).unwrap();
        sink.take(&frame, &reading).unwrap();
        reading.faces[0].blur.value = 0.3;
        sink.take(&frame, &reading).unwrap();
        sink.finish().unwrap();

        let flushed = flushed.lock().unwrap();
        assert_eq!(flushed.len(), 2, "{flushed:?}");
        assert_eq!(flushed[0], [ALL]);
        // The blur meter and its figure, nothing else.
        let pixels: u32 = flushed[1].iter().map(|changed| changed.size.width * changed.size.height).sum();
        assert!((1..2_000).contains(&pixels), "{pixels} px: {:?}", flushed[1]);
    }

    #[test]
    fn a_lost_camera_takes_the_last_face_off_the_panel() {
        let fake = Fake::default();
        let flushed = Arc::clone(&fake.flushed);
        let mut sink = PanelSink::new(Box::new(fake));
        sink.take(&sample::frame(0), &sample::reading(1)).unwrap();
        for _ in 0..3 {
            sink.lose("camera: it is gone").unwrap();
        }
        // The whole screen changed, once.
        let sent = flushed.lock().unwrap().clone();
        assert_eq!(sent.len(), 2, "{sent:?}");
        let pixels: u32 = sent[1].iter().map(|changed| changed.size.width * changed.size.height).sum();
        assert!(pixels > 320 * 240 * 3 / 4, "{pixels}");
        let words: Vec<&str> = vec!["camera: it is gone", "camera: it is in use"];
        let mut screen = Screen::new(Size::new(320, 240));
        let [gone, busy] = [words[0], words[1]].map(|why| screen.draw_notice(why).clone());
        assert_ne!(gone, busy);
    }

    #[test]
    fn a_panel_that_fails_does_not_stop_readings_and_gets_everything_again() {
        let fake = Fake::default();
        let (flushed, fails) = (Arc::clone(&fake.flushed), Arc::clone(&fake.fails));
        let mut sink = PanelSink::new(Box::new(fake));
        let frame = sample::frame(0);
        let mut reading = sample::reading(1);
        let mut take = |count: u64| {
            for _ in 0..count {
                reading.captured_at_ms += 200.0;
                sink.take(&frame, &reading).unwrap();
            }
        };
        take(1);
        *fails.lock().unwrap() = true;
        take(1);
        *fails.lock().unwrap() = false;
        take(RETRY_FRAMES);
        assert_eq!(flushed.lock().unwrap().len(), 2);
        take(1);
        assert_eq!(flushed.lock().unwrap().last(), Some(&vec![ALL]));
        let error = format!("{:#}", sink.finish().unwrap_err());
        assert_eq!(error, "the panel missed 51 of 53 frames: no answer");
    }
}
