//! The formats, and how they are told apart.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use models::LabelSet;

use super::fer2013::Fer2013;
use super::ferplus::FerPlus;
use super::walk::{Part, name_of, parts, sub_folders};
use super::{DataOptions, Reader, affectnet, affwild2, ck_plus, folder, metadata, prepared, raf_db};
use crate::failure::bad_input;

/// What a data set is kept as.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// fer2013.csv or fer2013.csv.gz, as Kaggle gives it out, or a folder with it.
    Fer2013,
    /// Folders named after expressions, also in parts `train/` and `test/`.
    Folder,
    /// CK+: `cohn-kanade-images/` and `Emotion/`, or folders of 48-px faces `S010_004_00000017.png`.
    CkPlus,
    /// RAF-DB: `list_patition_label.txt` with the aligned faces, or `DATASET/train/1` to `7`.
    RafDb,
    /// AffectNet: folders `0` to `7`, or `images/` with `annotations/*_exp.npy`.
    Affectnet,
    /// Aff-Wild2: annotations with a line a frame, and `cropped_aligned/<video>/00001.jpg`.
    AffWild2,
    /// What `mien-trainer prepare` wrote.
    Prepared,
}

/// Whose labels count.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Labels {
    /// The data set's own.
    #[default]
    Own,
    /// FER+: the votes of ten people a face in fer2013new.csv beside fer2013.csv, eight classes.
    #[value(name = "fer+")]
    FerPlus,
    /// FER+ without contempt: FER-2013's seven classes.
    #[value(name = "fer+7")]
    FerPlus7,
}

impl Labels {
    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Labels::Own => "own",
            Labels::FerPlus => "fer+",
            Labels::FerPlus7 => "fer+7",
        }
    }

    /// The classes of FER+ votes; None for the data set's own labels.
    fn classes(self) -> Option<LabelSet> {
        match self {
            Labels::Own => None,
            Labels::FerPlus => Some(LabelSet::ferplus()),
            Labels::FerPlus7 => Some(LabelSet::fer2013()),
        }
    }
}

impl Format {
    /// Opens data of this format.
    ///
    /// # Errors
    /// Bad input: the data is not of this format, or FER+ labels are asked for where there are none.
    pub fn open(self, path: &Path, options: &DataOptions) -> anyhow::Result<Box<dyn Reader>> {
        if self == Format::Fer2013
            && let Some(csv) = fer2013_csv(path)?
        {
            return Ok(match options.labels.classes() {
                Some(classes) => Box::new(FerPlus::open(&csv, classes, options.votes)?),
                None => Box::new(Fer2013::open(&csv)?),
            });
        }
        if options.labels != Labels::Own {
            let what = "FER+ labels belong to fer2013.csv; give that file, or leave --labels out";
            return Err(bad_input(format!("{}: {what}", path.display())));
        }
        if !metadata(path)?.is_dir() {
            return Err(bad_input(format!("{}: is a file, but this format is a folder", path.display())));
        }
        Ok(match self {
            Format::Fer2013 | Format::Folder => Box::new(folder::open(path)?),
            Format::CkPlus => ck_plus::open(path)?,
            Format::RafDb => raf_db::open(path)?,
            Format::Affectnet => affectnet::open(path)?,
            Format::AffWild2 => Box::new(affwild2::AffWild2::open(path)?),
            Format::Prepared => Box::new(prepared::Prepared::open(path)?),
        })
    }
}

/// The file itself, or the one that lies in the folder.
fn fer2013_csv(path: &Path) -> anyhow::Result<Option<PathBuf>> {
    if !metadata(path)?.is_dir() {
        return Ok(Some(path.to_path_buf()));
    }
    Ok(["fer2013.csv", "fer2013.csv.gz"].map(|name| path.join(name)).into_iter().find(|file| file.is_file()))
}

/// Tells the format by what is there.
///
/// # Errors
/// Bad input: nothing is there, or it cannot be read.
pub fn detect(path: &Path) -> anyhow::Result<Format> {
    if fer2013_csv(path)?.is_some() {
        return Ok(Format::Fer2013);
    }
    let has = |name: &str| path.join(name).exists();
    if has(prepared::INDEX) {
        return Ok(Format::Prepared);
    }
    if has(affwild2::FRAMES) {
        return Ok(Format::AffWild2);
    }
    if has(ck_plus::FRAMES) || ck_plus::has_its_names(path)? {
        return Ok(Format::CkPlus);
    }
    if raf_db::find_list(path).is_some() || has(raf_db::KAGGLE) {
        return Ok(Format::RafDb);
    }
    let folders = sub_folders(path)?;
    if folders.iter().any(|part| Part::of(&name_of(part)).is_some() && affectnet::has_annotations(part)) {
        return Ok(Format::Affectnet);
    }
    let mut names = Vec::new();
    for (_, part) in parts(path)? {
        names.extend(sub_folders(&part)?.iter().map(|folder| name_of(folder)));
    }
    // Both number their folders; only AffectNet begins at 0.
    let all_numbers = !names.is_empty() && names.iter().all(|name| name.parse::<u32>().is_ok());
    Ok(match all_numbers {
        true if names.iter().any(|name| name == "0") => Format::Affectnet,
        true => Format::RafDb,
        false => Format::Folder,
    })
}
