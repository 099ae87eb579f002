//! The Wiener filter (N. Wiener, "Extrapolation, Interpolation, and Smoothing of Stationary Time Series", 1949): the linear
//! filter that undoes a known blur with the least mean square error, given how strong the noise is.

use std::sync::Arc;

use models::{Gray8, GrayImage};
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

use super::psf::Psf;

/// What is taken where nothing else is said: little, since the noise of faces that were only blurred is that of rounding
/// to 8 bits.
pub const NOISE_TO_SIGNAL: f32 = 0.001;

/// Undoes blurs of pictures of one size.
pub struct Wiener {
    /// Width and height of the pictures, px.
    side: usize,
    /// Power of the noise over that of the picture, the same at all frequencies.
    noise_to_signal: f32,
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
}

impl Wiener {
    /// For pictures of `side` x `side` px, whose noise has this share (above 0) of their power.
    pub fn new(side: usize, noise_to_signal: f32) -> Self {
        let mut planner = FftPlanner::new();
        let twice = 2 * side;
        let (forward, inverse) = (planner.plan_fft_forward(twice), planner.plan_fft_inverse(twice));
        Wiener { side, noise_to_signal, forward, inverse }
    }

    /// The picture, which has this filter's size, with the blur undone as far as the noise lets it. The edges are mirrored,
    /// since the Fourier transform takes a picture as one of endless equal ones; the mean stays as it is. A slanting motion does
    /// not go on in a mirror, so it is undone less well near the edges.
    pub fn restore(&self, blurred: Gray8<'_>, psf: &Psf) -> GrayImage {
        let mut picture = self.mirrored(blurred);
        self.transform(&mut picture, &self.forward);
        let mut spread = self.wrapped(psf);
        self.transform(&mut spread, &self.forward);
        for (value, spread) in picture.iter_mut().zip(&spread) {
            let gain = (1.0 + self.noise_to_signal) / (spread.norm_sqr() + self.noise_to_signal);
            *value *= spread.conj() * gain;
        }
        self.transform(&mut picture, &self.inverse);

        let twice = 2 * self.side;
        // rustfft does not divide by the number of values.
        let scale = 1.0 / (twice * twice) as f32;
        let mut restored = GrayImage::new(self.side, self.side);
        for (row, values) in restored.pixels_mut().chunks_exact_mut(self.side).zip(picture.chunks_exact(twice)) {
            for (pixel, value) in row.iter_mut().zip(values) {
                // `as` saturates.
                *pixel = (value.re * scale).round() as u8;
            }
        }
        restored
    }

    /// The picture with its mirror images to the right and below, so that it goes on without a step.
    fn mirrored(&self, picture: Gray8<'_>) -> Vec<Complex32> {
        let twice = 2 * self.side;
        let place = |at: usize| if at < self.side { at } else { twice - 1 - at };
        let pixel = |index: usize| f32::from(picture.get(place(index % twice), place(index / twice)));
        (0..twice * twice).map(|index| Complex32::from(pixel(index))).collect()
    }

    /// The point spread function with its middle in the corner; what reaches beyond comes in on the other side.
    fn wrapped(&self, psf: &Psf) -> Vec<Complex32> {
        let twice = 2 * self.side;
        let place = |at: isize| at.rem_euclid(twice as isize) as usize;
        let mut wrapped = vec![Complex32::default(); twice * twice];
        for (across, down, share) in psf.shares() {
            wrapped[place(down) * twice + place(across)] += share;
        }
        wrapped
    }

    /// Transforms rows and columns in place. A spectrum is left transposed; transforming back turns it again.
    fn transform(&self, values: &mut [Complex32], fft: &Arc<dyn Fft<f32>>) {
        let twice = 2 * self.side;
        fft.process(values);
        for row in 0..twice {
            for column in 0..row {
                values.swap(row * twice + column, column * twice + row);
            }
        }
        fft.process(values);
    }
}

#[cfg(test)]
mod tests {
    use models::box_blur;

    use super::*;
    use crate::robustness::pictures::{face, psnr};

    #[test]
    fn a_known_blur_is_undone_measurably() {
        let face = face(48);
        let wiener = Wiener::new(48, NOISE_TO_SIGNAL);
        for radius in [0.75, 1.5, 3.0] {
            let blurred = box_blur(face.view(), radius);
            let restored = wiener.restore(blurred.view(), &Psf::square(radius));
            let (before, after) = (psnr(&blurred, &face), psnr(&restored, &face));
            println!("box blur of {radius} px: {before:.1} dB, {after:.1} dB restored");
            assert!(after > before + 2.0, "box blur of {radius} px: {before:.1} dB, {after:.1} dB restored");
        }
        for psf in [Psf::line(6.0, 0.0), Psf::disc(1.5), Psf::gaussian(1.125)] {
            let blurred = psf.blur(face.view());
            let (before, after) = (psnr(&blurred, &face), psnr(&wiener.restore(blurred.view(), &psf), &face));
            println!("{before:.1} dB, {after:.1} dB restored");
            assert!(after > before + 1.0, "{before:.1} dB, {after:.1} dB restored");
        }
    }

    #[test]
    fn a_sharp_picture_is_left_alone() {
        let face = face(48);
        let restored = Wiener::new(48, NOISE_TO_SIGNAL).restore(face.view(), &Psf::square(0.0));
        assert!(psnr(&restored, &face) > 50.0, "{}", psnr(&restored, &face));
    }
}
