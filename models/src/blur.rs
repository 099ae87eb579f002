//! How blurred a crop is: the variance of its Laplacian (J. L. Pech-Pacheco et al.,
//! "Diatom autofocusing in brightfield microscopy: a comparative study", ICPR 2000), and how much of that is noise
//! (J. Immerkær, "Fast noise variance estimation", CVIU 64, 1996).

use serde::{Deserialize, Serialize};

use crate::Gray8;

/// Added to the crop's variance (grey levels squared) before dividing by it, so that
/// the noise of a nearly flat crop does not pass for sharpness.
const VARIANCE_FLOOR: f64 = 1.0;

/// What the variance of Immerkær's operator counts against that of the Laplacian. White noise has 36 and 20 times its
/// variance in them, so that 20/36 takes it away; with more, a noisy crop counts as blurred, which the robust model reads
/// better too. Chosen on 714 training faces, sharp, blurred, noisy and dark.
const NOISE_WEIGHT: f64 = 0.75;

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
    /// The same after three quarters of the variance of Immerkær's operator (1 -2 1 / -2 4 -2 / 1 -2 1), which noise
    /// drives up and the shapes of a face hardly, are taken from that of the Laplacian; at least 0.
    pub noise_corrected: f32,
}

/// Which of the figures of a [`BlurEstimate`] counts.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlurMeasure {
    /// [`BlurEstimate::laplacian_variance`].
    LaplacianVariance,
    /// [`BlurEstimate::normalised`].
    NormalisedLaplacianVariance,
    /// [`BlurEstimate::noise_corrected`].
    NoiseCorrectedLaplacianVariance,
}

impl BlurMeasure {
    /// All of them.
    pub const ALL: [BlurMeasure; 3] = [
        BlurMeasure::LaplacianVariance,
        BlurMeasure::NormalisedLaplacianVariance,
        BlurMeasure::NoiseCorrectedLaplacianVariance,
    ];

    /// The name in manifests and reports.
    pub fn name(self) -> &'static str {
        match self {
            BlurMeasure::LaplacianVariance => "laplacian-variance",
            BlurMeasure::NormalisedLaplacianVariance => "normalised-laplacian-variance",
            BlurMeasure::NoiseCorrectedLaplacianVariance => "noise-corrected-laplacian-variance",
        }
    }
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
        let (mut laplacian, mut noise) = (Moments::default(), Moments::default());
        if width >= 3 {
            for y in 1..height.saturating_sub(1) {
                let (above, row, below) = (crop.row(y - 1), crop.row(y), crop.row(y + 1));
                let inner = row.windows(3).zip(above.windows(3)).zip(below.windows(3));
                for ((row, above), below) in inner {
                    let at = |line: &[u8], x: usize| i32::from(line[x]);
                    let (beside, middle) = (at(row, 0) + at(row, 2), at(row, 1));
                    let stacked = at(above, 1) + at(below, 1);
                    let corners = at(above, 0) + at(above, 2) + at(below, 0) + at(below, 2);
                    laplacian.add(beside + stacked - 4 * middle);
                    noise.add(corners - 2 * (beside + stacked) + 4 * middle);
                }
            }
        }
        let (variance, own) = (laplacian.variance(), grey.variance() + VARIANCE_FLOOR);
        Self {
            laplacian_variance: variance as f32,
            normalised: (variance / own) as f32,
            noise_corrected: ((variance - NOISE_WEIGHT * noise.variance()).max(0.0) / own) as f32,
        }
    }

    /// The figure that `measure` names.
    pub fn value(self, measure: BlurMeasure) -> f32 {
        match measure {
            BlurMeasure::LaplacianVariance => self.laplacian_variance,
            BlurMeasure::NormalisedLaplacianVariance => self.normalised,
            BlurMeasure::NoiseCorrectedLaplacianVariance => self.noise_corrected,
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
        // At most 2040 squared: fits.
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
            assert_eq!(BlurMeasure::ALL.map(|measure| blur.value(measure)), [0.0; 3]);
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
        // Immerkær's operator gives 36 and -18 there, more than the Laplacian: all of it is noise.
        assert_eq!(blur.noise_corrected, 0.0);
    }

    #[test]
    fn noise_passes_for_sharpness_unless_it_is_taken_away() {
        // A slope, blurred or with an edge in it, and the same with the noise of a simple generator.
        let mut state = 1_u32;
        let mut noise = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 27) as i32 - 16
        };
        let soft: Vec<u8> = (0..48 * 48).map(|at| (60 + at % 48 * 2) as u8).collect();
        let edge: Vec<u8> = (0..48 * 48).map(|at| if at % 48 < 24 { 60 } else { 160 }).collect();
        let noisy: Vec<u8> = soft.iter().map(|&grey| (i32::from(grey) + noise()) as u8).collect();
        let [soft, edge, noisy] =
            [soft, edge, noisy].map(|pixels| BlurEstimate::of(GrayImage::from_vec(pixels, 48, 48).unwrap().view()));
        assert!(noisy.normalised > edge.normalised && edge.normalised > soft.normalised);
        assert!(edge.noise_corrected > 2.0 * noisy.noise_corrected, "{edge:?} {noisy:?}");
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
