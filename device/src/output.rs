//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::NamedTempFile;

/// A file that gets its name when it is complete. Until then it stands beside it under
/// a temporary name, and is removed if it never gets that far.
///
/// What is no regular file (a pipe, `/dev/null`) is written directly.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    to: Target,
}

#[derive(Debug)]
enum Target {
    Beside(BufWriter<NamedTempFile>),
    Direct(BufWriter<File>),
}

impl WholeFile {
    /// Begins a file.
    ///
    /// # Errors
    /// When its folder cannot be written.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        // A link stays a link: what it points to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let to = open(&path).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self { path, to })
    }

    /// Completes the file.
    ///
    /// # Errors
    /// When the rest cannot be written, or the file not renamed.
    pub fn finish(self) -> anyhow::Result<()> {
        let Self { path, to } = self;
        complete(to, &path).with_context(|| format!("{} cannot be written", path.display()))
    }

    /// The path it will have.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            Target::Beside(file) => file.write(bytes),
            Target::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            Target::Beside(file) => file.flush(),
            Target::Direct(file) => file.flush(),
        }
    }
}

fn open(path: &Path) -> io::Result<Target> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let file = File::options().write(true).open(path)?;
        return Ok(Target::Direct(BufWriter::new(file)));
    }
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mien-").suffix(".partial");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    Ok(Target::Beside(BufWriter::new(builder.tempfile_in(folder)?)))
}

fn complete(to: Target, path: &Path) -> io::Result<()> {
    match to {
        Target::Direct(mut file) => file.flush(),
        Target::Beside(file) => {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.persist(path)?;
            Ok(())
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        entries.map(|entry| name(entry.unwrap())).collect()
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let mut file = WholeFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(file);
        assert!(names(folder.path()).is_empty());

        let mut file = WholeFile::create(&path).unwrap();
        file.write_all(b"whole").unwrap();
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(folder.path()), ["a.json"]);
    }

    #[test]
    fn a_failed_second_run_leaves_the_first_one_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        fs::write(&path, "old").unwrap();
        WholeFile::create(&path).unwrap().write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let error = WholeFile::create(Path::new("/no/such/folder/a.json")).unwrap_err();
        assert!(error.to_string().contains("/no/such/folder/a.json"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_at_the_latest_at_the_end() {
        let mut file = WholeFile::create(Path::new("/dev/full")).unwrap();
        file.write_all(b"x").unwrap();
        assert!(file.finish().is_err());
        assert!(Path::new("/dev/full").exists());
    }
}
