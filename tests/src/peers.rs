//! onnxruntime, the other program that runs our networks: through the Python that `tests/run` sets up.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::{project, skip};

/// The Python that has onnxruntime; without it the test is skipped.
pub fn python() -> Option<OsString> {
    let python = std::env::var_os("MIEN_PYTHON").filter(|python| !python.is_empty());
    if python.is_none() {
        skip("no MIEN_PYTHON");
    }
    python
}

/// A script of `tests/peers`.
pub fn script(name: &str) -> PathBuf {
    project("tests/peers").join(name)
}

/// Numbers as the scripts read and write them: f32, little-endian.
pub fn to_bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The way back.
pub fn from_bytes(bytes: &[u8]) -> Vec<f32> {
    let (numbers, rest) = bytes.as_chunks();
    assert!(rest.is_empty(), "{} bytes are no whole numbers", bytes.len());
    numbers.iter().map(|number| f32::from_le_bytes(*number)).collect()
}
