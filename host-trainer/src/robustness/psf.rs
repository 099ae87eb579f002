//! What a blur makes of a point of light, and the blur that belongs to it.

use models::{Gray8, GrayImage};

/// Points of a line, and of a pixel's side, that are counted where something covers pixels in part.
const SAMPLES_A_PIXEL: usize = 8;

/// A point spread function: the share of a pixel's light that falls on each pixel around it. The shares sum to 1.
#[derive(Clone, Debug)]
pub struct Psf {
    /// Pixels beside the middle one, on each side.
    reach: isize,
    /// `2 * reach + 1` rows of as many.
    weights: Vec<f32>,
}

impl Psf {
    /// That of [`models::box_blur`]: a square of side `2 * radius_px + 1`, whose outermost pixels may count in part.
    pub fn square(radius_px: f32) -> Self {
        let across = |offset: isize| (radius_px + 1.0 - offset.unsigned_abs() as f32).clamp(0.0, 1.0);
        Self::of(radius_px.ceil() as isize, |x, y| across(x) * across(y))
    }

    /// That of [`models::gaussian_blur`]: cut at three sigma.
    pub fn gaussian(sigma_px: f32) -> Self {
        let reach = (3.0 * sigma_px).ceil() as isize;
        Self::of(reach, |x, y| (-0.5 * ((x * x + y * y) as f32) / (sigma_px * sigma_px)).exp())
    }

    /// A disc of radius `radius_px` and half a pixel: with radius 0 nothing is blurred.
    pub fn disc(radius_px: f32) -> Self {
        let fraction = |index: usize| (index as f32 + 0.5) / SAMPLES_A_PIXEL as f32 - 0.5;
        let inside = |x: f32, y: f32| x.hypot(y) <= radius_px + 0.5;
        Self::of(radius_px.ceil() as isize, |x, y| {
            let points = (0..SAMPLES_A_PIXEL * SAMPLES_A_PIXEL).filter(|point| {
                let (column, row) = (point % SAMPLES_A_PIXEL, point / SAMPLES_A_PIXEL);
                inside(x as f32 + fraction(column), y as f32 + fraction(row))
            });
            points.count() as f32
        })
    }

    /// A straight line through the middle; the angle in radians, with 0 along the rows.
    pub fn line(length_px: f32, angle: f32) -> Self {
        let reach = (length_px / 2.0).floor() as isize + 1;
        let (sin, cos) = angle.sin_cos();
        let points = (length_px.ceil() as usize).max(1) * SAMPLES_A_PIXEL;
        let places: Vec<(f32, f32)> = (0..=points)
            .map(|point| (point as f32 / points as f32 - 0.5) * length_px)
            .map(|along| (along * cos, along * sin))
            .collect();
        // Each point is shared out among the four pixels around it.
        let share = |place: f32, pixel: isize| (1.0 - (place - pixel as f32).abs()).max(0.0);
        Self::of(reach, |x, y| places.iter().map(|&(px, py)| share(px, x) * share(py, y)).sum())
    }

    /// Weights by distance from the middle, brought to a sum of 1.
    fn of(reach: isize, weight: impl Fn(isize, isize) -> f32) -> Self {
        let rows = (-reach..=reach).flat_map(|y| (-reach..=reach).map(move |x| (x, y)));
        let weights: Vec<f32> = rows.map(|(x, y)| weight(x, y)).collect();
        let sum: f32 = weights.iter().sum();
        Psf { reach, weights: weights.iter().map(|weight| weight / sum).collect() }
    }

    /// Offset across, offset down and share of every pixel.
    pub fn shares(&self) -> impl Iterator<Item = (isize, isize, f32)> {
        let side = 2 * self.reach + 1;
        let place = move |index: isize| (index % side - self.reach, index / side - self.reach);
        self.weights.iter().zip(0..).map(move |(&weight, index)| (place(index).0, place(index).1, weight))
    }

    /// Blurs a picture; edges are repeated, grey levels rounded to the nearest.
    pub fn blur(&self, picture: Gray8<'_>) -> GrayImage {
        let (width, height) = (picture.width(), picture.height());
        let mut sums = vec![0.0f32; width * height];
        let inside = |at: isize, size: usize| at.clamp(0, size as isize - 1) as usize;
        for (across, down, share) in self.shares().filter(|&(_, _, share)| share > 0.0) {
            for (y, sums) in sums.chunks_exact_mut(width).enumerate() {
                let row = picture.row(inside(y as isize - down, height));
                for (x, sum) in sums.iter_mut().enumerate() {
                    *sum += share * f32::from(row[inside(x as isize - across, width)]);
                }
            }
        }
        let mut blurred = GrayImage::new(width, height);
        for (pixel, sum) in blurred.pixels_mut().iter_mut().zip(sums) {
            *pixel = sum.round() as u8;
        }
        blurred
    }
}

#[cfg(test)]
mod tests {
    use models::{box_blur, gaussian_blur};

    use super::*;
    use crate::robustness::pictures::face;

    fn farthest(first: &GrayImage, second: &GrayImage) -> u8 {
        first.pixels().iter().zip(second.pixels()).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
    }

    #[test]
    fn square_and_gaussian_are_those_of_the_blurs_that_have_them() {
        let face = face(48);
        for size in [0.375, 0.75, 1.0, 1.5, 3.0, 5.25] {
            let square = Psf::square(size).blur(face.view());
            assert!(farthest(&square, &box_blur(face.view(), size)) <= 1, "box of {size} px");
            let gaussian = Psf::gaussian(size).blur(face.view());
            assert!(farthest(&gaussian, &gaussian_blur(face.view(), size)) <= 1, "Gaussian of {size} px");
        }
    }

    #[test]
    fn shares_sum_to_one_and_nothing_spreads_nothing() {
        for psf in [Psf::square(2.5), Psf::gaussian(1.2), Psf::disc(3.0), Psf::line(7.0, 0.4)] {
            let sum: f32 = psf.shares().map(|(_, _, share)| share).sum();
            assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        }
        let face = face(48);
        for psf in [Psf::square(0.0), Psf::disc(0.0), Psf::line(0.0, 1.0)] {
            assert_eq!(psf.blur(face.view()), face);
        }
    }

    #[test]
    fn a_line_blurs_along_its_angle_alone() {
        let mut stripes = GrayImage::new(48, 48);
        for (index, pixel) in stripes.pixels_mut().iter_mut().enumerate() {
            *pixel = if index / 48 % 4 < 2 { 200 } else { 40 };
        }
        assert_eq!(Psf::line(9.0, 0.0).blur(stripes.view()), stripes);
        let across = Psf::line(9.0, std::f32::consts::FRAC_PI_2).blur(stripes.view());
        assert!(farthest(&across, &stripes) > 30);
    }
}
