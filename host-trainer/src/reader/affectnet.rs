//! AffectNet (Mollahosseini, Hasani and Mahoor 2017): folders `0` to `7`, also in parts `train_set/` and `val_set/`, and
//! the layout it is given out in, `train_set/images/17.jpg` with `train_set/annotations/17_exp.npy`.
//!
//! Left out are faces labelled none, uncertain or no face (8 to 10); valence, arousal and landmarks are not read, and
//! neither are the lists of its first version (`training.csv`).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::vec;

use models::{Expression, LabelSet};

use super::walk::{LabelFolders, file_names, name_of, no_subject, parts};
use super::{Entry, Fault, Picture, Reader, npy, unreadable};
use crate::failure::bad_input;
use crate::sample::Usage;

const IMAGES: &str = "images";
const ANNOTATIONS: &str = "annotations";
/// What the data set calls its labels from 8 on.
const LEFT_OUT: [&str; 3] = ["none", "uncertain", "no face"];

/// AffectNet's numbers.
const ORDER: [Expression; 8] = [
    Expression::Neutral,
    Expression::Happy,
    Expression::Sad,
    Expression::Surprise,
    Expression::Fear,
    Expression::Disgust,
    Expression::Angry,
    Expression::Contempt,
];

fn by_number(name: &str) -> Option<Expression> {
    ORDER.get(name.parse::<usize>().ok()?).copied()
}

/// Whether a part is kept as images with annotations.
pub fn has_annotations(part: &Path) -> bool {
    part.join(IMAGES).is_dir() && part.join(ANNOTATIONS).is_dir()
}

/// Opens either layout.
///
/// # Errors
/// Bad input: neither is there.
pub fn open(root: &Path) -> anyhow::Result<Box<dyn Reader>> {
    let parts = parts(root)?;
    if !parts.iter().any(|(_, part)| has_annotations(part)) {
        return Ok(Box::new(LabelFolders::open(root, by_number, no_subject)?));
    }
    let labels = LabelSet::new(ORDER.to_vec())?;
    let parts = parts.into_iter();
    Ok(Box::new(Annotated { labels, parts, current: None, row: 0, left_out: BTreeMap::new() }))
}

/// Images with annotations.
struct Annotated {
    labels: LabelSet,
    parts: vec::IntoIter<(Usage, PathBuf)>,
    current: Option<(Usage, PathBuf, vec::IntoIter<OsString>)>,
    row: u64,
    left_out: BTreeMap<&'static str, u64>,
}

impl Annotated {
    /// The entry of one picture; None if it is left out.
    fn entry(&mut self, usage: Usage, part: &Path, name: &OsString) -> anyhow::Result<Option<Entry>> {
        let path = part.join(IMAGES).join(name);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let annotation = part.join(ANNOTATIONS).join(format!("{stem}_exp.npy"));
        let bytes = fs::read(&annotation).map_err(|error| unreadable(&annotation, &error))?;
        let number = npy::number(&bytes).map_err(|what| bad_input(format!("{}: {what}", annotation.display())))?;
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(name) = number.checked_sub(ORDER.len()).and_then(|index| LEFT_OUT.get(index)) {
            *self.left_out.entry(name).or_default() += 1;
            return Ok(None);
        }
        if number >= ORDER.len() {
            return Err(bad_input(format!("{}: the label is not one of 0 to 10", annotation.display())));
        }
        Ok(Some(Entry {
            row: self.row,
            place: format!("{}/{IMAGES}/{}", name_of(part), name_of(&path)),
            usage,
            label: number,
            soft: None,
            subject: None,
            picture: Picture::File(path),
        }))
    }
}

impl Iterator for Annotated {
    type Item = Result<Entry, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((usage, part, names)) = &mut self.current
                && let Some(name) = names.next()
            {
                let (usage, part) = (*usage, part.clone());
                self.row += 1;
                match self.entry(usage, &part, &name) {
                    Ok(Some(entry)) => return Some(Ok(entry)),
                    Ok(None) => continue,
                    Err(error) => return Some(Err(Fault::One(error))),
                }
            }
            let (usage, part) = self.parts.next()?;
            match file_names(&part.join(IMAGES)) {
                Ok(names) => self.current = Some((usage, part, names.into_iter())),
                Err(error) => return Some(Err(Fault::All(error))),
            }
        }
    }
}

impl Reader for Annotated {
    fn labels(&self) -> &LabelSet {
        &self.labels
    }

    fn left_out(&self) -> BTreeMap<&'static str, u64> {
        self.left_out.clone()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::npy::tests::npy;
    use super::*;
    use crate::reader::testing::{picture, summary};
    use crate::reader::{DataOptions, read};

    #[test]
    fn numbered_folders() {
        let root = tempfile::tempdir().unwrap();
        for name in ["train_set/0/a.jpg", "train_set/7/b.jpg", "val_set/6/c.jpg"] {
            picture(root.path(), name, 10, 80);
        }
        let expected = [
            "train_set/0/a.jpg neutral training -",
            "train_set/7/b.jpg contempt training -",
            "val_set/6/c.jpg angry public-test -",
        ];
        assert_eq!(summary(root.path()), expected);
    }

    #[test]
    fn images_with_annotations() {
        let root = tempfile::tempdir().unwrap();
        for (name, label) in [("1", b'1'), ("2", b'8'), ("3", b'4')] {
            picture(root.path(), &format!("train_set/images/{name}.jpg"), 10, 80);
            let folder = root.path().join("train_set/annotations");
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("{name}_exp.npy")), npy("<U1", &[label, 0, 0, 0])).unwrap();
        }
        let expected = ["train_set/images/1.jpg happy training -", "train_set/images/3.jpg fear training -"];
        assert_eq!(summary(root.path()), expected);
        let mut reader = open(root.path()).unwrap();
        assert_eq!(reader.by_ref().count(), 2);
        assert_eq!(reader.left_out(), BTreeMap::from([("none", 1)]));
        fs::write(root.path().join("train_set/annotations/3_exp.npy"), b"4").unwrap();
        let error = read(root.path(), &DataOptions::default()).unwrap_err().to_string();
        assert!(error.contains("3_exp.npy: it is no .npy file"), "{error}");
    }
}
