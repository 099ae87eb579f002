//! One trial file.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::config::TrialConfig;

/// One trial file.
pub struct Trial {
    /// Name of the folder that it lies in.
    pub study: String,
    /// Name of the file, without `.toml`: unique in its study.
    pub id: String,
    /// The file.
    pub path: PathBuf,
    /// What is in it.
    pub config: TrialConfig,
}

impl Trial {
    /// Reads a trial file.
    ///
    /// # Errors
    /// Bad input: no such file, an unknown key (with its line), a value out of range.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let config = TrialConfig::read(Some(path))?;
        let path = path.canonicalize()?;
        let name = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { study: name(path.parent().and_then(Path::file_name)), id: name(path.file_stem()), path, config })
    }
}
