//! One process at a time in a folder.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use anyhow::Context;

use crate::failure::bad_input;

/// Makes `folder` and holds it for this process alone, as long as the file is open. `option` is what another folder would
/// be named with.
///
/// # Errors
/// Bad input: another process works there. A failure: the folder cannot be written.
pub fn lock(folder: &Path, option: &str) -> anyhow::Result<File> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create the work folder {}", folder.display()))?;
    let path = folder.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(bad_input(format!(
            "{}: another mien-trainer works in this folder\n  wait for it, or name another folder with {option}",
            folder.display()
        ))),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::failure::is_bad_input;

    #[test]
    fn a_second_one_is_refused_until_the_first_is_gone() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/work");
        let held = lock(&folder, "--out").unwrap();
        let error = lock(&folder, "--out").unwrap_err();
        assert!(is_bad_input(&error) && error.to_string().contains("--out"), "{error}");
        drop(held);
        lock(&folder, "--out").unwrap();
    }
}
