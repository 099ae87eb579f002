//! Spoils a face, at its own size, the same way whenever it is asked for the same.

use anyhow::Context;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageFormat};
use models::{GrayImage, box_blur, gaussian_blur, resize};
use rand::RngExt;
use rand::rngs::StdRng;

use super::degradation::Degradation;
use super::psf::Psf;
use crate::augment::{add_noise, gaussian, stream};

/// Electrons that a pixel of the dark scene's sensor holds at white.
const FULL_WELL: f32 = 1000.0;
/// Deviation of what reading a pixel adds, electrons.
const READ_NOISE: f32 = 4.0;
/// Heights of the middle of the eyes and of the mouth on an upright face that fills its picture, shares of the side.
const EYES: f32 = 0.4;
const MOUTH: f32 = 0.78;

/// A spoilt face.
pub struct Degraded {
    /// The picture, of the size that the face had.
    pub picture: GrayImage,
    /// Where it was blurred, how.
    pub psf: Option<Psf>,
}

impl Degraded {
    /// A face as it is.
    pub fn not(face: &GrayImage) -> Self {
        Degraded { picture: face.clone(), psf: None }
    }
}

impl Degradation {
    /// Spoils the face with this index in the data. `strength` is in the degradation's unit. What is drawn by chance
    /// depends on seed, degradation and index alone, so a face is moved along one line, or covered at one place, at
    /// all strengths.
    ///
    /// # Errors
    /// JPEG gives up on the picture.
    pub fn apply(self, strength: f32, face: &GrayImage, seed: u64, index: u64) -> anyhow::Result<Degraded> {
        let mut rng = stream(seed, self as u64, 0, index);
        let size_px = self.size_px(strength, face.width()).unwrap_or(strength);
        let blurred = |picture, psf| Ok(Degraded { picture, psf: Some(psf) });
        let picture = match self {
            Degradation::BoxBlur => return blurred(box_blur(face.view(), size_px), Psf::square(size_px)),
            Degradation::GaussianBlur => return blurred(gaussian_blur(face.view(), size_px), Psf::gaussian(size_px)),
            Degradation::MotionBlur => {
                let psf = Psf::line(size_px, rng.random::<f32>() * std::f32::consts::PI);
                return blurred(psf.blur(face.view()), psf);
            }
            Degradation::Defocus => {
                let psf = Psf::disc(size_px);
                return blurred(psf.blur(face.view()), psf);
            }
            Degradation::Noise => {
                let mut noisy = face.clone();
                add_noise(&mut noisy, strength.sqrt(), &mut rng);
                noisy
            }
            Degradation::LowLight => changed(face, |grey| darkened(grey, strength, &mut rng)),
            Degradation::OverExposure => changed(face, |grey| grey * strength),
            Degradation::LowContrast => changed(face, |grey| 127.5 + (grey - 127.5) * strength),
            Degradation::Jpeg => jpeg(face, strength as u8)?,
            Degradation::Occlusion => occluded(face, strength, &mut rng),
            Degradation::SmallFaces => small(face, strength as usize),
        };
        Ok(Degraded { picture, psf: None })
    }
}

/// Every grey level through a function; rounded, and cut off at black and white.
fn changed(face: &GrayImage, mut level: impl FnMut(f32) -> f32) -> GrayImage {
    let mut changed = face.clone();
    for pixel in changed.pixels_mut() {
        // `as` saturates.
        *pixel = level(f32::from(*pixel)).round() as u8;
    }
    changed
}

/// What a sensor sees of a grey level with less light. Shot noise is taken as Gaussian: from some ten electrons on that is
/// what it looks like.
fn darkened(grey: f32, gain: f32, rng: &mut StdRng) -> f32 {
    let electrons = grey / 255.0 * FULL_WELL * gain;
    let deviation = (electrons + READ_NOISE * READ_NOISE).sqrt();
    (electrons + gaussian(rng) * deviation) / FULL_WELL * 255.0
}

fn jpeg(face: &GrayImage, quality: u8) -> anyhow::Result<GrayImage> {
    let mut file = Vec::new();
    let (width, height) = (face.width() as u32, face.height() as u32);
    JpegEncoder::new_with_quality(&mut file, quality)
        .encode(face.pixels(), width, height, ExtendedColorType::L8)
        .context("cannot compress a face")?;
    let unpacked =
        image::load_from_memory_with_format(&file, ImageFormat::Jpeg).context("cannot unpack a face")?.into_luma8();
    GrayImage::from_vec(unpacked.into_raw(), face.width(), face.height()).context("a face has another size after JPEG")
}

