//! Writes files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;

/// Writes a file beside its place, has it on the disk, and then renames it.
///
/// # Errors
/// The disk refuses; what was there before is then still whole, and nothing else is left behind.
pub fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let fresh = path.with_extension("partial");
    let write = || -> io::Result<()> {
        let mut file = File::create(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    };
    write()
        .inspect_err(|_| {
            // The error that led here is the one to tell.
            let _ = fs::remove_file(&fresh);
        })
        .with_context(|| format!("cannot write {}\n  is the disk full or the folder read-only?", path.display()))
}
