//! What to say and what to return when something went wrong: one message with its
//! causes, the next step, and the exit code.

mod tell;

use std::fmt;
use std::io;

pub use self::tell::{tell, tell_error, warn};

/// Exit code when what was given is at fault: a file, a setting, the command line.
pub const EXIT_BAD_INPUT: u8 = 2;
/// Exit code when the machine is at fault.
pub const EXIT_FAILURE: u8 = 1;

/// What happened, whose fault it is and what to do about it. Used as an error of its
/// own, or as the context of a deeper one.
#[derive(Debug)]
pub struct Problem {
    message: String,
    next_step: Option<String>,
    exit_code: u8,
}

impl Problem {
    /// The input is at fault.
    pub fn input(message: impl Into<String>) -> Self {
        Self { message: message.into(), next_step: None, exit_code: EXIT_BAD_INPUT }
    }

    /// The machine is at fault.
    pub fn failure(message: impl Into<String>) -> Self {
        Self { exit_code: EXIT_FAILURE, ..Self::input(message) }
    }

    /// Adds what the user can do.
    pub fn next_step(mut self, step: impl Into<String>) -> Self {
        self.next_step = Some(step.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

/// Marks the error of those for whom all this is done going away, and says who went: no
/// fault of anybody. The program at the other end of our standard output may end, as
/// `head` does; a window may be closed.
#[derive(Debug)]
pub struct AudienceGone(pub &'static str);

impl fmt::Display for AudienceGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Gives an error of writing to standard output its context.
pub fn stdout_error(error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::BrokenPipe {
        anyhow::Error::new(error).context(AudienceGone("nobody reads standard output any more"))
    } else {
        anyhow::Error::new(error).context("standard output cannot be written")
    }
}

/// Whether the error only says that the reader of our standard output went away, or who
/// looked at our window.
pub fn is_audience_gone(error: &anyhow::Error) -> bool {
    error.downcast_ref::<AudienceGone>().is_some()
}

/// The exit code for an error.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    error.downcast_ref::<Problem>().map_or(EXIT_FAILURE, |problem| problem.exit_code)
}

/// The text for an error: `error: ` and its [`causes`], and below them the next step if
/// one is known.
pub fn message(error: &anyhow::Error) -> String {
    let mut text = format!("error: {}", causes(error));
    if let Some(step) = next_step(error) {
        text.push_str("\n  ");
        text.push_str(step);
    }
    text
}

/// What to do about an error, where that is known.
pub fn next_step(error: &anyhow::Error) -> Option<&str> {
    let told = error.downcast_ref::<Problem>().and_then(|problem| problem.next_step.as_deref());
    told.or_else(|| step_for_cause(error))
}

/// What happened and why, in one line: `what: cause: deeper cause`.
pub fn causes(error: &anyhow::Error) -> String {
    let mut text = String::new();
    let mut last = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        // Some libraries repeat their cause in their own message.
        if last.is_empty() {
            text.push_str(cause.trim_end());
        } else if !last.contains(&cause) {
            text.push_str(": ");
            text.push_str(cause.trim_end());
        }
        last = cause;
    }
    text
}

/// Whether the operating system refused access.
pub fn is_permission_denied(error: &anyhow::Error) -> bool {
    let io_error = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    io_error.is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// Next steps that follow from what the operating system said.
fn step_for_cause(error: &anyhow::Error) -> Option<&'static str> {
    let cause = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>())?;
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("The disk is full: free some space or write to another one.")
        }
        io::ErrorKind::ReadOnlyFilesystem => Some("The file system is read-only: choose a place that can be written."),
        io::ErrorKind::PermissionDenied => Some("Check the owner and the permissions of the file and its folder."),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    fn full_disk() -> anyhow::Error {
        anyhow::Error::new(io::Error::from(io::ErrorKind::StorageFull))
    }

    #[test]
    fn a_problem_says_whose_fault_it_is_also_as_context() {
        assert_eq!(exit_code(&Problem::input("bad").into()), EXIT_BAD_INPUT);
        assert_eq!(exit_code(&Problem::failure("oh").into()), EXIT_FAILURE);
        assert_eq!(exit_code(&full_disk()), EXIT_FAILURE);
        let wrapped = full_disk().context(Problem::input("picture a.png")).context("frame 3");
        assert_eq!(exit_code(&wrapped), EXIT_BAD_INPUT);
    }

    #[test]
    fn the_message_lists_causes_once_and_the_next_step() {
        let error = Err::<(), _>(anyhow::anyhow!("no such pixel"))
            .context("line 4: no such pixel")
            .context(Problem::input("picture a.png").next_step("Look at it."))
            .unwrap_err();
        assert_eq!(message(&error), "error: picture a.png: line 4: no such pixel\n  Look at it.");
    }

    #[test]
    fn the_operating_system_has_next_steps_too() {
        let text = message(&full_disk().context("cannot write out.png"));
        assert!(text.starts_with("error: cannot write out.png: "), "{text}");
        assert!(text.contains("free some space"), "{text}");
    }

    #[test]
    fn only_a_broken_pipe_is_a_reader_that_went_away() {
        let gone = stdout_error(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(is_audience_gone(&gone.context("frame 4")));
        assert!(!is_audience_gone(&stdout_error(io::Error::from(io::ErrorKind::StorageFull))));
    }
}
