//! Finds exact duplicates: the same picture, pixel for pixel, more than once.

use std::collections::HashMap;

use models::GrayImage;
use sha2::{Digest, Sha256};

use crate::sample::Sample;

/// Identifies a picture by its pixels.
pub type PictureHash = [u8; 32];

/// SHA-256 of `salt`, the size and the pixels. Equal pictures have equal hashes under the same salt.
pub fn picture_hash(picture: &GrayImage, salt: u64) -> PictureHash {
    let mut hash = Sha256::new();
    hash.update(salt.to_le_bytes());
    hash.update((picture.width() as u64).to_le_bytes());
    hash.update(picture.pixels());
    hash.finalize().into()
}

/// A sample that was left out because an earlier one shows the same picture.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// [`Sample::row`] of the one left out.
    pub row: u64,
    /// [`Sample::row`] of the one that was kept.
    pub same_as: u64,
    /// Whether the two have different labels.
    pub label_differs: bool,
}

/// Samples without exact duplicates.
pub struct Cleaned<'a> {
    /// The first sample of every picture, in order.
    pub kept: Vec<&'a Sample>,
    /// The others, in order.
    pub dropped: Vec<Duplicate>,
}

/// Keeps the first sample of every picture.
pub fn drop_duplicates<'a>(samples: &[&'a Sample]) -> Cleaned<'a> {
    let mut first: HashMap<PictureHash, &Sample> = HashMap::new();
    let mut cleaned = Cleaned { kept: Vec::with_capacity(samples.len()), dropped: Vec::new() };
    for &sample in samples {
        let original = *first.entry(picture_hash(&sample.face, 0)).or_insert(sample);
        if std::ptr::eq(original, sample) {
            cleaned.kept.push(sample);
        } else {
            let label_differs = original.label != sample.label;
            cleaned.dropped.push(Duplicate { row: sample.row, same_as: original.row, label_differs });
        }
    }
    cleaned
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::sample::Usage;

    #[test]
    fn the_first_of_each_picture_is_kept() {
        let sample = |row, label, value: u8| Sample {
            row,
            usage: Usage::Training,
            label,
            face: GrayImage::from_vec(vec![value; 4], 2, 2).unwrap(),
        };
        let samples = [sample(2, 0, 1), sample(3, 1, 2), sample(4, 1, 1), sample(5, 1, 2)];
        let cleaned = drop_duplicates(&samples.iter().collect::<Vec<_>>());
        assert_eq!(cleaned.kept.iter().map(|s| s.row).collect::<Vec<_>>(), [2, 3]);
        let expected = [
            Duplicate { row: 4, same_as: 2, label_differs: true },
            Duplicate { row: 5, same_as: 3, label_differs: false },
        ];
        assert_eq!(cleaned.dropped, expected);
    }
}
