//! CK+ (Lucey et al. 2010): `cohn-kanade-images/S010/004/S010_004_00000017.png` with
//! `Emotion/S010/004/S010_004_00000017_emotion.txt`, and the folders of 48-px faces that are given out on Kaggle.
//!
//! A sequence goes from no expression to its peak. Of every labelled sequence the last three frames have its label, as
//! is common, and the first one is neutral; sequences without a label are left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::vec;

use models::{Expression, LabelSet};

use super::walk::{LabelFolders, by_name, file_names, name_of, sub_folders};
use super::{Entry, Fault, Picture, Reader, unreadable};
use crate::failure::bad_input;
use crate::sample::Usage;

/// The folder of the sequences.
pub const FRAMES: &str = "cohn-kanade-images";
const EMOTIONS: &str = "Emotion";
/// Frames at the end of a sequence that show its expression.
const PEAK_FRAMES: usize = 3;

/// CK+'s numbers.
const ORDER: [Expression; 8] = [
    Expression::Neutral,
    Expression::Angry,
    Expression::Contempt,
    Expression::Disgust,
    Expression::Fear,
    Expression::Happy,
    Expression::Sad,
    Expression::Surprise,
];

/// `S010` of `S010_004_00000017.png`.
fn subject(name: &str) -> Option<Arc<str>> {
    let mut pieces = name.split('.').next()?.split('_');
    let (subject, sequence, frame) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let is_number = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(subject.strip_prefix('S')?, 3) && is_number(sequence, 3) && is_number(frame, 8)).then(|| subject.into())
}

/// Whether the first picture in folders of labels is named as CK+ names its frames.
///
/// # Errors
/// Bad input: a folder that cannot be read.
pub fn has_its_names(root: &Path) -> anyhow::Result<bool> {
    let Some(first) = sub_folders(root)?.into_iter().find(|folder| by_name(&name_of(folder)).is_some()) else {
        return Ok(false);
    };
    Ok(file_names(&first)?.first().is_some_and(|name| subject(&name.to_string_lossy()).is_some()))
}

/// Opens either layout.
///
/// # Errors
/// Bad input: neither is there.
pub fn open(root: &Path) -> anyhow::Result<Box<dyn Reader>> {
    let (frames, emotions) = (root.join(FRAMES), root.join(EMOTIONS));
    if !frames.is_dir() {
        return Ok(Box::new(LabelFolders::open(root, by_name, subject)?));
    }
    if !emotions.is_dir() {
        let what = "the labels of CK+ are not there: give the folder Emotion beside cohn-kanade-images";
        return Err(bad_input(format!("{}: {what}", emotions.display())));
    }
    let mut sequences = Vec::new();
    for subject in sub_folders(&frames)? {
        sequences.extend(sub_folders(&subject)?);
    }
    Ok(Box::new(Sequences {
        frames,
        emotions,
        labels: LabelSet::new(ORDER.to_vec())?,
        sequences: sequences.into_iter(),
        entries: Vec::new().into_iter(),
        row: 0,
        unlabelled: 0,
    }))
}

/// The frames of the labelled sequences.
struct Sequences {
    frames: PathBuf,
    emotions: PathBuf,
    labels: LabelSet,
    sequences: vec::IntoIter<PathBuf>,
    entries: vec::IntoIter<Entry>,
    row: u64,
    unlabelled: u64,
}

impl Sequences {
    /// The entries of one sequence; none if it has no label.
    fn entries_of(&mut self, sequence: &Path) -> anyhow::Result<Vec<Entry>> {
        let below = sequence.strip_prefix(&self.frames).unwrap_or(sequence);
        let Some(label) = label(&self.emotions.join(below))? else {
            self.unlabelled += 1;
            return Ok(Vec::new());
        };
        let mut names = file_names(sequence)?;
        names.retain(|name| subject(&name.to_string_lossy()).is_some());
        let peak = names.len().saturating_sub(PEAK_FRAMES).max(1);
        let chosen = names.iter().enumerate().filter(|(index, _)| *index == 0 || *index >= peak);
        Ok(chosen
            .map(|(index, name)| {
                self.row += 1;
                Entry {
                    row: self.row,
                    place: below.join(name).display().to_string(),
                    usage: Usage::Training,
                    label: if index == 0 { 0 } else { label },
                    soft: None,
                    subject: subject(&name.to_string_lossy()),
                    picture: Picture::File(sequence.join(name)),
                }
            })
            .collect())
    }
}

