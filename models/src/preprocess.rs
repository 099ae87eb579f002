//! From the canonical crop to the model's input; the only place where that is done.

use serde::{Deserialize, Serialize};

use crate::{Gray8, GrayImage, ImageError, clahe, equalise};

/// Standard deviation of grey levels that are all equally frequent.
const EVEN_STD: f32 = 73.9;

/// What a model takes: `[input]` in the manifest.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct InputSpec {
    /// Side of the square crop, in pixels.
    pub side: usize,
    /// How grey levels become numbers around zero.
    pub normalisation: Normalisation,
}

/// How grey levels (0 to 255) become the values of the tensor.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Normalisation {
    /// `(grey - mean) / std`, the same for every crop.
    Fixed {
        /// Grey level that becomes 0.
        mean: f32,
        /// Grey levels a unit.
        std: f32,
    },
    /// The grey levels are spread over the full range first, then `(grey - 127.5) / 73.9`: a crop with equally many pixels
    /// of each level has mean 0 and deviation 1.
    Equalised {},
    /// [`clahe`] first (Zuiderveld 1994), then as `per-crop`.
    Clahe {
        /// Tiles along each side (1..=16).
        tiles: usize,
        /// What a grey level of a tile counts with at most, in multiples of an even share (at least 1).
        clip_limit: f32,
        /// Lower bound of the divisor in grey levels.
        min_std: f32,
    },
    /// `(grey - mean of the crop) / max(standard deviation of the crop, min_std)`:
    /// light and contrast of the scene cancel out.
    PerCrop {
        /// Lower bound of the divisor in grey levels, so that noise is not blown up.
        min_std: f32,
    },
}

impl InputSpec {
    /// The tensor of shape `[1, 1, side, side]`, row-major.
    ///
    /// # Errors
    /// The crop is not `side` x `side` pixels.
    pub fn tensor(&self, crop: Gray8<'_>) -> Result<Vec<f32>, ImageError> {
        self.check(crop)?;
        let mut out = vec![0.0; self.side * self.side];
        self.fill(crop, &mut out);
        Ok(out)
    }

    /// As [`InputSpec::tensor`], into a buffer of `side * side` values.
    ///
    /// # Errors
    /// The crop is not `side` x `side` pixels, or the buffer has another length.
    pub fn tensor_into(&self, crop: Gray8<'_>, out: &mut [f32]) -> Result<(), ImageError> {
        self.check(crop)?;
        if out.len() != self.side * self.side {
            return Err(ImageError::WrongTensor { found: out.len(), expected: self.side * self.side });
        }
        self.fill(crop, out);
        Ok(())
    }

    fn check(&self, crop: Gray8<'_>) -> Result<(), ImageError> {
        if (crop.width(), crop.height()) == (self.side, self.side) {
            Ok(())
        } else {
            Err(ImageError::WrongCrop { width: crop.width(), height: crop.height(), side: self.side })
        }
    }

    fn fill(&self, crop: Gray8<'_>, out: &mut [f32]) {
        let spread = match self.normalisation {
            Normalisation::Equalised {} => Some(equalise(crop)),
            Normalisation::Clahe { tiles, clip_limit, .. } => Some(clahe(crop, tiles, clip_limit)),
            Normalisation::Fixed { .. } | Normalisation::PerCrop { .. } => None,
        };
        let crop = spread.as_ref().map_or(crop, GrayImage::view);
        let (mean, std) = match self.normalisation {
            Normalisation::Fixed { mean, std } => (mean, std),
            Normalisation::Equalised {} => (127.5, EVEN_STD),
            Normalisation::PerCrop { min_std } | Normalisation::Clahe { min_std, .. } => {
                let (mean, std) = mean_and_std(crop);
                (mean, std.max(min_std))
            }
        };
        for (y, out) in out.chunks_exact_mut(self.side).enumerate() {
            for (out, &grey) in out.iter_mut().zip(crop.row(y)) {
                *out = (f32::from(grey) - mean) / std;
            }
        }
    }
}

