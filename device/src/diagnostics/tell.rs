//! What people are told beside the results: lines on standard error, which under systemd go to
//! the journal.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The same text is told so often in one [`PERIOD`]; a camera with a loose plug must not fill the
/// journal.
const BURST: u32 = 3;
const PERIOD: Duration = Duration::from_secs(600);
/// Texts that are remembered; more different ones than that in one period are no repetition.
const MEMORY: usize = 64;

/// How much it matters, as the journal counts it.
#[derive(Copy, Clone, Debug)]
enum Level {
    Error = 3,
    Warning = 4,
    Information = 6,
}

/// Tells people something that is no result.
pub fn tell(text: impl Display) {
    say(Level::Information, &text.to_string());
}

/// Tells people of a trouble that the program goes on with.
pub fn warn(text: impl Display) {
    say(Level::Warning, &text.to_string());
}

/// Tells people why the program ends.
pub fn tell_error(text: impl Display) {
    say(Level::Error, &text.to_string());
}

/// That nobody may read it is no error.
fn say(level: Level, text: &str) {
    static REPEATS: LazyLock<Mutex<Repeats>> = LazyLock::new(Mutex::default);
    static IS_JOURNAL: LazyLock<bool> = LazyLock::new(is_journal);
    let Some(left_out) = REPEATS.lock().unwrap_or_else(PoisonError::into_inner).admit(text, Instant::now()) else {
        return;
    };
    // Every line is an entry of its own there.
    let prefix = if *IS_JOURNAL { format!("<{}>", level as u8) } else { String::new() };
    let mut lines: String = text.lines().fold(String::new(), |lines, line| lines + &prefix + line + "\n");
    if left_out > 0 {
        lines += &format!("{prefix}mien: the line above came {left_out} times more in the meantime\n");
    }
    let _ = io::stderr().write_all(lines.as_bytes());
}

/// Whether standard error goes to the journal: it is the very stream that systemd names.
fn is_journal() -> bool {
    let Ok(stderr) = std::fs::metadata("/proc/self/fd/2") else { return false };
    let stream = format!("{}:{}", stderr.dev(), stderr.ino());
    std::env::var("JOURNAL_STREAM").is_ok_and(|named| named == stream)
}

/// Which texts were told lately.
#[derive(Debug, Default)]
struct Repeats(HashMap<String, Told>);

#[derive(Debug)]
struct Told {
    /// When its period began.
    since: Instant,
    /// How often it came in it.
    times: u32,
}

impl Repeats {
    /// Whether to tell this text now, and how often it was held back in the period before.
    fn admit(&mut self, text: &str, now: Instant) -> Option<u32> {
        let is_over = |told: &Told| now.saturating_duration_since(told.since) >= PERIOD;
        if let Some(told) = self.0.get_mut(text) {
            if !is_over(told) {
                told.times = told.times.saturating_add(1);
                return (told.times <= BURST).then_some(0);
            }
            let held_back = told.times.saturating_sub(BURST);
            *told = Told { since: now, times: 1 };
            return Some(held_back);
        }
        if self.0.len() >= MEMORY {
            self.0.retain(|_, told| !is_over(told));
        }
        if self.0.len() < MEMORY {
            self.0.insert(text.to_owned(), Told { since: now, times: 1 });
        }
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_held_back_and_counted() {
        let mut repeats = Repeats::default();
        let start = Instant::now();
        let told: Vec<_> = (0..10).map(|_| repeats.admit("gone", start)).collect();
        assert_eq!(told[..3], [Some(0); 3]);
        assert!(told[3..].iter().all(Option::is_none));
        assert_eq!(repeats.admit("back", start), Some(0));
        assert_eq!(repeats.admit("gone", start + PERIOD), Some(7));
        assert_eq!(repeats.admit("gone", start + PERIOD), Some(0));
        assert_eq!(repeats.admit("gone", start + 2 * PERIOD), Some(0));
    }

    #[test]
    fn ever_new_texts_are_all_told_and_do_not_fill_the_memory() {
        let mut repeats = Repeats::default();
        let start = Instant::now();
        for number in 0..1000 {
            assert_eq!(repeats.admit(&format!("frame {number}"), start), Some(0));
        }
        assert_eq!(repeats.0.len(), MEMORY);
        repeats.admit("later", start + PERIOD);
        assert_eq!(repeats.0.len(), 1);
    }
}
