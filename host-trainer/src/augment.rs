//! Random changes to a face, as the camera and the person would make them.
//!
//! Works on gray pictures of 0..=255 and ends before the preprocessing, which is
//! [`models::InputSpec`]'s alone.

mod sixfold;

use models::{Gray8, GrayImage, box_blur, gaussian_blur};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

pub use self::sixfold::Form;
use crate::config::AugmentConfig;

/// Side, in px, at which blur radii are stated (the blur study's pictures).
pub const BLUR_REFERENCE_SIDE: f32 = 128.0;

/// A random stream that depends on its place in the run alone, so that a resumed run and one on
/// other threads draw the same numbers.
pub fn stream(seed: u64, stage: u64, epoch: u64, index: u64) -> StdRng {
    let mut key = [0; 32];
    for (slot, value) in key.chunks_exact_mut(8).zip([seed, stage, epoch, index]) {
        slot.copy_from_slice(&value.to_le_bytes());
    }
    StdRng::from_seed(key)
}

/// A changed copy of a face, of the same size.
pub struct Changed {
    /// With all changes.
    pub face: GrayImage,
    /// The same before its blur, where it was blurred.
    pub sharp: Option<GrayImage>,
}

/// Changes `face`, in one of six forms where the trial asks for them.
pub fn augment(face: Gray8<'_>, config: &AugmentConfig, form: Form, rng: &mut StdRng) -> Changed {
    let mut changed = warp_and_light(face, config, rng);
    form.apply(&mut changed, rng);
    if config.gaussian_noise > 0.0 {
        add_noise(&mut changed, config.gaussian_noise, rng);
    }
    if chance(rng, config.erase_probability) {
        erase(&mut changed, rng);
    }
    if chance(rng, config.blur_probability) {
        return Changed { face: blur(&changed, config, rng), sharp: Some(changed) };
    }
    Changed { face: changed, sharp: None }
}

/// Whether something with this probability happens.
pub fn chance(rng: &mut StdRng, probability: f32) -> bool {
    rng.random::<f32>() < probability
}

/// A number of `-range..range`.
pub fn symmetric(rng: &mut StdRng, range: f32) -> f32 {
    (rng.random::<f32>() * 2.0 - 1.0) * range
}

/// One resampling for flip, rotation, scale and shift (bilinear, edges repeated), with contrast
/// about the middle gray and brightness applied before rounding.
fn warp_and_light(face: Gray8<'_>, config: &AugmentConfig, rng: &mut StdRng) -> GrayImage {
    let (width, height) = (face.width(), face.height());
    let mirror = if config.flip && rng.random::<bool>() { -1.0 } else { 1.0 };
    let (sin, cos) = symmetric(rng, config.rotation_deg).to_radians().sin_cos();
    let scale = 1.0 + symmetric(rng, config.scale);
    let shift_x = symmetric(rng, config.shift) * width as f32;
    let shift_y = symmetric(rng, config.shift) * height as f32;
    let contrast = 1.0 + symmetric(rng, config.contrast);
    let brightness = symmetric(rng, config.brightness) * 255.0;

    let (center_x, center_y) = ((width as f32 - 1.0) / 2.0, (height as f32 - 1.0) / 2.0);
    let mut out = GrayImage::new(width, height);
    for (y, row) in out.pixels_mut().chunks_exact_mut(width).enumerate() {
        let dy = y as f32 - center_y;
        for (x, pixel) in row.iter_mut().enumerate() {
            let dx = (x as f32 - center_x) * mirror;
            let from_x = (cos * dx - sin * dy) * scale + center_x + shift_x;
            let from_y = (sin * dx + cos * dy) * scale + center_y + shift_y;
            let value = (bilinear(face, from_x, from_y) - 128.0) * contrast + 128.0 + brightness;
            *pixel = value.round().clamp(0.0, 255.0) as u8;
        }
    }
    out
}