/// Mean and standard deviation (of the population) in grey levels; the sums are exact.
fn mean_and_std(crop: Gray8<'_>) -> (f32, f32) {
    let (mut sum, mut squares) = (0u64, 0u64);
    for y in 0..crop.height() {
        for &grey in crop.row(y) {
            sum += u64::from(grey);
            squares += u64::from(grey) * u64::from(grey);
        }
    }
    let count = (crop.width() * crop.height()) as f64;
    let mean = sum as f64 / count;
    let variance = (squares as f64 / count - mean * mean).max(0.0);
    (mean as f32, variance.sqrt() as f32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::GrayImage;

    const FIXED: InputSpec = InputSpec { side: 2, normalisation: Normalisation::Fixed { mean: 100.0, std: 50.0 } };

    #[test]
    fn fixed_normalisation_by_hand() {
        let crop = GrayImage::from_vec(vec![0, 100, 150, 250], 2, 2).unwrap();
        assert_eq!(FIXED.tensor(crop.view()).unwrap(), [-2.0, 0.0, 1.0, 3.0]);
    }

    #[test]
    fn a_flat_crop_is_zero_not_nan() {
        let spec = InputSpec { side: 4, normalisation: Normalisation::PerCrop { min_std: 8.0 } };
        let tensor = spec.tensor(GrayImage::new(4, 4).view()).unwrap();
        assert_eq!(tensor, [0.0; 16]);
    }

    #[test]
    fn spread_levels_do_not_depend_on_light_and_contrast() {
        let picture = |gain: f32, offset: f32| {
            let pixels = (0..16 * 16).map(|at| (f32::from((at * 7 % 64) as u8) * gain + offset) as u8).collect();
            GrayImage::from_vec(pixels, 16, 16).unwrap()
        };
        let equalised = InputSpec { side: 16, normalisation: Normalisation::Equalised {} };
        let bright = equalised.tensor(picture(3.0, 40.0).view()).unwrap();
        assert_eq!(equalised.tensor(picture(1.0, 0.0).view()).unwrap(), bright);
        let mean = bright.iter().sum::<f32>() / 256.0;
        let deviation = (bright.iter().map(|v| v * v).sum::<f32>() / 256.0).sqrt();
        assert!(mean.abs() < 0.05 && (deviation - 1.0).abs() < 0.05, "{mean} {deviation}");

        let clahe = Normalisation::Clahe { tiles: 2, clip_limit: 2.0, min_std: 8.0 };
        let tensor = InputSpec { side: 16, normalisation: clahe }.tensor(picture(0.5, 60.0).view()).unwrap();
        assert!(tensor.iter().all(|v| v.is_finite()) && (tensor.iter().sum::<f32>() / 256.0).abs() < 1e-4);
        assert_eq!(equalised.tensor(GrayImage::new(16, 16).view()).unwrap(), [-127.5 / EVEN_STD; 256]);
    }

    #[test]
    fn wrong_sizes_are_named() {
        let error = FIXED.tensor(GrayImage::new(3, 2).view()).unwrap_err();
        assert!(error.to_string().contains("3x2"), "{error}");
        let crop = GrayImage::new(2, 2);
        assert!(FIXED.tensor_into(crop.view(), &mut [0.0; 5]).is_err());
    }

    #[test]
    fn unknown_keys_are_refused() {
        let good = "side = 48\nnormalisation = { kind = \"per-crop\", min-std = 8 }";
        assert_eq!(toml::from_str::<InputSpec>(good).unwrap().normalisation, Normalisation::PerCrop { min_std: 8.0 });
        let bad = good.replace("min-std = 8", "min-std = 8, max-std = 9");
        assert!(toml::from_str::<InputSpec>(&bad).is_err());
    }

    proptest! {
        #[test]
        fn per_crop_gives_zero_mean_and_unit_deviation(pixels in prop::collection::vec(any::<u8>(), 64)) {
            let crop = GrayImage::from_vec(pixels, 8, 8).unwrap();
            let spec = InputSpec { side: 8, normalisation: Normalisation::PerCrop { min_std: 1.0 } };
            let tensor = spec.tensor(crop.view()).unwrap();
            let mean = tensor.iter().sum::<f32>() / 64.0;
            let variance = tensor.iter().map(|v| v * v).sum::<f32>() / 64.0;
            prop_assert!(mean.abs() < 1e-4);
            prop_assert!(variance < 1.001);
            let mut into = [9.0; 64];
            spec.tensor_into(crop.view(), &mut into).unwrap();
            prop_assert_eq!(&into[..], &tensor[..]);
        }
    }
}
