//! Reads labelled faces, whatever they are kept in. One file a format, all behind [`Reader`], which gives one picture
//! after another and never holds a data set whole; [`read`] collects what fits into memory.

mod affectnet;
mod affwild2;
mod ck_plus;
mod collect;
mod entry;
mod fer2013;
mod ferplus;
mod folder;
mod format;
mod lines;
mod npy;
mod prepared;
mod raf_db;
mod tolerance;
mod vote_file;
mod votes;
mod walk;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use clap::Args;
use models::LabelSet;

use crate::failure::bad_input;
use crate::sample::DataSet;

pub use self::entry::{Entry, Picture, decode};
pub use self::format::{Format, Labels};
pub use self::tolerance::Tolerance;
pub use self::vote_file::VoteFile;
pub use self::votes::VoteMode;
pub use self::walk::file_names;

/// A data set that is read one picture after another, always in the same order.
pub trait Reader: Iterator<Item = Result<Entry, Fault>> + Send {
    /// What the labels of the entries mean.
    fn labels(&self) -> &LabelSet;

    /// Width and height of every picture, px, where the format says so.
    fn side(&self) -> Option<usize> {
        None
    }

    /// Pictures passed over so far because the data set itself says that they are of no use, by what it says.
    fn left_out(&self) -> BTreeMap<&'static str, u64> {
        BTreeMap::new()
    }

    /// SHA-256 of a data set that is one file, in lower-case hexadecimal; known once the last entry was given.
    fn file_sha256(&self) -> Option<String> {
        None
    }
}

/// Why a reader gave no entry.
#[derive(Debug)]
pub enum Fault {
    /// One picture, line or shard is bad; the reader goes on behind it.
    One(anyhow::Error),
    /// The data set as a whole is not what it should be; nothing comes after it.
    All(anyhow::Error),
}

impl Fault {
    /// The error in it.
    pub fn into_error(self) -> anyhow::Error {
        match self {
            Fault::One(error) | Fault::All(error) => error,
        }
    }
}

/// How a data set is to be read.
#[derive(Args, Clone, Debug, Default)]
pub struct DataOptions {
    /// How the data is kept [default: told by what is there].
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Whose labels count: the data's own, or those of the FER+ votes beside FER-2013.
    #[arg(long, value_enum, value_name = "LABELS", default_value_t)]
    pub labels: Labels,
    /// What FER+ votes become.
    #[arg(long, value_enum, value_name = "MODE", default_value_t)]
    pub votes: VoteMode,
    /// How many bad pictures, lines and shards may be passed over; each is named.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub max_bad: u64,
}

/// Opens the data at `path`.
///
/// # Errors
/// Bad input: nothing there, no known format, or one that does not hold.
pub fn open(path: &Path, options: &DataOptions) -> anyhow::Result<Box<dyn Reader>> {
    let format = match options.format {
        Some(format) => format,
        None => format::detect(path)?,
    };
    format.open(path, options)
}

/// Reads a whole data set of square pictures of one size into memory: a byte a pixel.
///
/// # Errors
/// Input that is not whole and well-formed but for `options.max_bad` pictures is refused as a whole: the error names
/// the file, the line or picture, and the cure, and is a [`crate::failure::BadInput`].
pub fn read(path: &Path, options: &DataOptions) -> anyhow::Result<DataSet> {
    let mut reader = open(path, options)?;
    let draws_labels = options.votes == VoteMode::Probability;
    Ok(DataSet { draws_labels, ..collect::collect(path, reader.as_mut(), options.max_bad)? })
}

/// The metadata of a path of the user's.
fn metadata(path: &Path) -> anyhow::Result<fs::Metadata> {
    fs::metadata(path).map_err(|error| unreadable(path, &error))
}

/// A path of the user's that cannot be read is bad input, with the cure for the two usual reasons.
pub fn unreadable(path: &Path, error: &io::Error) -> anyhow::Error {
    let cure = match error.kind() {
        ErrorKind::NotFound => "; check the path of the data",
        ErrorKind::PermissionDenied => "; check its permissions",
        _ => "",
    };
    bad_input(format!("cannot read {}: {error}{cure}", path.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing {
    //! Small made data sets for the tests of the formats.

    use super::*;

    /// Writes a square picture of one shade; the name says the format.
    pub fn picture(root: &Path, name: &str, side: u32, value: u8) {
        let file = root.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        image::GrayImage::from_pixel(side, side, image::Luma([value])).save(file).unwrap();
    }

    /// Writes a text file.
    pub fn text(root: &Path, name: &str, text: &str) {
        let file = root.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Place, label, usage and subject of every entry of the data, whose format must be told by what is there.
    pub fn summary(root: &Path) -> Vec<String> {
        summary_with(root, &DataOptions::default())
    }

    /// The same with options.
    pub fn summary_with(root: &Path, options: &DataOptions) -> Vec<String> {
        let reader = open(root, options).unwrap();
        let labels = reader.labels().clone();
        reader
            .map(|entry| {
                let entry = entry.map_err(Fault::into_error).unwrap();
                let label = labels.get(entry.label).unwrap().name();
                let subject = entry.subject.as_deref().unwrap_or("-");
                format!("{} {label} {} {subject}", entry.place, entry.usage.name())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::is_bad_input;

    #[test]
    fn a_missing_file_is_bad_input() {
        let error = read(Path::new("/nonexistent/fer2013.csv"), &DataOptions::default()).err();
        assert!(error.as_ref().is_some_and(is_bad_input));
        assert!(error.is_some_and(|error| error.to_string().contains("check the path")));
    }
}
