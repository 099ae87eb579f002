//! Blurs for training and for studies, as pure functions on gray pictures.

use serde::{Deserialize, Serialize};

use crate::{Gray8, GrayImage};

/// Radii beyond this are taken as this: the picture is flat long before.
const MAX_RADIUS_PX: f32 = 65_536.0;

/// The blur levels of the study that this project follows: `BoxBlur` of radius 2, 4, 8
/// and 14 on pictures of 128 px.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlurLevel {
    /// No blur.
    None,
    /// Radius 2 at 128 px.
    Low,
    /// Radius 4 at 128 px.
    Medium,
    /// Radius 8 at 128 px.
    High,
    /// Radius 14 at 128 px.
    VeryHigh,
}

impl BlurLevel {
    /// All levels, from sharp to blurred.
    pub const ALL: [BlurLevel; 5] =
        [BlurLevel::None, BlurLevel::Low, BlurLevel::Medium, BlurLevel::High, BlurLevel::VeryHigh];

    /// Side, in px, of the blur study's pictures, at which sizes of blurs are stated.
    pub const REFERENCE_SIDE: f32 = 128.0;

    /// The name in reports: `none`, `low`, `medium`, `high`, `very-high`.
    pub fn name(self) -> &'static str {
        match self {
            BlurLevel::None => "none",
            BlurLevel::Low => "low",
            BlurLevel::Medium => "medium",
            BlurLevel::High => "high",
            BlurLevel::VeryHigh => "very-high",
        }
    }

    /// Radius in pixels for [`box_blur`] on crops of `side` pixels: the same share of
    /// the face whatever the side (48 px: 0, 0.75, 1.5, 3, 5.25).
    pub fn radius_px(self, side: usize) -> f32 {
        let at_128_px = match self {
            BlurLevel::None => 0.0,
            BlurLevel::Low => 2.0,
            BlurLevel::Medium => 4.0,
            BlurLevel::High => 8.0,
            BlurLevel::VeryHigh => 14.0,
        };
        at_128_px * side as f32 / Self::REFERENCE_SIDE
    }
}

/// The 24-bit fixed-point weights of a box of fractional radius: `inner` for each of the
/// `2 * reach + 1` pixels inside, `outer` for the two that are covered in part.
#[derive(Copy, Clone)]
struct BoxWeights {
    reach: usize,
    inner: u32,
    outer: u32,
}

impl BoxWeights {
    /// Pillow divides in single precision and truncates; so do we, to the bit.
    fn new(radius_px: f32) -> Self {
        let reach = radius_px as u32;
        let inner = (16_777_216.0 / (radius_px * 2.0 + 1.0)) as u32;
        let outer = (1u32 << 24).wrapping_sub((reach * 2 + 1).wrapping_mul(inner)) / 2;
        Self { reach: reach as usize, inner, outer }
    }

    /// Weighs the sum of the inner pixels and that of the two outer ones, rounded to the
    /// nearest grey level. Wraps where Pillow's unsigned arithmetic does.
    #[inline]
    fn apply(self, inner_sum: u32, outer_sum: u32) -> u8 {
        let bulk = inner_sum.wrapping_mul(self.inner).wrapping_add(outer_sum.wrapping_mul(self.outer));
        (bulk.wrapping_add(1 << 23) >> 24) as u8
    }
}

/// Box blur, byte for byte Pillow's `ImageFilter.BoxBlur` on mode `L`.
///
/// Each pixel becomes the mean of the square of side `2 * radius_px + 1` around it;
/// with a fractional radius the outermost pixels count in part. Edges are repeated. A
/// radius of 0 (or below, or not a number) gives a copy. Running sums: the time does not
/// depend on the radius.
pub fn box_blur(picture: Gray8<'_>, radius_px: f32) -> GrayImage {
    if radius_px.is_nan() || radius_px <= 0.0 {
        return picture.to_image();
    }
    let weights = BoxWeights::new(radius_px.min(MAX_RADIUS_PX));
    let (width, height) = (picture.width(), picture.height());
    let mut across = GrayImage::new(width, height);
    for (y, out) in across.pixels_mut().chunks_exact_mut(width).enumerate() {
        blur_line(picture.row(y), out, weights);
    }
    blur_columns(&across, weights)
}

