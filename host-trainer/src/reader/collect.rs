//! Collects a reader's pictures into a [`DataSet`].

use std::path::Path;

use models::GrayImage;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{Entry, Fault, Picture, Reader, Tolerance};
use crate::face::Face;
use crate::failure::bad_input;
use crate::sample::{DataSet, Sample, hex};

/// Pictures that are decoded at a time.
const CHUNK: usize = 1024;

/// Takes all that `reader` gives; its pictures must be square and of one size.
///
/// # Errors
/// Bad input: more than `max_bad` bad pictures, pictures that are not square or not all of one size, none at all.
pub fn collect(path: &Path, mut reader: &mut dyn Reader, max_bad: u64) -> anyhow::Result<DataSet> {
    let mut tolerance = Tolerance::new(max_bad, 0);
    let mut hash = Sha256::new();
    let mut samples: Vec<Sample> = Vec::new();
    loop {
        let chunk: Vec<Result<Entry, Fault>> = (&mut reader).take(CHUNK).collect();
        if chunk.is_empty() {
            break;
        }
        let loaded: Vec<_> = chunk.into_par_iter().with_min_len(16).map(|entry| load(entry?)).collect();
        for sample in loaded {
            match sample {
                Ok((sample, place, content)) => {
                    let label = reader.labels().get(sample.label).map_or("", |label| label.name());
                    hash.update(format!("{place}\0{label}\0"));
                    hash.update(content);
                    check_size(&place, &sample, samples.first())?;
                    samples.push(sample);
                }
                Err(Fault::One(error)) => tolerance.pass(error)?,
                Err(Fault::All(error)) => return Err(error),
            }
        }
    }
    let side = samples
        .first()
        .map(|sample| sample.face.side())
        .ok_or_else(|| bad_input(format!("{}: there is no picture in it; check the path", path.display())))?;
    Ok(DataSet {
        path: path.to_path_buf(),
        sha256: reader.file_sha256().unwrap_or_else(|| hex(&hash.finalize())),
        labels: reader.labels().clone(),
        side,
        draws_labels: false,
        samples,
    })
}

/// The sample, its place, and the SHA-256 of its content.
fn load(entry: Entry) -> Result<(Sample, String, [u8; 32]), Fault> {
    let Entry { row, place, usage, label, soft, subject, picture } = entry;
    let (face, sha256) = match picture {
        // It stays there; the hash of the index is that of the data.
        Picture::Gray(face @ Face::InShard(_)) => (face, [0; 32]),
        other => {
            let content = other.content().map_err(Fault::One)?;
            let picture = content.decode().map_err(Fault::One)?;
            check_square(&place, &picture).map_err(Fault::All)?;
            (picture.into(), content.sha256())
        }
    };
    Ok((Sample { row, usage, label, soft, subject, face }, place, sha256))
}

/// What brings pictures to one size.
const CURE: &str = "`mien-trainer prepare` cuts the faces out and brings them to one size";

fn check_square(place: &str, picture: &GrayImage) -> anyhow::Result<()> {
    let (width, height) = (picture.width(), picture.height());
    if width == height {
        return Ok(());
    }
    Err(bad_input(format!("{place}: {width}x{height} px is not square; {CURE}")))
}

fn check_size(place: &str, sample: &Sample, first: Option<&Sample>) -> anyhow::Result<()> {
    let side = sample.face.side();
    match first.map(|first| first.face.side()) {
        Some(one) if one != side => {
            Err(bad_input(format!("{place}: {side} px instead of {one} px like the first; {CURE}")))
        }
        _ => Ok(()),
    }
}
