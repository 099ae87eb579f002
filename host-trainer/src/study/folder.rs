//! Finds the trials of a study.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::PUBLISHED;
use super::published::Published;
use super::trial::Trial;
use crate::detector::TRIALS;
use crate::failure::bad_input;

/// All trial files of one folder.
pub struct Study {
    /// Name of the folder.
    pub name: String,
    /// In order of their names; at least one.
    pub trials: Vec<Trial>,
    /// What others reached, where the folder says so.
    pub published: Option<Published>,
}

impl Study {
    /// Reads every trial file of a folder, and the published figures where there are some. Folders in it are other studies.
    ///
    /// # Errors
    /// Bad input: no such folder, none with trials, a file that does not hold.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let trials = trial_files(folder)?.iter().map(|path| Trial::open(path)).collect::<anyhow::Result<Vec<_>>>()?;
        let Some(first) = trials.first() else {
            let cure = "a trial is a file NAME.toml; `mien-trainer trial list` shows those that come with Mien";
            return Err(bad_input(format!("{}: no trials in this folder\n  {cure}", folder.display())));
        };
        let published = folder.join(PUBLISHED);
        let published = published.exists().then(|| Published::read(&published, &trials)).transpose()?;
        Ok(Self { name: first.study.clone(), trials, published })
    }

    /// The places of the trials that the one at `place` learns from.
    pub fn teachers(&self, place: usize) -> Vec<usize> {
        let names = self.trials[place].config.distil.as_ref().map_or(&[][..], |distil| &distil.trials);
        (0..self.trials.len()).filter(|&other| names.contains(&self.trials[other].id)).collect()
    }
}

/// The trial files right in a folder, in order of their names.
///
/// # Errors
/// Bad input: no such folder.
pub fn trial_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = entries(folder)?;
    let is_other = |path: &Path| path.ends_with(PUBLISHED) || TRIALS.iter().any(|name| path.ends_with(name));
    files.retain(|path| path.is_file() && path.extension() == Some(OsStr::new("toml")) && !is_other(path));
    Ok(files)
}

/// The folders right in a folder, in order of their names.
///
/// # Errors
/// Bad input: no such folder.
pub fn sub_folders(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut folders = entries(folder)?;
    folders.retain(|path| path.is_dir());
    Ok(folders)
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut entries = read().map_err(|error| {
        bad_input(format!("cannot read the folder {}: {error}\n  name a folder with trial files", folder.display()))
    })?;
    entries.sort();
    Ok(entries)
}
