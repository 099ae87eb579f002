//! Labelled faces: real ones where somebody has them, and drawn ones.

use std::f32::consts::TAU;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use image::GrayImage;
use models::LabelSet;

use crate::place::Place;
use crate::random::Random;
use crate::{project, skip};

/// Width and height of a face in FER-2013, px.
pub const SIDE: usize = 48;
/// Labels of FER-2013.
pub const LABELS: usize = 7;
/// First line of its file.
pub const HEADER: &str = "emotion,pixels,Usage\n";

/// The folder of other people's data: `MIEN_DATA`, or `../shared/data` beside the project. Without it the test is
/// skipped.
pub fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("MIEN_DATA").map_or_else(|| project("../shared/data"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    skip("no MIEN_DATA");
    None
}

/// FER-2013 in the form of Kaggle; without it the test is skipped.
pub fn fer2013() -> Option<PathBuf> {
    let path = folder()?.join("fer2013/fer2013.csv.gz");
    if !path.is_file() {
        skip("no fer2013/fer2013.csv.gz in MIEN_DATA");
        return None;
    }
    Some(path)
}

/// Header and the first `count` lines of FER-2013's public test.
pub fn public_test(count: usize) -> Option<String> {
    let file = File::open(fer2013()?).unwrap();
    let lines = BufReader::new(GzDecoder::new(file)).lines().map(Result::unwrap);
    let chosen = lines.filter(|line| line.trim_end().ends_with("PublicTest")).take(count);
    Some(chosen.fold(HEADER.to_owned(), |text, line| text + line.trim_end() + "\n"))
}

/// A file like FER-2013's with `count` drawn faces for training, the labels in turns: stripes that lie, as many as
/// the label says and one, so that a mirror image keeps its label.
pub fn drawn(count: usize) -> String {
    let mut random = Random(7);
    let mut text = HEADER.to_owned();
    for index in 0..count {
        let label = index % LABELS;
        text += &line(&label.to_string(), &stripes(label + 1, &mut random), "Training");
    }
    text
}

/// Writes `count` such faces as pictures `<label>/<number>.png` below `folder` of a place, and gives their paths.
pub fn drawn_pictures(place: &Place, folder: &str, count: usize) -> Vec<PathBuf> {
    let mut random = Random(7);
    let labels = LabelSet::fer2013();
    let draw = |index: usize| {
        let label = index % LABELS;
        let path = place.write(&format!("{folder}/{}/{index:05}.png", labels.as_slice()[label]), "");
        let face = GrayImage::from_raw(SIDE as u32, SIDE as u32, stripes(label + 1, &mut random)).unwrap();
        face.save(&path).unwrap();
        path
    };
    (0..count).map(draw).collect()
}

/// A line of such a file.
pub fn line(label: &str, pixels: &[u8], usage: &str) -> String {
    let mut line = format!("{label},");
    for (index, pixel) in pixels.iter().enumerate() {
        let _ = write!(line, "{}{pixel}", if index == 0 { "" } else { " " });
    }
    line + "," + usage + "\n"
}

fn stripes(count: usize, random: &mut Random) -> Vec<u8> {
    let start = f32::from(random.byte()) / 256.0;
    let mut pixels = Vec::with_capacity(SIDE * SIDE);
    for y in 0..SIDE {
        let wave = (TAU * (count as f32 * y as f32 / SIDE as f32 + start)).sin();
        for _ in 0..SIDE {
            // 44 to 164, and noise of up to 48: always a byte.
            pixels.push((104.0 + 60.0 * wave) as u8 + random.byte() % 49);
        }
    }
    pixels
}
