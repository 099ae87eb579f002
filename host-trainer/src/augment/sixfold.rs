//! Six forms of every face, as the acting-mirror study made its training set six times as large.

use models::{GrayImage, gaussian_blur};
use rand::RngExt;
use rand::rngs::StdRng;

use super::add_noise;

/// One of the six.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// The face itself.
    Original,
    /// With Gaussian noise of a standard deviation of 0.07 of the full range.
    Noise,
    /// Every grey level times one number of 0.25 to 1.5.
    Multiply,
    /// 3 % of the pixels black or white.
    SaltAndPepper,
    /// Under a Gaussian blur with a standard deviation of 0.5 px.
    Blur,
    /// Behind clouds.
    Clouds,
}

const NOISE: f32 = 0.07;
const MULTIPLY: std::ops::Range<f32> = 0.25..1.5;
const SALT_AND_PEPPER: f32 = 0.03;
const BLUR_SIGMA_PX: f32 = 0.5;
/// The study names imgaug's clouds without their settings; here they cover this share of the
/// light at their thickest.
const THICKEST: f32 = 0.7;
/// Cells along the side of the coarsest layer of clouds; each of the three layers has twice as
/// many as the one before and half its weight.
const CELLS: usize = 3;

impl Form {
    /// All six.
    pub const ALL: [Form; 6] =
        [Form::Original, Form::Noise, Form::Multiply, Form::SaltAndPepper, Form::Blur, Form::Clouds];

    /// Brings `face` into this form.
    pub fn apply(self, face: &mut GrayImage, rng: &mut StdRng) {
        match self {
            Form::Original => {}
            Form::Noise => add_noise(face, NOISE, rng),
            Form::Multiply => {
                let factor = rng.random_range(MULTIPLY);
                for pixel in face.pixels_mut() {
                    *pixel = (f32::from(*pixel) * factor).round().clamp(0.0, 255.0) as u8;
                }
            }
            Form::SaltAndPepper => {
                for pixel in face.pixels_mut() {
                    if rng.random::<f32>() < SALT_AND_PEPPER {
                        *pixel = if rng.random::<bool>() { 255 } else { 0 };
                    }
                }
            }
            Form::Blur => *face = gaussian_blur(face.view(), BLUR_SIGMA_PX),
            Form::Clouds => cover(face, rng),
        }
    }
}

/// Blends the face with white by a smooth random mask: three layers of value noise, of which the
/// upper half is cloud.
fn cover(face: &mut GrayImage, rng: &mut StdRng) {
    let (width, height) = (face.width(), face.height());
    let layers: Vec<Lattice> = (0..3).map(|layer| Lattice::new(CELLS << layer, rng)).collect();
    for (y, row) in face.pixels_mut().chunks_exact_mut(width).enumerate() {
        for (x, pixel) in row.iter_mut().enumerate() {
            let place = (x as f32 / width as f32, y as f32 / height as f32);
            let density: f32 = layers.iter().zip([4.0 / 7.0, 2.0 / 7.0, 1.0 / 7.0]).map(|(l, w)| l.at(place) * w).sum();
            let cloud = ((density - 0.5) * 2.0).clamp(0.0, 1.0) * THICKEST;
            let grey = f32::from(*pixel);
            *pixel = (grey + (255.0 - grey) * cloud).round() as u8;
        }
    }
}

/// Random numbers of 0..1 on a lattice, and smoothly between its points.
struct Lattice {
    cells: usize,
    points: Vec<f32>,
}

impl Lattice {
    fn new(cells: usize, rng: &mut StdRng) -> Self {
        Self { cells, points: (0..(cells + 1) * (cells + 1)).map(|_| rng.random()).collect() }
    }

    /// The value at a place of 0..1 in both directions.
    fn at(&self, (x, y): (f32, f32)) -> f32 {
        let (x, y) = (x * self.cells as f32, y * self.cells as f32);
        let (left, top) = ((x as usize).min(self.cells - 1), (y as usize).min(self.cells - 1));
        let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
        let (fx, fy) = (smooth(x - left as f32), smooth(y - top as f32));
        let point = |dx, dy| self.points[(top + dy) * (self.cells + 1) + left + dx];
        let upper = point(0, 0) + (point(1, 0) - point(0, 0)) * fx;
        let lower = point(0, 1) + (point(1, 1) - point(0, 1)) * fx;
        upper + (lower - upper) * fy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::stream;

    fn grey(level: u8) -> GrayImage {
        GrayImage::from_vec(vec![level; 48 * 48], 48, 48).unwrap()
    }

    fn mean_and_deviation(picture: &GrayImage) -> (f32, f32) {
        let count = picture.pixels().len() as f32;
        let mean = picture.pixels().iter().map(|&pixel| f32::from(pixel)).sum::<f32>() / count;
        let square = picture.pixels().iter().map(|&pixel| (f32::from(pixel) - mean).powi(2)).sum::<f32>() / count;
        (mean, square.sqrt())
    }

    #[test]
    fn each_form_does_what_the_study_says() {
        let of = |form: Form, index| {
            let mut face = grey(120);
            form.apply(&mut face, &mut stream(1, 0, 0, index));
            face
        };
        assert_eq!(of(Form::Original, 0), grey(120));
        let (mean, deviation) = mean_and_deviation(&of(Form::Noise, 1));
        assert!((mean - 120.0).abs() < 2.0 && (deviation - 0.07 * 255.0).abs() < 1.5, "{mean} {deviation}");
        for index in 0..50 {
            let face = of(Form::Multiply, index);
            assert!(face.pixels().iter().all(|&pixel| (30..=180).contains(&pixel) && pixel == face.pixels()[0]));
        }
        let face = of(Form::SaltAndPepper, 2);
        let changed = face.pixels().iter().filter(|&&pixel| pixel != 120).count() as f32 / (48.0 * 48.0);
        assert!((0.015..0.045).contains(&changed), "{changed}");
        assert!(face.pixels().iter().all(|pixel| [0, 120, 255].contains(pixel)));
        for index in 0..20 {
            let face = of(Form::Clouds, index);
            let (_, deviation) = mean_and_deviation(&face);
            assert!(face.pixels().iter().all(|&pixel| pixel >= 120) && deviation > 1.0, "{deviation}");
        }
    }
}
