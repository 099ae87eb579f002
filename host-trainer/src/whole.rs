//! Writes files that appear whole or not at all.

use std::path::Path;

use anyhow::Context;

/// Writes a file beside its place and then renames it.
///
/// # Errors
/// The disk refuses; what was there before is then still whole.
pub fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let fresh = path.with_extension("partial");
    std::fs::write(&fresh, bytes)
        .and_then(|()| std::fs::rename(&fresh, path))
        .with_context(|| format!("cannot write {}\n  is the disk full or the folder read-only?", path.display()))
}
