//! What a long run tells: on standard error, and in the log of its trial where there is one.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context;

static LOG: Mutex<Option<File>> = Mutex::new(None);

/// From now on what is said goes to the end of this file as well, also why the process panics.
///
/// # Errors
/// The file cannot be written.
pub fn log_to(path: &Path) -> anyhow::Result<()> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    *log() = Some(file.with_context(|| format!("cannot write the log {}", path.display()))?);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        note(&format!("error: {panic}"));
        usual(panic);
    }));
    Ok(())
}

/// Says a line.
pub fn say(text: &str) {
    // Whoever listened may be gone, which must not end what this is about.
    let _ = writeln!(std::io::stderr(), "{text}");
    note(text);
}

/// Writes a line only into the log, where there is one.
pub fn note(text: &str) {
    if let Some(file) = log().as_mut() {
        // A log that cannot be written must not end what it is about.
        let _ = writeln!(file, "{text}");
    }
}

fn log() -> MutexGuard<'static, Option<File>> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}
