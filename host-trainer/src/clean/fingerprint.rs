//! What a picture is told by: a hash of its pixels, and two of what it looks like.

use models::{GrayImage, resize};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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

/// A picture without its pixels: 32 bytes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The first half of [`picture_hash`] without salt: no two different pictures share it but by a chance of 2^-128.
    pub exact: [u8; 16],
    /// Difference hash along the rows (dHash; N. Krawetz, "Kind of like that", 2013): 8 bits for each of 8 rows, set
    /// where the picture, averaged to 9x8 px, grows brighter to the right.
    pub across: u64,
    /// The same along the columns of 8x9 px.
    pub down: u64,
}

impl Fingerprint {
    /// Of a picture of any size.
    pub fn of(picture: &GrayImage) -> Self {
        let mut exact = [0; 16];
        exact.copy_from_slice(&picture_hash(picture, 0)[..16]);
        let wide = resize(picture.view(), 9, 8);
        let across = bits(wide.pixels().chunks_exact(9).flat_map(|row| row.windows(2).map(|pair| pair[0] < pair[1])));
        let high = resize(picture.view(), 8, 9);
        let down = bits((0..64).map(|index| high.pixels()[index] < high.pixels()[index + 8]));
        Self { exact, across, down }
    }

    /// In how many bits two pictures differ: the greater of both directions, 0 to 64. Two that are alike along the rows
    /// by chance hardly ever are along the columns too.
    pub fn distance(&self, other: &Self) -> u32 {
        (self.across ^ other.across).count_ones().max((self.down ^ other.down).count_ones())
    }
}

fn bits(bits: impl Iterator<Item = bool>) -> u64 {
    bits.fold(0, |number, bit| number << 1 | u64::from(bit))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use models::box_blur;

    use super::*;

    fn waves(side: usize, phase: f32) -> GrayImage {
        let value = |index: usize| {
            let (x, y) = ((index % side) as f32 / side as f32, (index / side) as f32 / side as f32);
            (128.0 + 60.0 * (9.0 * x + phase).sin() + 60.0 * (7.0 * y + 2.0 * phase).cos()) as u8
        };
        GrayImage::from_vec((0..side * side).map(value).collect(), side, side).unwrap()
    }

    #[test]
    fn small_changes_change_few_bits_and_other_pictures_many() {
        let picture = waves(48, 0.0);
        let print = Fingerprint::of(&picture);
        let mut brighter = picture.clone();
        brighter.pixels_mut().iter_mut().for_each(|pixel| *pixel += 9);
        for alike in [brighter, box_blur(picture.view(), 1.0), waves(96, 0.0)] {
            let other = Fingerprint::of(&alike);
            assert!(print.distance(&other) <= 6, "{}", print.distance(&other));
            assert_ne!(print.exact, other.exact);
        }
        assert!(print.distance(&Fingerprint::of(&waves(48, 1.5))) > 10);
        assert_eq!(print, Fingerprint::of(&picture));
    }

    #[test]
    fn bits_are_set_where_it_grows_brighter() {
        let ramp: Vec<u8> = (0..72).map(|index| (index % 9) as u8).collect();
        let print = Fingerprint::of(&GrayImage::from_vec(ramp, 9, 8).unwrap());
        assert_eq!((print.across, print.down), (u64::MAX, 0));
    }
}