/// The picture between its pixels, whose middles are at whole numbers; its edges go on.
pub fn bilinear(face: Gray8<'_>, x: f32, y: f32) -> f32 {
    let x = x.clamp(0.0, face.width() as f32 - 1.0);
    let y = y.clamp(0.0, face.height() as f32 - 1.0);
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(face.width() - 1), (top + 1).min(face.height() - 1));
    let (fx, fy) = (x - left as f32, y - top as f32);
    let at = |x, y| f32::from(face.get(x, y));
    let upper = at(left, top) + (at(right, top) - at(left, top)) * fx;
    let lower = at(left, bottom) + (at(right, bottom) - at(left, bottom)) * fx;
    upper + (lower - upper) * fy
}

/// Random erasing (Zhong et al. 2020): a rectangle of 2 to 15 % of the picture becomes one gray.
fn erase(picture: &mut GrayImage, rng: &mut StdRng) {
    let (width, height) = (picture.width(), picture.height());
    let area = rng.random_range(0.02..0.15) * (width * height) as f32;
    let aspect: f32 = rng.random_range(0.5f32..2.0);
    let erased_width = ((area * aspect).sqrt() as usize).clamp(1, width);
    let erased_height = ((area / aspect).sqrt() as usize).clamp(1, height);
    let left = rng.random_range(0..=width - erased_width);
    let top = rng.random_range(0..=height - erased_height);
    let gray = rng.random::<u8>();
    for row in picture.pixels_mut().chunks_exact_mut(width).skip(top).take(erased_height) {
        row[left..left + erased_width].fill(gray);
    }
}

/// Adds Gaussian noise; `deviation` is a share of the full range.
pub fn add_noise(picture: &mut GrayImage, deviation: f32, rng: &mut StdRng) {
    for pixel in picture.pixels_mut() {
        let noise = gaussian(rng) * deviation * 255.0;
        *pixel = (f32::from(*pixel) + noise).round().clamp(0.0, 255.0) as u8;
    }
}

/// A normally distributed number (Box and Muller 1958).
pub fn gaussian(rng: &mut StdRng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.random::<f32>()).ln()).sqrt();
    radius * (rng.random::<f32>() * std::f32::consts::TAU).cos()
}

/// One of the levels that the trial names; without any a box blur, or a Gaussian of the same
/// variance, of a random radius.
fn blur(picture: &GrayImage, config: &AugmentConfig, rng: &mut StdRng) -> GrayImage {
    if !config.blur_levels.is_empty() {
        let level = config.blur_levels[rng.random_range(0..config.blur_levels.len())];
        return box_blur(picture.view(), level.radius_px(picture.width()));
    }
    let strongest = config.blur_radius_at_128_px * picture.width() as f32 / BLUR_REFERENCE_SIDE;
    let radius = rng.random::<f32>() * strongest;
    soften(picture.view(), radius, rng)
}

