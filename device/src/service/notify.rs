//! systemd's notification protocol (`man 3 sd_notify`), for a unit of `Type=notify`.

use std::time::Duration;

use sd_notify::NotifyState;

use super::Rhythm;
use crate::diagnostics::warn;

/// The way to the supervisor that started this program.
#[derive(Debug)]
pub struct Notifier {
    /// When the watchdog is to be fed; `None` where the unit has none.
    feeding: Option<Rhythm>,
}

impl Notifier {
    /// The supervisor, if there is one that listens.
    pub fn find() -> Option<Self> {
        std::env::var_os("NOTIFY_SOCKET")?;
        // Four times in the time it allows: one late frame is no hang.
        let feeding = sd_notify::watchdog_enabled().map(|allowed| Rhythm::every(allowed / 4));
        Some(Self { feeding })
    }

    /// The run has begun: models are tried, and frames come or are waited for.
    pub fn ready(&self) {
        send(NotifyState::Ready);
    }

    /// The pipeline has got on at `now`.
    pub fn alive(&mut self, now: Duration) {
        if self.feeding.as_mut().is_some_and(|feeding| feeding.is_due(now)) {
            send(NotifyState::Watchdog);
        }
    }

    /// A line for `systemctl status`.
    pub fn say(&self, line: &str) {
        send(NotifyState::Status(line));
    }

    /// The run is ending.
    pub fn stopping(&self) {
        send(NotifyState::Stopping);
    }
}

/// A supervisor that does not listen is no reason to end.
fn send(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        warn(format_args!("mien: systemd cannot be told how the run is: {error}"));
    }
}
