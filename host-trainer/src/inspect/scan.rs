//! Goes through all pictures once and keeps what is needed of each: some hundred bytes.

use std::collections::BTreeMap;
use std::path::Path;

use models::{BlurEstimate, GrayImage, resize};
use rayon::prelude::*;

use crate::clean::blank::is_blank;
use crate::clean::facts::Facts;
use crate::clean::fingerprint::Fingerprint;
use crate::failure::bad_input;
use crate::progress::Counter;
use crate::reader::{Entry, Fault, Reader, Tolerance};

/// Pictures that are decoded at a time.
const CHUNK: usize = 512;
/// Pictures of each class on the sheet.
pub const ON_SHEET: usize = 12;
/// Their width and height, px.
pub const THUMBNAIL: usize = 64;
/// Width and height at which sharpness is measured, px: the variance of the Laplacian depends on it.
pub const SHARPNESS_SIDE: usize = 48;

/// What was seen.
#[derive(Default)]
pub struct Scan {
    /// Label, part, subject, name and fingerprint of each picture.
    pub facts: Facts,
    /// [`Entry::row`] of each picture.
    pub rows: Vec<u64>,
    /// Sharpness of each: variance of the Laplacian of the picture at [`SHARPNESS_SIDE`].
    pub sharpness: Vec<f32>,
    /// Mean brightness of each, 0..=255.
    pub brightness: Vec<f32>,
    /// Pictures of each width and height, px.
    pub sizes: BTreeMap<(usize, usize), u64>,
    /// Pictures of one shade.
    pub blank: u64,
    /// Bad pictures that were passed over.
    pub bad: u64,
    /// For each label some pictures, chosen by their hash: as good as at random, and always the same.
    pub samples: Vec<BTreeMap<[u8; 16], GrayImage>>,
}

/// What is kept of one picture.
struct Look {
    entry: Entry,
    size: (usize, usize),
    fingerprint: Fingerprint,
    sharpness: f32,
    brightness: f32,
    is_blank: bool,
    thumbnail: GrayImage,
}

/// Looks at every picture, on all cores.
///
/// # Errors
/// Bad input: too much that is bad, no picture at all.
pub fn scan(path: &Path, mut reader: &mut dyn Reader, max_bad: u64) -> anyhow::Result<Scan> {
    let mut scan = Scan { samples: vec![BTreeMap::new(); reader.labels().len()], ..Scan::default() };
    let mut tolerance = Tolerance::new(max_bad, 0);
    let mut meter = Counter::new("inspect", "pictures");
    loop {
        let chunk: Vec<_> = (&mut reader).take(CHUNK).collect();
        if chunk.is_empty() {
            break;
        }
        let count = chunk.len();
        let looks: Vec<_> = chunk.into_par_iter().with_min_len(4).map(|entry| look(entry?)).collect();
        for look in looks {
            match look {
                Ok(look) => scan.add(look),
                Err(Fault::One(error)) => tolerance.pass(error)?,
                Err(Fault::All(error)) => return Err(error),
            }
        }
        meter.add(count);
    }
    meter.finish();
    if scan.rows.is_empty() {
        return Err(bad_input(format!("{}: there is no picture in it; check the path", path.display())));
    }
    scan.bad = tolerance.bad;
    Ok(scan)
}

fn look(entry: Entry) -> Result<Look, Fault> {
    let picture = entry.picture.content().and_then(|content| content.decode()).map_err(Fault::One)?;
    let view = picture.view();
    let measured = resize(view, SHARPNESS_SIDE, SHARPNESS_SIDE);
    let sum: u64 = picture.pixels().iter().map(|&pixel| u64::from(pixel)).sum();
    Ok(Look {
        size: (picture.width(), picture.height()),
        fingerprint: Fingerprint::of(&picture),
        sharpness: BlurEstimate::of(measured.view()).laplacian_variance,
        brightness: sum as f32 / picture.pixels().len() as f32,
        is_blank: is_blank(view),
        thumbnail: resize(view, THUMBNAIL, THUMBNAIL),
        entry,
    })
}

impl Scan {
    fn add(&mut self, look: Look) {
        let Look { entry, fingerprint, .. } = look;
        self.facts.push(&entry.place, entry.subject.as_ref(), entry.label as u8, entry.usage, fingerprint);
        self.rows.push(entry.row);
        self.sharpness.push(look.sharpness);
        self.brightness.push(look.brightness);
        *self.sizes.entry(look.size).or_default() += 1;
        self.blank += u64::from(look.is_blank);
        let samples = &mut self.samples[entry.label];
        samples.insert(fingerprint.exact, look.thumbnail);
        if samples.len() > ON_SHEET {
            samples.pop_last();
        }
    }
}