/// Box blur of this radius in px or, as often, a Gaussian of the same variance.
pub fn soften(picture: Gray8<'_>, radius_px: f32, rng: &mut StdRng) -> GrayImage {
    if rng.random::<bool>() {
        box_blur(picture, radius_px)
    } else {
        // The variance of a mean over 2 r + 1 px is ((2 r + 1)^2 - 1) / 12.
        let variance = ((2.0 * radius_px + 1.0).powi(2) - 1.0) / 12.0;
        gaussian_blur(picture, variance.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> GrayImage {
        let mut picture = GrayImage::new(48, 48);
        for (index, pixel) in picture.pixels_mut().iter_mut().enumerate() {
            *pixel = (index % 48 * 5) as u8;
        }
        picture
    }

    fn augmented(face: Gray8<'_>, config: &AugmentConfig, rng: &mut StdRng) -> GrayImage {
        augment(face, config, Form::Original, rng).face
    }

    fn still() -> AugmentConfig {
        AugmentConfig {
            flip: false,
            rotation_deg: 0.0,
            scale: 0.0,
            shift: 0.0,
            contrast: 0.0,
            brightness: 0.0,
            erase_probability: 0.0,
            blur_probability: 0.0,
            blur_radius_at_128_px: 0.0,
            ..AugmentConfig::default()
        }
    }

    #[test]
    fn all_off_changes_nothing() {
        let face = ramp();
        assert_eq!(augmented(face.view(), &still(), &mut stream(1, 0, 0, 0)), face);
    }

    #[test]
    fn the_same_place_in_the_run_draws_the_same_picture() {
        let config = AugmentConfig { blur_probability: 1.0, ..AugmentConfig::default() };
        let at = |index| augmented(ramp().view(), &config, &mut stream(7, 1, 2, index));
        assert_eq!(at(3), at(3));
        assert_ne!(at(3), at(4));
    }

    #[test]
    fn a_flip_mirrors() {
        let config = AugmentConfig { flip: true, ..still() };
        let face = ramp();
        let mirrored = (0..64)
            .map(|index| augmented(face.view(), &config, &mut stream(1, 0, 0, index)))
            .filter(|picture| *picture != face)
            .collect::<Vec<_>>();
        assert!((10..54).contains(&mirrored.len()), "{} of 64 mirrored", mirrored.len());
        assert!(mirrored.iter().all(|picture| picture.view().get(0, 5) == face.view().get(47, 5)));
    }

    #[test]
    fn blur_smooths_and_erasing_stays_inside() {
        let checker = {
            let mut picture = GrayImage::new(48, 48);
            for (index, pixel) in picture.pixels_mut().iter_mut().enumerate() {
                *pixel = if (index % 48 + index / 48) % 2 == 0 { 255 } else { 0 };
            }
            picture
        };
        let config = AugmentConfig { blur_probability: 1.0, blur_radius_at_128_px: 14.0, ..still() };
        let smoothed = (0..32)
            .filter(|&index| {
                let picture = augmented(checker.view(), &config, &mut stream(1, 0, 0, index));
                models::BlurEstimate::of(picture.view()).laplacian_variance
                    < models::BlurEstimate::of(checker.view()).laplacian_variance
            })
            .count();
        assert_eq!(smoothed, 32);
        let config = AugmentConfig { erase_probability: 1.0, ..still() };
        for index in 0..200 {
            let picture = augmented(ramp().view(), &config, &mut stream(2, 0, 0, index));
            let changed = picture.pixels().iter().zip(ramp().pixels()).filter(|(a, b)| a != b).count();
            assert!(changed <= 48 * 48 * 16 / 100, "{changed} px changed");
        }
    }

    #[test]
    fn the_face_before_its_blur_is_what_is_blurred() {
        let levels = vec![models::BlurLevel::High];
        let blurring = AugmentConfig { blur_probability: 0.5, blur_levels: levels, ..AugmentConfig::default() };
        let radius = models::BlurLevel::High.radius_px(48);
        let mut blurred = 0;
        for index in 0..20 {
            let Changed { face, sharp } =
                augment(ramp().view(), &blurring, Form::Original, &mut stream(1, 0, 0, index));
            if let Some(sharp) = sharp {
                blurred += 1;
                assert_eq!(box_blur(sharp.view(), radius), face);
            }
        }
        assert!((3..18).contains(&blurred), "{blurred} of 20");
    }

    #[test]
    fn named_levels_are_the_studys_boxes() {
        let levels = vec![models::BlurLevel::Low, models::BlurLevel::High];
        let config = AugmentConfig { blur_probability: 1.0, blur_levels: levels.clone(), ..still() };
        let boxes: Vec<GrayImage> = levels.iter().map(|level| box_blur(ramp().view(), level.radius_px(48))).collect();
        let drawn: Vec<GrayImage> =
            (0..20).map(|index| augmented(ramp().view(), &config, &mut stream(1, 0, 0, index))).collect();
        assert!(drawn.iter().all(|picture| boxes.contains(picture)));
        assert!(boxes.iter().all(|picture| drawn.contains(picture)));
    }

    #[test]
    fn noise_has_its_deviation() {
        let face = GrayImage::from_vec(vec![128; 48 * 48], 48, 48).unwrap();
        let config = AugmentConfig { gaussian_noise: 0.1, ..still() };
        let noisy = augmented(face.view(), &config, &mut stream(1, 0, 0, 0));
        let square: f32 = noisy.pixels().iter().map(|&pixel| (f32::from(pixel) - 128.0).powi(2)).sum();
        let deviation = (square / (48.0 * 48.0)).sqrt();
        assert!((deviation - 25.5).abs() < 2.0, "{deviation}");
    }
}
