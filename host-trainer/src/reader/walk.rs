//! Folders of pictures named after labels, walked one folder at a time: only one folder's names are ever held.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::vec;

use models::{Expression, LabelSet};

use super::{Entry, Fault, Picture, Reader, unreadable};
use crate::failure::bad_input;
use crate::sample::Usage;

/// What the name of a folder means in a data set; None if nothing.
pub type Dialect = fn(&str) -> Option<Expression>;

/// The subject that the name of a picture tells.
pub type SubjectOf = fn(&str) -> Option<Arc<str>>;

/// Expressions by their names in any of the data sets.
pub fn by_name(name: &str) -> Option<Expression> {
    name.parse().ok()
}

/// No subject is known.
pub fn no_subject(_: &str) -> Option<Arc<str>> {
    None
}

/// The visible sub-folders of a folder in order of their names.
///
/// # Errors
/// Bad input: the folder cannot be read.
pub fn sub_folders(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let names = names(folder, |kind| kind.is_dir() || kind.is_symlink())?;
    Ok(names.into_iter().map(|name| folder.join(name)).filter(|path| path.is_dir()).collect())
}

/// The names of all that is visible in a folder and no folder itself, sorted.
///
/// # Errors
/// Bad input: the folder cannot be read.
pub fn file_names(folder: &Path) -> anyhow::Result<Vec<OsString>> {
    names(folder, |kind| !kind.is_dir())
}

fn names(folder: &Path, wanted: fn(&fs::FileType) -> bool) -> anyhow::Result<Vec<OsString>> {
    let refuse = |error| unreadable(folder, &error);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(refuse)? {
        let entry = entry.map_err(refuse)?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !is_hidden && wanted(&entry.file_type().map_err(refuse)?) {
            names.push(entry.file_name());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The name of a file or folder, readable whatever its bytes are.
pub fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The parts that `root` is divided into by its sub-folders (`train`, `val_set`, `test`, ...); without such sub-folders
/// it is all training.
///
/// # Errors
/// Bad input: a folder that cannot be read, or parts beside other folders.
pub fn parts(root: &Path) -> anyhow::Result<Vec<(Usage, PathBuf)>> {
    let folders = sub_folders(root)?;
    let kinds: Vec<_> = folders.iter().map(|folder| Part::of(&name_of(folder))).collect();
    if kinds.iter().all(Option::is_none) {
        return Ok(vec![(Usage::Training, root.to_path_buf())]);
    }
    let has_validation = kinds.contains(&Some(Part::Validation));
    kinds
        .iter()
        .zip(folders)
        .map(|(kind, folder)| match kind {
            Some(kind) => Ok((kind.usage(has_validation), folder)),
            None => {
                let what = "stands beside parts like train and test, but is none; move it away";
                Err(bad_input(format!("{}: {what}", folder.display())))
            }
        })
        .collect()
}

/// A part of a data set by the name of its folder.
#[derive(Copy, Clone, PartialEq)]
pub enum Part {
    Training,
    Validation,
    Test,
}

impl Part {
    /// None if the name is not that of a part.
    pub fn of(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let name = name.strip_suffix("_set").or_else(|| name.strip_suffix("set")).unwrap_or(&name);
        match name.trim_end_matches(['_', '-', ' ']) {
            "train" | "training" => Some(Part::Training),
            "val" | "valid" | "validation" | "publictest" => Some(Part::Validation),
            "test" | "testing" | "privatetest" => Some(Part::Test),
            _ => None,
        }
    }

    /// What the part is used for; see [`Usage`].
    pub fn usage(self, has_validation: bool) -> Usage {
        match self {
            Part::Training => Usage::Training,
            Part::Validation => Usage::PublicTest,
            Part::Test if has_validation => Usage::PrivateTest,
            Part::Test => Usage::PublicTest,
        }
    }
}

/// The pictures of folders named after labels.
pub struct LabelFolders {
    root: PathBuf,
    labels: LabelSet,
    folders: vec::IntoIter<LabelFolder>,
    current: Option<(LabelFolder, vec::IntoIter<OsString>)>,
    subject_of: SubjectOf,
    row: u64,
}

/// A folder whose pictures all have one label.
#[derive(Clone)]
struct LabelFolder {
    path: PathBuf,
    usage: Usage,
    label: usize,
}

impl LabelFolders {
    /// Finds the folders `<label>/` or `<part>/<label>/` in `root`. The labels are those that occur.
    ///
    /// # Errors
    /// Bad input: a folder that means nothing or the same as another, fewer than two labels.
    pub fn open(root: &Path, meaning: Dialect, subject_of: SubjectOf) -> anyhow::Result<Self> {
        let mut folders: BTreeMap<(Usage, Expression), PathBuf> = BTreeMap::new();
        for (usage, part) in parts(root)? {
            for folder in sub_folders(&part)? {
                let expression = meaning(&name_of(&folder)).ok_or_else(|| unknown(&folder))?;
                if let Some(other) = folders.insert((usage, expression), folder.clone()) {
                    let message = format!("{} and {} mean the same; join them", other.display(), folder.display());
                    return Err(bad_input(message));
                }
            }
        }
        let mut found: Vec<Expression> = folders.keys().map(|(_, expression)| *expression).collect();
        found.sort_unstable();
        found.dedup();
        let labels = LabelSet::new(found).map_err(|error| {
            bad_input(format!("{}: {error}; a folder of faces has a sub-folder for each expression", root.display()))
        })?;
        let folders: Vec<LabelFolder> = folders
            .into_iter()
            .filter_map(|((usage, expression), path)| {
                Some(LabelFolder { path, usage, label: labels.index_of(expression)? })
            })
            .collect();
        let folders = folders.into_iter();
        Ok(Self { root: root.to_path_buf(), labels, folders, current: None, subject_of, row: 0 })
    }
}

fn unknown(folder: &Path) -> anyhow::Error {
    bad_input(format!(
        "{}: `{}` is no expression; name the folders angry, disgust, fear, ..., or say which data set it is with --format",
        folder.display(),
        name_of(folder)
    ))
}

impl Iterator for LabelFolders {
    type Item = Result<Entry, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((folder, names)) = &mut self.current
                && let Some(name) = names.next()
            {
                self.row += 1;
                let path = folder.path.join(&name);
                let place = path.strip_prefix(&self.root).unwrap_or(&path).display().to_string();
                return Some(Ok(Entry {
                    row: self.row,
                    place,
                    usage: folder.usage,
                    label: folder.label,
                    soft: None,
                    subject: (self.subject_of)(&name.to_string_lossy()),
                    picture: Picture::File(path),
                }));
            }
            let folder = self.folders.next()?;
            match file_names(&folder.path) {
                Ok(names) => self.current = Some((folder, names.into_iter())),
                Err(error) => return Some(Err(Fault::All(error))),
            }
        }
    }
}

impl Reader for LabelFolders {
    fn labels(&self) -> &LabelSet {
        &self.labels
    }
}