/// Sum of the box around position -1 of a line whose edges are repeated, so that one
/// step of the running sum gives that around 0.
fn first_sum(line: impl ExactSizeIterator<Item = u32>, first: u32, last: u32, reach: usize) -> u32 {
    let missing = reach.saturating_sub(line.len()) as u32;
    first * (reach as u32 + 1) + line.take(reach).sum::<u32>() + last * missing
}

fn blur_line(line: &[u8], out: &mut [u8], weights: BoxWeights) {
    let reach = weights.reach;
    let last = line.len() - 1;
    let mut sum = first_sum(line.iter().map(|&p| u32::from(p)), line[0].into(), line[last].into(), reach);
    for (x, out) in out.iter_mut().enumerate() {
        let leaving = u32::from(line[x.saturating_sub(reach + 1)]);
        let entering = u32::from(line[(x + reach).min(last)]);
        let next = u32::from(line[(x + reach + 1).min(last)]);
        sum = sum + entering - leaving;
        *out = weights.apply(sum, leaving + next);
    }
}

/// The same down the columns; row by row, so that all columns advance at once.
fn blur_columns(picture: &GrayImage, weights: BoxWeights) -> GrayImage {
    let reach = weights.reach;
    let (width, height) = (picture.width(), picture.height());
    let view = picture.view();
    let (first, last) = (view.row(0), view.row(height - 1));
    let mut sums: Vec<u32> = (0..width)
        .map(|x| {
            let column = (0..height).map(|y| u32::from(view.row(y)[x]));
            first_sum(column, first[x].into(), last[x].into(), reach)
        })
        .collect();
    let mut blurred = GrayImage::new(width, height);
    for (y, out) in blurred.pixels_mut().chunks_exact_mut(width).enumerate() {
        let leaving = view.row(y.saturating_sub(reach + 1));
        let entering = view.row((y + reach).min(height - 1));
        let next = view.row((y + reach + 1).min(height - 1));
        for ((((out, sum), &leaving), &entering), &next) in
            out.iter_mut().zip(&mut sums).zip(leaving).zip(entering).zip(next)
        {
            *sum = *sum + u32::from(entering) - u32::from(leaving);
            *out = weights.apply(*sum, u32::from(leaving) + u32::from(next));
        }
    }
    blurred
}

/// Gaussian blur with the kernel itself (not boxes that approach it), cut at three
/// sigma and normalised; rows first, then columns, in single precision. Edges are
/// repeated. A sigma of 0 (or below, or not a number) gives a copy.
pub fn gaussian_blur(picture: Gray8<'_>, sigma_px: f32) -> GrayImage {
    if sigma_px.is_nan() || sigma_px <= 0.0 {
        return picture.to_image();
    }
    let kernel = gaussian_kernel(sigma_px.min(MAX_RADIUS_PX / 3.0));
    let reach = kernel.len() / 2;
    let (width, height) = (picture.width(), picture.height());

    let mut across = vec![0f32; width * height];
    let mut padded = vec![0f32; width + 2 * reach];
    for (y, out) in across.chunks_exact_mut(width).enumerate() {
        let row = picture.row(y);
        padded[..reach].fill(f32::from(row[0]));
        padded[reach + width..].fill(f32::from(row[width - 1]));
        for (to, &from) in padded[reach..].iter_mut().zip(row) {
            *to = f32::from(from);
        }
        for (tap, &weight) in kernel.iter().enumerate() {
            add_weighted(out, &padded[tap..tap + width], weight);
        }
    }

    let mut blurred = GrayImage::new(width, height);
    let mut sums = vec![0f32; width];
    for (y, out) in blurred.pixels_mut().chunks_exact_mut(width).enumerate() {
        sums.fill(0.0);
        for (tap, &weight) in kernel.iter().enumerate() {
            let from = (y + tap).saturating_sub(reach).min(height - 1);
            add_weighted(&mut sums, &across[from * width..(from + 1) * width], weight);
        }
        for (out, &sum) in out.iter_mut().zip(&sums) {
            // `as` saturates, so rounding errors cannot wrap around.
            *out = (sum + 0.5) as u8;
        }
    }
    blurred
}