/// A bar, `thickness` of the side wide, over one of four places.
fn occluded(face: &GrayImage, thickness: f32, rng: &mut StdRng) -> GrayImage {
    let (width, height) = (face.width(), face.height());
    let place = rng.random_range(0..4);
    let grey = rng.random::<u8>();
    let (columns, rows) = match place {
        0 => (0..width, bar(EYES, thickness, height)),
        1 => (0..width, bar(MOUTH, thickness, height)),
        2 => (bar(0.0, thickness, width), 0..height),
        _ => (bar(1.0, thickness, width), 0..height),
    };
    let mut covered = face.clone();
    for row in covered.pixels_mut().chunks_exact_mut(width).take(rows.end).skip(rows.start) {
        row[columns.clone()].fill(grey);
    }
    covered
}

/// The pixels of a bar around `middle`, moved so that it lies inside; both as shares of the side.
fn bar(middle: f32, thickness: f32, side: usize) -> std::ops::Range<usize> {
    let wide = (thickness * side as f32).round() as usize;
    let start = (middle * side as f32 - wide as f32 / 2.0).round().max(0.0) as usize;
    let start = start.min(side - wide.min(side));
    start..(start + wide).min(side)
}

fn small(face: &GrayImage, side: usize) -> GrayImage {
    let (width, height) = (face.width(), face.height());
    let reduced = resize(face.view(), side.min(width), side.min(height));
    resize(reduced.view(), width, height)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::robustness::degradation::STRENGTHS;
    use crate::robustness::pictures::{face, psnr};

    fn spoilt(degradation: Degradation, strength: usize, index: u64) -> GrayImage {
        let strength = degradation.facts().strengths[strength];
        degradation.apply(strength, &face(48), 7, index).unwrap().picture
    }

    #[test]
    fn faces_keep_their_size_and_go_farther_from_themselves_with_every_strength() {
        let face = face(48);
        assert_eq!(Degraded::not(&face).picture, face);
        for degradation in Degradation::ALL {
            let name = degradation.facts().name;
            let likeness = |strength| {
                let pictures = (0..6).map(|index| spoilt(degradation, strength, index));
                pictures.map(|picture| psnr(&picture, &face)).sum::<f64>() / 6.0
            };
            let likeness: Vec<f64> = (0..STRENGTHS).map(likeness).collect();
            assert!(likeness.windows(2).all(|pair| pair[1] < pair[0]), "{name}: {likeness:?}");
            let picture = spoilt(degradation, 4, 0);
            assert_eq!((picture.width(), picture.height()), (48, 48), "{name}");
        }
    }

    #[test]
    fn chance_depends_on_seed_and_index_alone() {
        let by_chance = [Degradation::MotionBlur, Degradation::Noise, Degradation::LowLight, Degradation::Occlusion];
        for degradation in Degradation::ALL {
            assert_eq!(spoilt(degradation, 3, 5), spoilt(degradation, 3, 5), "{degradation:?}");
            let differs = spoilt(degradation, 3, 5) != spoilt(degradation, 3, 6);
            assert_eq!(differs, by_chance.contains(&degradation), "{degradation:?}");
        }
    }

    #[test]
    fn noise_has_its_variance_and_low_light_is_dark() {
        let flat = GrayImage::from_vec(vec![128; 96 * 96], 96, 96).unwrap();
        let noisy = Degradation::Noise.apply(0.005, &flat, 1, 0).unwrap().picture;
        let square: f64 = noisy.pixels().iter().map(|&pixel| (f64::from(pixel) / 255.0 - 128.0 / 255.0).powi(2)).sum();
        let variance = square / (96.0 * 96.0);
        assert!((variance - 0.005).abs() < 0.0005, "{variance}");
        let dark = Degradation::LowLight.apply(0.125, &flat, 1, 0).unwrap().picture;
        let mean: f64 = dark.pixels().iter().copied().map(f64::from).sum::<f64>() / (96.0 * 96.0);
        assert!((mean - 16.0).abs() < 0.2, "{mean}");
    }

    #[test]
    fn a_bar_covers_its_share() {
        let flat = GrayImage::from_vec(vec![77; 48 * 48], 48, 48).unwrap();
        for index in 0..40 {
            let half = Degradation::Occlusion.apply(0.5, &flat, 1, index).unwrap().picture;
            let covered = half.pixels().iter().filter(|&&pixel| pixel != 77).count();
            assert!(covered == 24 * 48 || covered == 0, "{covered}");
        }
    }
}
