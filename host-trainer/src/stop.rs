//! Ends long work where it can go on later: by Ctrl-C, SIGTERM, or when the program that started it is gone.

use std::fmt;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::Context;

/// Exit code of work that was stopped: the shell's for a program that Ctrl-C ended.
pub const EXIT_CODE: u8 = 130;

static ASKED: AtomicBool = AtomicBool::new(false);

/// Work that was stopped on request. The message says how to go on.
#[derive(Debug)]
struct Stopped(String);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Stopped {}

/// From now on Ctrl-C and SIGTERM ask [`check`] to end the work, and do what `then` does; a second one ends the process at
/// once. Once a process.
///
/// # Errors
/// The system refuses.
pub fn on_signal(then: impl Fn() + Send + 'static) -> anyhow::Result<()> {
    static SIGNALS: AtomicUsize = AtomicUsize::new(0);
    let handler = move || {
        if SIGNALS.fetch_add(1, Ordering::SeqCst) > 0 {
            std::process::exit(EXIT_CODE.into());
        }
        ask();
        then();
    };
    ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")
}

/// Also ends the work when standard input does: whoever started this process holds its other end, and is gone then, or
/// wants it to stop.
pub fn at_end_of_input() {
    std::thread::spawn(|| {
        let mut byte = [0];
        let mut input = io::stdin();
        while matches!(input.read(&mut byte), Ok(1)) {}
        ask();
    });
}

fn ask() {
    ASKED.store(true, Ordering::SeqCst);
}

/// Whether the work is to end.
pub fn is_asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// Goes on, unless the work is to end; `told` says where it stands then.
///
/// # Errors
/// It is to end.
pub fn check(told: impl FnOnce() -> String) -> anyhow::Result<()> {
    if is_asked() { Err(Stopped(told()).into()) } else { Ok(()) }
}

/// Whether an error only says that the work was stopped.
pub fn was_stopped(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<Stopped>())
}