fn add_weighted(out: &mut [f32], values: &[f32], weight: f32) {
    for (out, &value) in out.iter_mut().zip(values) {
        *out += weight * value;
    }
}

/// `2 * ceil(3 sigma) + 1` weights that sum to 1.
fn gaussian_kernel(sigma_px: f32) -> Vec<f32> {
    let reach = (3.0 * sigma_px).ceil() as i32;
    let sigma = f64::from(sigma_px);
    let weights: Vec<f64> = (-reach..=reach).map(|i| (-0.5 * (f64::from(i) / sigma).powi(2)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|w| (w / sum) as f32).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What Pillow 13.0.0 gives for `Image.fromarray(a).filter(ImageFilter.BoxBlur(r))`
    /// where `a[y, x] = (37 x + 91 y + 13 x y) % 256`, 8x6 pixels; beyond radius 3 the
    /// box is wider than the picture.
    #[rustfmt::skip]
    const PILLOW: [(f32, [u8; 48]); 6] = [
        (0.3, [
            24, 57, 96, 126, 136, 166, 167, 69,
            100, 132, 152, 163, 113, 124, 135, 137,
            146, 167, 130, 145, 148, 163, 117, 108,
            79, 123, 139, 167, 134, 141, 148, 101,
            116, 128, 108, 149, 148, 110, 130, 163,
            162, 104, 134, 186, 146, 138, 98, 140,
        ]),
        (0.75, [
            40, 68, 109, 127, 137, 155, 142, 99,
            106, 118, 137, 133, 143, 139, 135, 116,
            124, 137, 160, 146, 147, 133, 133, 115,
            117, 124, 138, 137, 150, 141, 132, 122,
            112, 112, 138, 150, 147, 126, 130, 138,
            148, 121, 135, 156, 160, 119, 123, 137,
        ]),
        (1.5, [
            64, 83, 105, 124, 144, 143, 125, 105,
            89, 105, 122, 133, 145, 141, 126, 110,
            106, 121, 136, 139, 142, 137, 128, 124,
            123, 131, 141, 141, 141, 137, 132, 131,
            125, 131, 139, 143, 146, 138, 130, 129,
            133, 137, 141, 144, 148, 135, 131, 134,
        ]),
        (3.0, [
            72, 84, 103, 123, 124, 119, 111, 97,
            84, 94, 108, 124, 127, 123, 121, 111,
            104, 110, 120, 128, 130, 129, 128, 118,
            125, 126, 132, 132, 133, 134, 135, 125,
            146, 141, 144, 136, 136, 140, 142, 132,
            152, 146, 149, 137, 135, 139, 142, 131,
        ]),
        (5.25, [
            89, 97, 98, 98, 99, 100, 101, 100,
            99, 105, 105, 105, 106, 106, 106, 106,
            110, 113, 113, 113, 112, 113, 112, 113,
            120, 121, 121, 120, 119, 119, 118, 119,
            131, 129, 128, 127, 126, 126, 124, 126,
            141, 137, 136, 135, 133, 132, 130, 133,
        ]),
        (20.0, [
            88, 88, 88, 87, 87, 86, 86, 85,
            92, 91, 91, 90, 90, 90, 89, 89,
            95, 95, 95, 94, 94, 93, 93, 92,
            99, 99, 98, 98, 97, 97, 96, 96,
            103, 102, 102, 101, 101, 100, 99, 99,
            106, 106, 106, 105, 104, 104, 103, 102,
        ]),
    ];

    #[test]
    fn box_blur_is_pillows() {
        let pixels = (0..48).map(|i| {
            let (x, y) = (i % 8, i / 8);
            ((37 * x + 91 * y + 13 * x * y) % 256) as u8
        });
        let image = GrayImage::from_vec(pixels.collect(), 8, 6).unwrap();
        for (radius, expected) in PILLOW {
            assert_eq!(box_blur(image.view(), radius).pixels(), expected, "radius {radius}");
        }
    }

    #[test]
    fn levels_scale_with_the_side() {
        let at = |side| BlurLevel::ALL.map(|level| level.radius_px(side));
        assert_eq!(at(128), [0.0, 2.0, 4.0, 8.0, 14.0]);
        assert_eq!(at(48), [0.0, 0.75, 1.5, 3.0, 5.25]);
        for level in BlurLevel::ALL {
            let json = serde_json::to_string(&level).unwrap();
            assert_eq!(json, format!("\"{}\"", level.name()));
        }
    }

    #[test]
    fn no_blur_is_a_copy_and_odd_radii_do_not_panic() {
        let image = GrayImage::from_vec((0..=255).collect(), 16, 16).unwrap();
        for blur in [box_blur, gaussian_blur] {
            for nothing in [0.0, -1.0, f32::NAN, f32::NEG_INFINITY] {
                assert_eq!(blur(image.view(), nothing), image);
            }
        }
        for large in [1e6, f32::MAX, f32::INFINITY] {
            assert_eq!(box_blur(image.view(), large).pixels().len(), 256);
        }
        let pixel = GrayImage::from_vec(vec![77], 1, 1).unwrap();
        assert_eq!(gaussian_blur(pixel.view(), f32::INFINITY), pixel);
    }

    #[test]
    fn a_gaussian_spreads_a_point_by_its_sigma() {
        let mut image = GrayImage::new(41, 41);
        image.pixels_mut()[20 * 41 + 20] = 255;
        // Peak of the two-dimensional Gaussian: 255 / (2 pi sigma^2) = 40.6 at sigma 1.
        let blurred = gaussian_blur(image.view(), 1.0);
        assert!(blurred.view().get(20, 20).abs_diff(41) <= 1);
        // One sigma away: exp(-0.5) of it, 24.6.
        assert!(blurred.view().get(21, 20).abs_diff(25) <= 1);
        assert_eq!(blurred.view().get(21, 20), blurred.view().get(20, 19));
    }

    fn picture() -> impl Strategy<Value = GrayImage> {
        (1usize..40, 1usize..40).prop_flat_map(|(width, height)| {
            prop::collection::vec(any::<u8>(), width * height)
                .prop_map(move |p| GrayImage::from_vec(p, width, height).unwrap())
        })
    }

    fn mean(image: &GrayImage) -> f64 {
        image.pixels().iter().map(|&p| f64::from(p)).sum::<f64>() / image.pixels().len() as f64
    }

    proptest! {
        #[test]
        fn no_blur_leaves_the_range_of_the_picture(image in picture(), radius in 0f32..60.0) {
            let low = *image.pixels().iter().min().unwrap();
            let high = *image.pixels().iter().max().unwrap();
            for blur in [box_blur, gaussian_blur] {
                let blurred = blur(image.view(), radius);
                prop_assert!(blurred.pixels().iter().all(|p| (low..=high).contains(p)));
            }
        }

        #[test]
        fn a_flat_picture_stays_flat(grey: u8, width in 1usize..40, radius in 0f32..60.0) {
            let flat = GrayImage::from_vec(vec![grey; width * 7], width, 7).unwrap();
            prop_assert_eq!(&box_blur(flat.view(), radius), &flat);
            prop_assert_eq!(&gaussian_blur(flat.view(), radius), &flat);
        }

        #[test]
        fn the_mean_stays_where_no_edge_is_near(
            pixels in prop::collection::vec(any::<u8>(), 16), radius in 0f32..5.0,
        ) {
            // A patch in the middle of an even grey: what is blurred out of the patch
            // stays in the picture.
            let mut image = GrayImage::from_vec(vec![128; 48 * 48], 48, 48).unwrap();
            for (i, grey) in pixels.into_iter().enumerate() {
                image.pixels_mut()[(22 + i / 4) * 48 + 22 + i % 4] = grey;
            }
            for blur in [box_blur, gaussian_blur] {
                let blurred = blur(image.view(), radius);
                prop_assert!((mean(&image) - mean(&blurred)).abs() < 0.5);
            }
        }

        #[test]
        fn padding_is_not_read(pixels in prop::collection::vec(any::<u8>(), 12 * 9), radius in 0f32..9.0) {
            let view = Gray8::new(&pixels, 8, 9, 12).unwrap();
            let copy = view.to_image();
            prop_assert_eq!(box_blur(view, radius), box_blur(copy.view(), radius));
            prop_assert_eq!(gaussian_blur(view, radius), gaussian_blur(copy.view(), radius));
        }
    }
}
