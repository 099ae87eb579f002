//! Says which key of a trial has a value that it cannot have.

use crate::failure::bad_input;

/// Refuses `value` outside `low..=high`.
///
/// # Errors
/// Names the key, the value and the range.
pub fn within(key: &str, value: f64, low: f64, high: f64) -> anyhow::Result<()> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(bad_input(format!("{key} = {value} is outside {low}..={high}")))
    }
}