/// The label in a sequence's folder of the labels; None if there is none.
fn label(folder: &Path) -> anyhow::Result<Option<usize>> {
    if !folder.is_dir() {
        return Ok(None);
    }
    let Some(name) = file_names(folder)?.into_iter().find(|name| name.to_string_lossy().ends_with("_emotion.txt"))
    else {
        return Ok(None);
    };
    let file = folder.join(name);
    let text = fs::read(&file).map_err(|error| unreadable(&file, &error))?;
    parse_label(&text).map(Some).ok_or_else(|| bad_input(format!("{}: it holds no label of 0 to 7", file.display())))
}

/// `   3.0000000e+00`
fn parse_label(text: &[u8]) -> Option<usize> {
    let number: f64 = std::str::from_utf8(text).ok()?.trim().parse().ok()?;
    (0..ORDER.len()).find(|&label| label as f64 == number)
}

impl Iterator for Sequences {
    type Item = Result<Entry, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.entries.next() {
                return Some(Ok(entry));
            }
            let sequence = self.sequences.next()?;
            match self.entries_of(&sequence) {
                Ok(entries) => self.entries = entries.into_iter(),
                Err(error) => return Some(Err(Fault::One(error))),
            }
        }
    }
}

impl Reader for Sequences {
    fn labels(&self) -> &LabelSet {
        &self.labels
    }

    fn left_out(&self) -> BTreeMap<&'static str, u64> {
        BTreeMap::from([("sequence without a label", self.unlabelled)])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reader::testing::{picture, summary, text};

    #[test]
    fn sequences_give_their_peak_and_a_neutral_face() {
        let root = tempfile::tempdir().unwrap();
        for frame in 1..=5 {
            picture(root.path(), &format!("{FRAMES}/S010/004/S010_004_0000000{frame}.png"), 12, 80);
            picture(root.path(), &format!("{FRAMES}/S011/001/S011_001_0000000{frame}.png"), 12, 80);
        }
        text(root.path(), "Emotion/S010/004/S010_004_00000005_emotion.txt", "   7.0000000e+00\n");
        let expected = [
            "S010/004/S010_004_00000001.png neutral training S010",
            "S010/004/S010_004_00000003.png surprise training S010",
            "S010/004/S010_004_00000004.png surprise training S010",
            "S010/004/S010_004_00000005.png surprise training S010",
        ];
        assert_eq!(summary(root.path()), expected);
        text(root.path(), "Emotion/S011/001/S011_001_00000005_emotion.txt", "9");
        let fault = open(root.path()).unwrap().find_map(Result::err).unwrap().into_error().to_string();
        assert!(fault.contains("S011_001_00000005_emotion.txt: it holds no label"), "{fault}");
    }

    #[test]
    fn folders_of_small_faces_tell_their_subjects() {
        let root = tempfile::tempdir().unwrap();
        picture(root.path(), "contempt/S138_008_00000007.png", 48, 80);
        picture(root.path(), "sadness/S130_009_00000017.png", 48, 80);
        let expected = [
            "sadness/S130_009_00000017.png sad training S130",
            "contempt/S138_008_00000007.png contempt training S138",
        ];
        assert_eq!(summary(root.path()), expected);
    }

    proptest! {
        #[test]
        fn any_text_is_a_label_or_none(text in prop::collection::vec(any::<u8>(), 0..30), name in ".{0,30}") {
            prop_assert!(parse_label(&text).is_none_or(|label| label < ORDER.len()));
            let _ = subject(&name);
        }
    }
}
