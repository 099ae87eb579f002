//! Aff-Wild2 (Kollias and Zafeiriou 2019), the expressions: `Train_Set/<video>.txt` and `Validation_Set/<video>.txt`
//! somewhere below the folder, a line a frame under a line with the names of the labels, and the frames cut to the face
//! in `cropped_aligned/<video>/00001.jpg`.
//!
//! Left out are frames labelled -1 or Other, and those in which no face was found: they have no picture.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::vec;

use models::{Expression, LabelSet};

use super::lines::{Lines, shown};
use super::walk::{Part, file_names, name_of, sub_folders};
use super::{Entry, Fault, Picture, Reader};
use crate::failure::bad_input;
use crate::sample::Usage;

/// The folder of the frames.
pub const FRAMES: &str = "cropped_aligned";
/// How deep the annotations may lie.
const MAX_DEPTH: usize = 4;

/// The labels in the order of the annotations; "Other" comes after them in newer ones.
const ORDER: [Expression; 7] = [
    Expression::Neutral,
    Expression::Angry,
    Expression::Disgust,
    Expression::Fear,
    Expression::Happy,
    Expression::Sad,
    Expression::Surprise,
];

/// The labelled frames of all videos.
pub struct AffWild2 {
    frames: PathBuf,
    labels: LabelSet,
    videos: vec::IntoIter<(Usage, PathBuf)>,
    current: Option<Video>,
    row: u64,
    left_out: BTreeMap<&'static str, u64>,
}

/// A video that is being read.
struct Video {
    name: String,
    subject: Arc<str>,
    usage: Usage,
    lines: Lines,
    folder: PathBuf,
}

/// What the annotation of a frame says.
#[derive(Debug, PartialEq)]
enum Frame {
    Label(usize),
    LeftOut(&'static str),
}

impl AffWild2 {
    /// Finds the annotations in `root`.
    ///
    /// # Errors
    /// Bad input: there are none, or a folder cannot be read.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        let mut videos = Vec::new();
        find_annotations(root, MAX_DEPTH, &mut videos)?;
        if videos.is_empty() {
            let what = "there are no annotations of expressions: no folder Train_Set or Validation_Set with .txt files";
            return Err(bad_input(format!("{}: {what}", root.display())));
        }
        videos.sort();
        Ok(Self {
            frames: root.join(FRAMES),
            labels: LabelSet::new(ORDER.to_vec())?,
            videos: videos.into_iter(),
            current: None,
            row: 0,
            left_out: BTreeMap::new(),
        })
    }

    /// Begins with the next video: its first line names the labels.
    fn begin(&self, usage: Usage, file: &Path) -> anyhow::Result<Video> {
        let mut lines = Lines::open(file)?;
        let header = lines.next_line().map_err(Fault::into_error)?.map(|line| line.text).unwrap_or_default();
        if !names_the_labels(&header) {
            let what = "the first line is not `Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise,Other`";
            return Err(lines.error(1, what));
        }
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let folder = self.frames.join(&name);
        if !folder.is_dir() {
            let what = "there are annotations of this video, but not its frames";
            return Err(bad_input(format!("{}: {what}", folder.display())));
        }
        // Where two people are seen, each has annotations of their own; both are kept on one side of every split.
        let video = name.strip_suffix("_left").or_else(|| name.strip_suffix("_right")).unwrap_or(&name);
        Ok(Video { subject: video.into(), name, usage, lines, folder })
    }

    /// The next labelled frame of the video; None at its end.
    fn next_frame(&mut self, video: &mut Video) -> Result<Option<Entry>, Fault> {
        while let Some(line) = video.lines.next_line()? {
            let label = match frame(&line.text) {
                Ok(Frame::Label(label)) => label,
                Ok(Frame::LeftOut(why)) => {
                    *self.left_out.entry(why).or_default() += 1;
                    continue;
                }
                Err(what) => return Err(Fault::One(video.lines.error(line.number, &what))),
            };
            // The line after the header is the first frame.
            let file = format!("{:05}.jpg", line.number - 1);
            let picture = video.folder.join(&file);
            if !picture.is_file() {
                *self.left_out.entry("frame without a face").or_default() += 1;
                continue;
            }
            self.row += 1;
            return Ok(Some(Entry {
                row: self.row,
                place: format!("{}/{file}", video.name),
                usage: video.usage,
                label,
                soft: None,
                subject: Some(video.subject.clone()),
                picture: Picture::File(picture),
            }));
        }
        Ok(None)
    }
}

