//! RAF-DB (Li, Deng and Du 2017), the basic expressions: its own layout, `EmoLabel/list_patition_label.txt` with
//! `Image/aligned/train_00001_aligned.jpg`, and Kaggle's, `DATASET/train/1/...`.

use std::path::{Path, PathBuf};

use models::{Expression, LabelSet};

use super::lines::{Line, Lines, shown};
use super::walk::{LabelFolders, no_subject};
use super::{Entry, Fault, Picture, Reader};
use crate::failure::bad_input;
use crate::sample::Usage;

/// The folder of Kaggle's layout.
pub const KAGGLE: &str = "DATASET";
/// The data set's own list; the name is misspelt there.
const LIST: &str = "list_patition_label.txt";

/// RAF-DB's numbers.
fn by_number(name: &str) -> Option<Expression> {
    Some(match name {
        "1" => Expression::Surprise,
        "2" => Expression::Fear,
        "3" => Expression::Disgust,
        "4" => Expression::Happy,
        "5" => Expression::Sad,
        "6" => Expression::Angry,
        "7" => Expression::Neutral,
        _ => return None,
    })
}

/// Where the list of labels lies in a copy of the data set.
pub fn find_list(root: &Path) -> Option<PathBuf> {
    ["", "EmoLabel", "basic/EmoLabel"]
        .map(|folder| root.join(folder).join(LIST))
        .into_iter()
        .find(|list| list.is_file())
}

/// Opens either layout.
///
/// # Errors
/// Bad input: neither is there, or it is not whole.
pub fn open(root: &Path) -> anyhow::Result<Box<dyn Reader>> {
    if let Some(list) = find_list(root) {
        return Ok(Box::new(Listed::open(root, &list)?));
    }
    let kaggle = root.join(KAGGLE);
    let root = if kaggle.is_dir() { &kaggle } else { root };
    Ok(Box::new(LabelFolders::open(root, by_number, no_subject)?))
}

/// The pictures of the list, in its order.
struct Listed {
    lines: Lines,
    pictures: PathBuf,
    labels: LabelSet,
}

impl Listed {
    fn open(root: &Path, list: &Path) -> anyhow::Result<Self> {
        let base = if list.starts_with(root.join("basic")) { root.join("basic") } else { root.to_path_buf() };
        let folders = ["Image/aligned", "aligned", "Image/original"].map(|name| base.join(name));
        let pictures = folders.into_iter().find(|folder| folder.is_dir()).ok_or_else(|| {
            let what = "there is a list of labels, but no folder Image/aligned or aligned with the pictures";
            bad_input(format!("{}: {what}", root.display()))
        })?;
        Ok(Self { lines: Lines::open(list)?, pictures, labels: LabelSet::fer2013() })
    }

    fn entry(&self, line: &Line) -> Result<Entry, String> {
        let (name, label) = parse(&line.text)?;
        let usage = match name.split('_').next() {
            Some("train") => Usage::Training,
            Some("test") => Usage::PublicTest,
            _ => return Err(format!("`{name}` is neither train_... nor test_...")),
        };
        let label = self.labels.index_of(label).ok_or("unknown label")?;
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "jpg"));
        let aligned = self.pictures.join(format!("{stem}_aligned.{extension}"));
        let path = if aligned.is_file() { aligned } else { self.pictures.join(name) };
        let picture = Picture::File(path);
        Ok(Entry { row: line.number, place: name.to_owned(), usage, label, soft: None, subject: None, picture })
    }
}

/// `train_00001.jpg 5`
fn parse(line: &[u8]) -> Result<(&str, Expression), String> {
    let line = line.trim_ascii();
    let text = std::str::from_utf8(line).map_err(|_| format!("`{}` is no text", shown(line)))?;
    let mut words = text.split_ascii_whitespace();
    match (words.next(), words.next().and_then(by_number), words.next()) {
        (Some(name), Some(label), None) if !name.contains('/') => Ok((name, label)),
        _ => Err(format!("`{}` is not the name of a picture and a label of 1 to 7", shown(line))),
    }
}

impl Iterator for Listed {
    type Item = Result<Entry, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = match self.lines.next_line() {
            Ok(line) => line?,
            Err(fault) => return Some(Err(fault)),
        };
        Some(self.entry(&line).map_err(|what| Fault::One(self.lines.error(line.number, &what))))
    }
}

impl Reader for Listed {
    fn labels(&self) -> &LabelSet {
        &self.labels
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reader::testing::{picture, summary, text};
    use crate::reader::{DataOptions, read};

    #[test]
    fn its_own_layout() {
        let root = tempfile::tempdir().unwrap();
        text(
            root.path(),
            "EmoLabel/list_patition_label.txt",
            "train_00001.jpg 5\ntrain_00002.jpg 4\ntest_0001.jpg 1\n",
        );
        for name in ["train_00001", "train_00002", "test_0001"] {
            picture(root.path(), &format!("Image/aligned/{name}_aligned.jpg"), 100, 80);
        }
        let expected = [
            "train_00001.jpg sad training -",
            "train_00002.jpg happy training -",
            "test_0001.jpg surprise public-test -",
        ];
        assert_eq!(summary(root.path()), expected);
        assert_eq!(read(root.path(), &DataOptions::default()).unwrap().side, 100);
        text(root.path(), "EmoLabel/list_patition_label.txt", "train_00001.jpg 5\ntrain_00002.jpg 8\n");
        let error = read(root.path(), &DataOptions::default()).unwrap_err().to_string();
        assert!(error.contains("label.txt, line 2: `train_00002.jpg 8` is not"), "{error}");
    }

    #[test]
    fn kaggles_layout() {
        let root = tempfile::tempdir().unwrap();
        for name in ["train/1/a.jpg", "train/7/b.jpg", "test/4/c.jpg"] {
            picture(root.path(), &format!("DATASET/{name}"), 10, 80);
        }
        text(root.path(), "train_labels.csv", "image,label\n");
        let expected = [
            "train/1/a.jpg surprise training -",
            "train/7/b.jpg neutral training -",
            "test/4/c.jpg happy public-test -",
        ];
        assert_eq!(summary(root.path()), expected);
        assert_eq!(summary(&root.path().join("DATASET")), expected);
    }

    proptest! {
        #[test]
        fn any_line_is_a_picture_or_a_fault(line in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok((name, _)) = parse(&line) {
                prop_assert!(!name.is_empty() && !name.contains('/'));
            }
        }
    }
}
