//! Heat and power of the board, and what is done about them: [`sensors`] reads the kernel's files,
//! [`governor`] decides when the board needs relief, and [`Guard`] gives it by letting the face
//! detector rest longer, which is nine tenths of the work.

pub mod governor;
pub mod sensors;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use self::governor::{Governor, Turn};
use self::sensors::Sensors;
use crate::config::{Config, HealthConfig};
use crate::diagnostics::{tell, warn};
use crate::pipeline::Pipeline;
use crate::reading::BoardState;

/// Time between two looks at the board. It warms and cools slower than that.
const INTERVAL: Duration = Duration::from_secs(2);

/// What the board said last. A thread asks it, for a sensor behind a slow bus or the firmware may
/// keep who asks waiting, and no picture waits for that. Clones share what they know.
#[derive(Clone, Debug)]
pub struct Monitor(Arc<Mutex<Option<BoardState>>>);

impl Monitor {
    /// Looks once, and then every two seconds until the last clone is gone.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(sensors: Sensors) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(sensors.read()));
        let watched = Arc::downgrade(&state);
        thread::Builder::new().name("health".into()).spawn(move || {
            loop {
                thread::sleep(INTERVAL);
                let Some(state) = watched.upgrade() else { break };
                let now = sensors.read();
                *state.lock().unwrap_or_else(PoisonError::into_inner) = now;
            }
        })?;
        Ok(Self(state))
    }

    /// What the board said last; `None` where it cannot be asked.
    pub fn latest(&self) -> Option<BoardState> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a board that is too hot or short of power from doing more than it can.
pub struct Guard {
    monitor: Monitor,
    governor: Governor,
    /// Under pressure the detector looks at every n-th frame at most.
    relaxed_every: u32,
}

impl Guard {
    /// A guard that goes by `monitor`.
    pub fn new(monitor: Monitor, config: &Config) -> Self {
        let HealthConfig { hot_celsius, relaxed_every } = config.health;
        Self { monitor, governor: Governor::new(hot_celsius), relaxed_every }
    }

    /// What tells it of the board.
    pub fn monitor(&self) -> Monitor {
        self.monitor.clone()
    }

    /// The board's state at `now`. When the board has come under pressure, or out of it, the
    /// detector is set to fit and that is told.
    pub fn attend(&mut self, pipeline: &mut Pipeline, now: Duration) -> Option<BoardState> {
        let state = self.monitor.latest()?;
        match self.governor.judge(&state, now) {
            Some(Turn::Pressed(why)) => {
                let every = pipeline.look_at_most_every(self.relaxed_every);
                warn(format_args!("mien: {why}: faces are looked for in every {} now", frames(every)));
            }
            Some(Turn::Relieved) => {
                let every = pipeline.look_at_most_every(1);
                tell(format_args!(
                    "mien: the board has recovered: faces are looked for in every {} again",
                    frames(every)
                ));
            }
            None => {}
        }
        Some(state)
    }
}

/// `frame`, `2nd frame`, `3rd frame`, ...
fn frames(every: u32) -> String {
    let ending = match (every % 10, every % 100) {
        _ if every == 1 => return "frame".into(),
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{every}{ending} frame")
}

/// Starts to watch this machine's board.
///
/// # Errors
/// When the thread for it cannot be started.
pub fn watch() -> io::Result<Monitor> {
    Monitor::start(Sensors::find(Path::new("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted_as_people_do() {
        let said: Vec<String> = [1, 2, 3, 4, 11, 12, 13, 21, 22].map(frames).into();
        let wanted = ["frame", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd"];
        for (said, wanted) in said.iter().zip(wanted) {
            assert!(said.starts_with(wanted) && said.ends_with("frame"), "{said}");
        }
    }
}
