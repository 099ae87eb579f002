//! Tells bad input apart from failures, so that `main` can answer with exit code 2 or 1.

use std::fmt;

/// Something the user gave is wrong: a data file, a folder, an option. The message says what, where and the cure.
///
/// It may lie anywhere in an error's chain; [`is_bad_input`] finds it.
#[derive(Debug)]
pub struct BadInput(String);

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadInput {}

/// An error that ends the program with exit code 2.
pub fn bad_input(message: impl Into<String>) -> anyhow::Error {
    BadInput(message.into()).into()
}

/// Whether the cause of `error` is the user's input, however much context was added on the way up.
pub fn is_bad_input(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<BadInput>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn is_found_under_context() {
        let error = Err::<(), _>(bad_input("line 3: label 9")).context("reading the data").err();
        assert!(error.as_ref().is_some_and(is_bad_input));
    }

    #[test]
    fn other_errors_are_failures() {
        assert!(!is_bad_input(&anyhow::anyhow!("the disk is full")));
    }
}
