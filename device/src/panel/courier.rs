//! A slow panel behind a thread of its own, so that reading faces does not wait for its wires.
//! While a picture is on its way the newer ones replace each other: the newest is sent next.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use embedded_graphics::geometry::Size;
use embedded_graphics::primitives::Rectangle;

use super::Panel;
use crate::screen::canvas::Canvas;
use crate::screen::changes;

/// Hands pictures to a panel in another thread.
pub struct Courier {
    size: Size,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Something in the state is new.
    news: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Option<Canvas>,
    is_sending: bool,
    trouble: Option<anyhow::Error>,
    ends: bool,
}

impl Courier {
    /// Takes a panel over.
    pub fn start(panel: Box<dyn Panel>) -> Self {
        let size = panel.size();
        let shared = Arc::<Shared>::default();
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || deliver(panel, &shared)
        });
        Self { size, shared, thread: Some(thread) }
    }
}

impl Shared {
    /// A thread that panicked leaves a state that is whole: nothing in between is kept there.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, condition: impl FnMut(&mut State) -> bool) -> MutexGuard<'_, State> {
        self.news.wait_while(self.state(), condition).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends what waits, until there is nothing more to come.
fn deliver(mut panel: Box<dyn Panel>, shared: &Shared) {
    let mut sent: Option<Canvas> = None;
    loop {
        let mut state = shared.wait_while(|state| state.waiting.is_none() && !state.ends);
        let Some(canvas) = state.waiting.take() else { return };
        state.is_sending = true;
        drop(state);
        let changed = match &sent {
            Some(sent) => changes::between(&canvas, sent),
            None => vec![canvas.area()],
        };
        let result = panel.flush(&canvas, &changed);
        sent = result.is_ok().then_some(canvas);
        let mut state = shared.state();
        state.is_sending = false;
        state.trouble = result.err();
        shared.news.notify_all();
    }
}

impl Panel for Courier {
    fn size(&self) -> Size {
        self.size
    }

    /// Takes the picture along; an error is that of an earlier one.
    fn flush(&mut self, canvas: &Canvas, changed: &[Rectangle]) -> anyhow::Result<()> {
        let mut state = self.shared.state();
        if let Some(trouble) = state.trouble.take() {
            return Err(trouble);
        }
        if !changed.is_empty() {
            match &mut state.waiting {
                Some(waiting) => waiting.clone_from(canvas),
                None => state.waiting = Some(canvas.clone()),
            }
            self.shared.news.notify_all();
        }
        Ok(())
    }

    fn settle(&mut self) -> anyhow::Result<()> {
        let mut state = self.shared.wait_while(|state| state.waiting.is_some() || state.is_sending);
        state.trouble.take().map_or(Ok(()), Err)
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.shared.state().ends = true;
        self.shared.news.notify_all();
        if let Some(thread) = self.thread.take() {
            // What it panicked with was printed already.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use embedded_graphics::geometry::Point;
    use embedded_graphics::pixelcolor::Rgb888;

    use super::*;

    const SIZE: Size = Size::new(64, 40);

    /// The first byte of a picture, and what of it changed.
    type Report = (u8, Vec<Rectangle>);

    /// A panel that reports each picture, and takes it when it is told how that ends.
    struct Slow {
        reports: SyncSender<Report>,
        verdicts: Receiver<bool>,
    }

    impl Panel for Slow {
        fn size(&self) -> Size {
            SIZE
        }

        fn flush(&mut self, canvas: &Canvas, changed: &[Rectangle]) -> anyhow::Result<()> {
            self.reports.send((canvas.pixels()[0], changed.to_vec()))?;
            anyhow::ensure!(self.verdicts.recv()?, "panel: no answer");
            Ok(())
        }
    }

    fn slow() -> (Courier, Receiver<Report>, SyncSender<bool>) {
        let (reports, reported) = sync_channel(9);
        let (verdict, verdicts) = sync_channel(9);
        (Courier::start(Box::new(Slow { reports, verdicts })), reported, verdict)
    }

    /// A canvas whose first pixel has this level of red.
    fn canvas(level: u8) -> Canvas {
        let mut canvas = Canvas::new(SIZE);
        canvas.blend(Point::zero(), Rgb888::new(level, 0, 0), 255);
        canvas
    }

    #[test]
    fn the_newest_picture_wins_and_nobody_waits() {
        let (mut courier, reported, verdict) = slow();
        let all = [canvas(0).area()];
        courier.flush(&canvas(1), &all).unwrap();
        assert_eq!(reported.recv().unwrap(), (1, all.to_vec()));
        // The panel is busy: two of these are never sent.
        for level in 2..=4 {
            courier.flush(&canvas(level), &all).unwrap();
        }
        verdict.send(true).unwrap();
        // What changed is found anew, against what was really sent.
        let first = Rectangle::new(Point::zero(), Size::new(1, 1));
        assert_eq!(reported.recv().unwrap(), (4, vec![first]));
        verdict.send(true).unwrap();
        courier.settle().unwrap();
        drop(courier);
        assert!(reported.recv().is_err());
    }

    #[test]
    fn an_error_is_told_once_and_everything_is_sent_again() {
        let (mut courier, reported, verdict) = slow();
        let all = [canvas(0).area()];
        courier.flush(&canvas(1), &all).unwrap();
        verdict.send(false).unwrap();
        assert_eq!(courier.settle().unwrap_err().to_string(), "panel: no answer");
        courier.settle().unwrap();
        courier.flush(&canvas(1), &all).unwrap();
        verdict.send(true).unwrap();
        courier.settle().unwrap();
        assert_eq!(reported.iter().take(2).map(|(_, changed)| changed).collect::<Vec<_>>(), [all, all]);
    }
}
