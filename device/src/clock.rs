//! The monotonic clock behind a seam, and the frame rate that is measured with it.

use std::time::{Duration, Instant};

/// A clock that never runs backwards.
pub trait Clock {
    /// Time since some fixed moment.
    fn now(&self) -> Duration;
}

/// The clock of the machine, counted from its creation.
#[derive(Debug)]
pub struct MachineClock(Instant);

impl MachineClock {
    /// A clock that shows zero now.
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Whole microseconds from `start` to `end`.
pub fn micros_between(start: Duration, end: Duration) -> u64 {
    u64::try_from(end.saturating_sub(start).as_micros()).unwrap_or(u64::MAX)
}

/// Frames a second, smoothed over about one second.
#[derive(Debug, Default)]
pub struct FrameRate {
    last: Option<Duration>,
    interval_secs: Option<f32>,
}

impl FrameRate {
    /// Counts a frame at `now` and returns the rate; 0 until there were two frames.
    pub fn tick(&mut self, now: Duration) -> f32 {
        if let Some(last) = self.last {
            let passed = now.saturating_sub(last).as_secs_f32().max(1e-6);
            let smooth = self.interval_secs.get_or_insert(passed);
            *smooth += -(-passed).exp_m1() * (passed - *smooth);
        }
        self.last = Some(now);
        self.interval_secs.map_or(0.0, |secs| 1.0 / secs)
    }
}

#[cfg(test)]
pub mod fake {
    //! A clock that moves on by a fixed step each time somebody looks.

    use std::cell::Cell;

    use super::{Clock, Duration};

    /// Shows `step`, `2 * step`, ...
    pub struct SteppingClock {
        step: Duration,
        now: Cell<Duration>,
    }

    impl SteppingClock {
        /// A clock of that step, at zero.
        pub fn new(step: Duration) -> Self {
            Self { step, now: Cell::new(Duration::ZERO) }
        }
    }

    impl Clock for SteppingClock {
        fn now(&self) -> Duration {
            self.now.set(self.now.get() + self.step);
            self.now.get()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_settles_on_the_true_one() {
        let mut rate = FrameRate::default();
        assert_eq!(rate.tick(Duration::ZERO), 0.0);
        assert!((rate.tick(Duration::from_millis(100)) - 10.0).abs() < 1e-3);
        let mut last = 0.0;
        for frame in 1..200 {
            last = rate.tick(Duration::from_millis(100 + 40 * frame));
        }
        assert!((last - 25.0).abs() < 0.1, "{last}");
    }

    #[test]
    fn two_frames_at_one_moment_do_not_divide_by_zero() {
        let mut rate = FrameRate::default();
        rate.tick(Duration::ZERO);
        assert!(rate.tick(Duration::ZERO).is_finite());
    }
}