/// Every `.txt` in folders that are named after parts, with its part.
fn find_annotations(folder: &Path, depth: usize, found: &mut Vec<(Usage, PathBuf)>) -> anyhow::Result<()> {
    for sub_folder in sub_folders(folder)? {
        let name = name_of(&sub_folder);
        if name == FRAMES {
            continue;
        }
        if let Some(part) = Part::of(&name) {
            let files = file_names(&sub_folder)?.into_iter().map(|name| sub_folder.join(name));
            let texts = files.filter(|file| file.extension().is_some_and(|extension| extension == "txt"));
            found.extend(texts.map(|file| (part.usage(true), file)));
        } else if depth > 0 {
            find_annotations(&sub_folder, depth - 1, found)?;
        }
    }
    Ok(())
}

fn names_the_labels(header: &[u8]) -> bool {
    let Ok(header) = std::str::from_utf8(header) else { return false };
    let names: Vec<&str> = header.split(',').map(str::trim).collect();
    let known = names.iter().map_while(|name| name.parse::<Expression>().ok());
    known.eq(ORDER) && names[ORDER.len()..].iter().all(|name| name.eq_ignore_ascii_case("other"))
}

fn frame(line: &[u8]) -> Result<Frame, String> {
    match line.trim_ascii() {
        b"-1" => Ok(Frame::LeftOut("frame without a label")),
        b"7" => Ok(Frame::LeftOut("other expression")),
        [digit @ b'0'..=b'6'] => Ok(Frame::Label(usize::from(digit - b'0'))),
        other => Err(format!("label `{}` is not one of -1 to 7; correct the line", shown(other))),
    }
}

impl Iterator for AffWild2 {
    type Item = Result<Entry, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(mut video) = self.current.take() {
                match self.next_frame(&mut video) {
                    Ok(None) => {}
                    Ok(Some(entry)) => {
                        self.current = Some(video);
                        return Some(Ok(entry));
                    }
                    Err(fault) => {
                        self.current = Some(video);
                        return Some(Err(fault));
                    }
                }
            }
            let (usage, file) = self.videos.next()?;
            match self.begin(usage, &file) {
                Ok(video) => self.current = Some(video),
                Err(error) => return Some(Err(Fault::One(error))),
            }
        }
    }
}

impl Reader for AffWild2 {
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
    use proptest::prelude::*;

    use super::*;
    use crate::reader::testing::{picture, summary, text};

    const HEADER: &str = "Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise,Other";

    #[test]
    fn a_line_is_a_frame() {
        let root = tempfile::tempdir().unwrap();
        let annotations = "annotations/EXPR_Classification_Challenge";
        text(root.path(), &format!("{annotations}/Train_Set/video1_left.txt"), &format!("{HEADER}\n0\n-1\n7\n4\n6\n"));
        text(root.path(), &format!("{annotations}/Validation_Set/2-30.txt"), &format!("{HEADER}\r\n5\r\n"));
        for frame in [1, 2, 3, 4] {
            picture(root.path(), &format!("{FRAMES}/video1_left/0000{frame}.jpg"), 112, 80);
        }
        picture(root.path(), &format!("{FRAMES}/2-30/00001.jpg"), 112, 80);
        let expected = [
            "video1_left/00001.jpg neutral training video1",
            "video1_left/00004.jpg happy training video1",
            "2-30/00001.jpg sad public-test 2-30",
        ];
        assert_eq!(summary(root.path()), expected);
        let mut reader = AffWild2::open(root.path()).unwrap();
        assert_eq!(reader.by_ref().count(), 3);
        let left_out = [("frame without a face", 1), ("frame without a label", 1), ("other expression", 1)];
        assert_eq!(reader.left_out(), BTreeMap::from(left_out));
    }

    #[test]
    fn faults_are_named_and_passed() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join(FRAMES)).unwrap();
        assert!(AffWild2::open(root.path()).err().unwrap().to_string().contains("no annotations"));
        text(root.path(), "Train_Set/a.txt", &format!("{HEADER}\n0\nhappy\n"));
        text(root.path(), "Train_Set/b.txt", "Valence,Arousal\n0,0\n");
        text(root.path(), "Train_Set/c.txt", &format!("{HEADER}\n0\n"));
        picture(root.path(), &format!("{FRAMES}/a/00001.jpg"), 112, 80);
        let faults: Vec<String> = AffWild2::open(root.path())
            .unwrap()
            .filter_map(Result::err)
            .map(|fault| fault.into_error().to_string())
            .collect();
        assert!(faults[0].contains("a.txt, line 3: label `happy`"), "{faults:?}");
        assert!(faults[1].contains("b.txt, line 1: the first line is not"), "{faults:?}");
        assert!(faults[2].contains("c: there are annotations"), "{faults:?}");
    }

    proptest! {
        #[test]
        fn any_line_is_a_frame_or_a_fault(line in prop::collection::vec(any::<u8>(), 0..20)) {
            let _ = frame(&line);
            let _ = names_the_labels(&line);
        }
    }
}
