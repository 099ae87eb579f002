//! The readings that `mien run --json -` writes.

use assert_cmd::Command;
use serde_json::Value;

use crate::program::succeeds;

/// Runs `mien run` with JSON on standard output; a value a frame.
pub fn readings(run: &mut Command) -> Vec<Value> {
    let (written, _) = succeeds(run.args(["--json", "-"]));
    written.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The faces of a reading, biggest first.
pub fn faces(reading: &Value) -> &[Value] {
    reading["faces"].as_array().unwrap()
}

/// A number of a reading.
pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Share of the readings for which something holds, 0 to 1.
pub fn share<'a>(readings: impl IntoIterator<Item = &'a Value>, holds: impl Fn(&Value) -> bool) -> f64 {
    let (mut all, mut of_them) = (0.0, 0.0);
    for reading in readings {
        all += 1.0;
        of_them += f64::from(u8::from(holds(reading)));
    }
    of_them / f64::max(all, 1.0)
}

/// A reading without what differs from run to run: times and rates.
pub fn timeless(reading: &Value) -> Value {
    let mut reading = reading.clone();
    let keys = reading.as_object_mut().unwrap();
    keys.remove("stages");
    keys.remove("fps");
    reading
}
