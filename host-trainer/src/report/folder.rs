//! An output folder that appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::failure::bad_input;

/// A folder in the making: a temporary sibling of the final one, which takes its place at the end. Dropped before
/// that, it vanishes.
pub struct OutputFolder {
    target: PathBuf,
    temporary: PathBuf,
    /// Parents that were made for it, the innermost first.
    made: Vec<PathBuf>,
    is_put: bool,
}

impl OutputFolder {
    /// Makes the temporary folder, so that one that cannot be written is found before the work and not after it.
    ///
    /// What is at `target` will be replaced if it is an empty folder or one of ours: it has the file `marker` and only
    /// files with the given `extensions`.
    ///
    /// # Errors
    /// Bad input if something else is there; a failure if the folder's parent cannot be written.
    pub fn prepare(target: &Path, marker: &str, extensions: &[&str]) -> anyhow::Result<Self> {
        let target = absolute(target).with_context(|| format!("cannot use the output folder {}", target.display()))?;
        if target.exists() && !is_replaceable(&target, marker, extensions)? {
            return Err(bad_input(format!(
                "{} holds other things than an earlier {marker}; name a new or an empty folder with --out",
                target.display()
            )));
        }
        let made = target.ancestors().skip(1).take_while(|parent| !parent.exists()).map(Path::to_owned).collect();
        let folder = OutputFolder { temporary: sibling(&target, "new"), target, made, is_put: false };
        folder.make().with_context(|| {
            format!("cannot make the folder {}; name another one with --out", folder.target.display())
        })?;
        Ok(folder)
    }

    fn make(&self) -> io::Result<()> {
        if let Some(parent) = self.target.parent() {
            fs::create_dir_all(parent)?;
        }
        remove(&self.temporary)?;
        fs::create_dir(&self.temporary)
    }

    /// Writes a file of the folder.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.temporary.join(name);
        let write = || -> io::Result<()> {
            let mut file = File::create(&path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().with_context(|| format!("cannot write {}; nothing was left behind", self.target.join(name).display()))
    }

    /// Puts the folder in its place.
    ///
    /// # Errors
    /// The disk refuses; what was there before is there again then.
    pub fn put(mut self) -> anyhow::Result<()> {
        let old = sibling(&self.target, "old");
        let refused = || format!("cannot replace {}", self.target.display());
        remove(&old).with_context(refused)?;
        let had_old = self.target.exists();
        if had_old {
            fs::rename(&self.target, &old).with_context(refused)?;
        }
        if let Err(error) = fs::rename(&self.temporary, &self.target) {
            if had_old {
                fs::rename(&old, &self.target)
                    .with_context(|| format!("the earlier folder is now {}", old.display()))?;
            }
            return Err(error).with_context(refused);
        }
        self.is_put = true;
        remove(&old).with_context(|| format!("cannot remove {}", old.display()))
    }
}

impl Drop for OutputFolder {
    fn drop(&mut self) {
        if !self.is_put {
            // The error that led here is the one to tell.
            let _ = remove(&self.temporary);
            for parent in &self.made {
                let _ = fs::remove_dir(parent);
            }
        }
    }
}

/// The full path; links are followed where the folder exists, so that the folder and not the link is replaced.
fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    let path = if path.exists() { path.canonicalize()? } else { std::path::absolute(path)? };
    if path.file_name().is_none() {
        return Err(anyhow!("it has no name of its own"));
    }
    Ok(path)
}

/// `.NAME.PURPOSE-PID` beside the folder: on the same file system, so that renaming is all or nothing.
fn sibling(target: &Path, purpose: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{purpose}-{}", std::process::id()))
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn is_replaceable(target: &Path, marker: &str, extensions: &[&str]) -> anyhow::Result<bool> {
    if !target.is_dir() {
        return Ok(false);
    }
    let (mut is_empty, mut has_marker) = (true, false);
    for entry in fs::read_dir(target).with_context(|| format!("cannot read {}", target.display()))? {
        let entry = entry?.path();
        let is_ours = entry.is_file()
            && entry
                .extension()
                .is_some_and(|found| extensions.iter().any(|wanted| found.eq_ignore_ascii_case(wanted)));
        if !is_ours {
            return Ok(false);
        }
        is_empty = false;
        has_marker |= entry.file_name().is_some_and(|name| name == marker);
    }
    Ok(is_empty || has_marker)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::failure::is_bad_input;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn prepare(target: &Path) -> anyhow::Result<OutputFolder> {
        OutputFolder::prepare(target, "report.json", &["json", "svg"])
    }

    #[test]
    fn replaces_an_earlier_report_whole() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("a/report");
        for name in ["report.json", "plot.svg"] {
            let mut folder = prepare(&target).unwrap();
            folder.write("report.json", b"{}").unwrap();
            folder.write(name, b"x").unwrap();
            folder.put().unwrap();
        }
        assert_eq!(names(&target), ["plot.svg", "report.json"]);
        assert_eq!(names(&root.path().join("a")), ["report"]);
    }

    #[test]
    fn leaves_nothing_behind_when_dropped() {
        let root = tempfile::tempdir().unwrap();
        let mut folder = prepare(&root.path().join("a/b/report")).unwrap();
        folder.write("report.json", b"{}").unwrap();
        assert_eq!(names(root.path()), ["a"]);
        drop(folder);
        assert!(names(root.path()).is_empty());
    }

    #[test]
    fn does_not_touch_other_things() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("photos");
        fs::create_dir(&target).unwrap();
        assert!(prepare(&target).is_ok());
        fs::write(target.join("me.svg"), b"x").unwrap();
        assert!(is_bad_input(&prepare(&target).err().unwrap()));
        fs::write(target.join("report.json"), b"x").unwrap();
        assert!(prepare(&target).is_ok());
        fs::write(target.join("me.jpg"), b"x").unwrap();
        assert!(is_bad_input(&prepare(&target).err().unwrap()));
        assert!(prepare(&target.join("me.jpg")).is_err());
        let error = prepare(&target.join("me.jpg/under")).err().unwrap();
        assert!(!is_bad_input(&error) && error.to_string().contains("me.jpg/under"), "{error}");
    }
}
