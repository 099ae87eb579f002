//! How much that is bad may be passed over.

use crate::failure::bad_input;
use crate::say::say;

/// Counts the bad pictures, lines and shards of one run.
pub struct Tolerance {
    max_bad: u64,
    /// How many were passed over.
    pub bad: u64,
}

impl Tolerance {
    /// Up to `max_bad` of them are passed over; `bad` were before.
    pub fn new(max_bad: u64, bad: u64) -> Self {
        Self { max_bad, bad }
    }

    /// Names one more and goes on.
    ///
    /// # Errors
    /// There were too many: bad input.
    pub fn pass(&mut self, error: anyhow::Error) -> anyhow::Result<()> {
        if self.bad >= self.max_bad {
            let count = self.bad + 1;
            return Err(if self.max_bad == 0 {
                error
            } else {
                bad_input(format!(
                    "{error:#}\n  that is number {count} of what is bad, --max-bad allows {}",
                    self.max_bad
                ))
            });
        }
        self.bad += 1;
        say(&format!("passed over: {error:#}"));
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::failure::is_bad_input;

    #[test]
    fn the_one_too_many_is_refused() {
        let mut tolerance = Tolerance::new(2, 1);
        tolerance.pass(bad_input("a.png")).unwrap();
        let error = tolerance.pass(bad_input("b.png")).unwrap_err();
        assert!(is_bad_input(&error) && error.to_string().contains("b.png\n  that is number 3"), "{error}");
        assert_eq!(tolerance.bad, 2);
        assert_eq!(Tolerance::new(0, 0).pass(bad_input("c.png")).unwrap_err().to_string(), "c.png");
    }
}
