//! What the end-to-end tests share. They run the real programs, as `tests/run` built them, on
//! the default bundle; a helper that cannot do its part panics, which fails its test.

#![allow(clippy::unwrap_used)]

pub mod bundles;
pub mod crops;
pub mod data;
pub mod debian;
pub mod discs;
pub mod disk;
pub mod guest;
pub mod peers;
pub mod place;
pub mod program;
pub mod random;
pub mod readings;
pub mod slurm;
pub mod wire;

use std::path::{Path, PathBuf};

/// Says that the running test could not do its work and why; `tests/run` lists these lines at
/// its end.
pub fn skip(reason: &str) {
    println!("skipped: {reason}");
}

/// A path of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
