//! How blurred a crop is: the variance of its Laplacian (J. L. Pech-Pacheco et al.,
//! "Diatom autofocusing in brightfield microscopy: a comparative study", ICPR 2000).

use serde::{Deserialize, Serialize};

use crate::Gray8;

/// Added to the crop's variance (grey levels squared) before dividing by it, so that
/// the noise of a nearly flat crop does not pass for sharpness.
const VARIANCE_FLOOR: f64 = 1.0;

/// Sharpness of a canonical crop; higher is sharper. Only values of crops of the same
/// side compare.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BlurEstimate {
    /// Variance of the 3x3 Laplacian (0 1 0 / 1 -4 1 / 0 1 0) over the pixels that have
    /// all four neighbours, in grey levels squared.
    pub laplacian_variance: f32,
    /// The same divided by the crop's own variance plus 1, so that contrast cancels out.
    pub normalised: f32,
}

/// Which of the two figures of a [`BlurEstimate`] counts.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlurMeasure {
    /// [`BlurEstimate::laplacian_variance`].
    LaplacianVariance,
    /// [`BlurEstimate::normalised`].
    NormalisedLaplacianVariance,
}

impl BlurEstimate {
    /// Measures a crop. A flat crop, or one of fewer than 3x3 pixels, gives 0.
    pub fn of(crop: Gray8<'_>) -> Self {
        let (width, height) = (crop.width(), crop.height());
        let mut grey = Moments::default();
        for y in 0..height {
            for &p in crop.row(y) {
                grey.add(i32::from(p));
            }
        }
        let mut laplacian = Moments::default();
        if width >= 3 {
            for y in 1..height.saturating_sub(1) {
                let (above, row, below) = (crop.row(y - 1), crop.row(y), crop.row(y + 1));
                let inner = row.windows(3).zip(&above[1..]).zip(&below[1..]);
                for ((row, &above), &below) in inner {
                    let around = i32::from(row[0]) + i32::from(row[2]);
                    let around = around + i32::from(above) + i32::from(below);
                    laplacian.add(around - 4 * i32::from(row[1]));
                }
            }
        }
        let variance = laplacian.variance();
        Self { laplacian_variance: variance as f32, normalised: (variance / (grey.variance() + VARIANCE_FLOOR)) as f32 }
    }

    /// The figure that `measure` names.
    pub fn value(self, measure: BlurMeasure) -> f32 {
        match measure {
            BlurMeasure::LaplacianVariance => self.laplacian_variance,
            BlurMeasure::NormalisedLaplacianVariance => self.normalised,
        }
    }
}

/// Exact sums of whole numbers: the estimate does not depend on the order of addition.
#[derive(Default)]
struct Moments {
    count: u64,
    sum: i64,
    sum_of_squares: u64,
}

impl Moments {
    #[inline]
    fn add(&mut self, value: i32) {
        self.count += 1;
        self.sum += i64::from(value);
        // At most 1020 squared: fits.
        self.sum_of_squares += u64::from((value * value) as u32);
    }

    fn variance(&self) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        let count = self.count as f64;
        let mean = self.sum as f64 / count;
        (self.sum_of_squares as f64 / count - mean * mean).max(0.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{GrayImage, box_blur};

    #[test]
    fn flat_and_tiny_crops_are_zero_and_never_nan() {
        for (width, height) in [(48, 48), (1, 1), (2, 9), (9, 2), (3, 3)] {
            let flat = GrayImage::from_vec(vec![200; width * height], width, height).unwrap();
            let blur = BlurEstimate::of(flat.view());
            assert_eq!((blur.laplacian_variance, blur.normalised), (0.0, 0.0));
        }
    }

    #[test]
    fn a_worked_example() {
        // Interior Laplacians of a single bright pixel of 9 at (1, 1) in 4x3: -36 and 9.
        let mut image = GrayImage::new(4, 3);
        image.pixels_mut()[5] = 9;
        let blur = BlurEstimate::of(image.view());
        let mean: f32 = -13.5;
        assert_eq!(blur.laplacian_variance, (36.0 * 36.0 + 81.0) / 2.0 - mean * mean);
        // The crop's mean is 0.75 and its variance 81/12 - 0.5625 = 6.1875.
        assert_eq!(blur.normalised, blur.laplacian_variance / 7.1875);
        assert_eq!(blur.value(BlurMeasure::NormalisedLaplacianVariance), blur.normalised);
    }

    proptest! {
        #[test]
        fn blurring_noise_lowers_both_figures(pixels in prop::collection::vec(any::<u8>(), 256)) {
            let image = GrayImage::from_vec(pixels, 16, 16).unwrap();
            let sharp = BlurEstimate::of(image.view());
            let soft = BlurEstimate::of(box_blur(image.view(), 1.5).view());
            prop_assert!(soft.laplacian_variance < sharp.laplacian_variance);
            prop_assert!(soft.normalised < sharp.normalised);
        }

        #[test]
        fn contrast_cancels_out_of_the_normalised_figure(
            pixels in prop::collection::vec(0u8..=1, 256), low in 0u8..40, high in 200u8..=255,
        ) {
            let paint = |low: u8, high: u8| {
                let pixels = pixels.iter().map(|&p| if p == 0 { low } else { high }).collect();
                BlurEstimate::of(GrayImage::from_vec(pixels, 16, 16).unwrap().view())
            };
            let (strong, weak) = (paint(low, high), paint(100, 160));
            prop_assert!((strong.normalised - weak.normalised).abs() <= 0.02 * strong.normalised);
        }
    }
}
