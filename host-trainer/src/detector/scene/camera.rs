//! What a camera and bad light do to a scene.

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use models::GrayImage;
use rand::RngExt;
use rand::rngs::StdRng;

use super::super::config::SceneConfig;
use crate::augment::{BLUR_REFERENCE_SIDE, chance, soften, symmetric};

/// Radius in px that is `radius_at_128_px` for a face of 128 px, for one of `side_px`.
pub fn blur_radius_px(radius_at_128_px: f32, side_px: f32) -> f32 {
    radius_at_128_px * side_px / BLUR_REFERENCE_SIDE
}

/// Blur in relation to a face of `face_side_px`, then light, exposure, noise and JPEG.
pub fn photograph(scene: &mut GrayImage, config: &SceneConfig, face_side_px: f32, rng: &mut StdRng) {
    if chance(rng, config.blurred_scenes) {
        let radius = blur_radius_px(rng.random::<f32>() * config.blur_radius_at_128_px, face_side_px);
        *scene = soften(scene.view(), radius, rng);
    }
    let (curve, light_left) = exposure(config, rng);
    let (tilt_x, tilt_y) = if chance(rng, 0.3) { (symmetric(rng, 0.6), symmetric(rng, 0.6)) } else { (0.0, 0.0) };
    let strongest = if chance(rng, config.noisy) { rng.random_range(1f32..14.0) } else { 0.0 };
    // In the dark a camera shows its noise, but not more than the little light there is.
    let noise = strongest * light_left.sqrt();
    let (width, height) = (scene.width(), scene.height());
    for (y, row) in scene.pixels_mut().chunks_exact_mut(width).enumerate() {
        let down = y as f32 / height as f32 - 0.5;
        for (x, pixel) in row.iter_mut().enumerate() {
            let across = x as f32 / width as f32 - 0.5;
            let light = 1.0 + tilt_x * across + tilt_y * down;
            let lit = (f32::from(*pixel) * light).clamp(0.0, 255.0) as usize;
            let grain = if noise > 0.0 { noise * grain(rng) } else { 0.0 };
            *pixel = (curve[lit] + grain + 0.5) as u8;
        }
    }
    if chance(rng, config.jpeg) {
        through_jpeg(scene, rng);
    }
}

/// The gray of every gray, and how much of the light is left at most.
fn exposure(config: &SceneConfig, rng: &mut StdRng) -> ([f32; 256], f32) {
    let drawn = rng.random::<f32>();
    let gamma = symmetric(rng, 0.5).exp();
    let (gain, offset) = if drawn < config.dark {
        // Every halving as often, down to a sixteenth.
        (2f32.powf(-rng.random_range(1f32..4.0)), 0.0)
    } else if drawn < config.dark + config.bright {
        (rng.random_range(1.2f32..3.0), rng.random_range(0f32..60.0))
    } else if drawn < config.dark + config.bright + config.hazy {
        let gain = rng.random_range(0.25f32..0.7);
        (gain, 255.0 * (1.0 - gain) * rng.random::<f32>())
    } else {
        let gain = 1.0 + symmetric(rng, 0.45);
        (gain, 128.0 * (1.0 - gain) + symmetric(rng, 40.0))
    };
    let curve = std::array::from_fn(|gray| {
        let curved = 255.0 * (gray as f32 / 255.0).powf(gamma);
        (curved * gain + offset).clamp(0.0, 255.0)
    });
    (curve, gain.min(1.0))
}

/// Nearly normal, of deviation 1: a sum of four even numbers.
fn grain(rng: &mut StdRng) -> f32 {
    /// Variance of a byte is `(256^2 - 1) / 12`.
    const DEVIATION: f32 = 147.8;
    let sum: u16 = rng.random::<u32>().to_le_bytes().into_iter().map(u16::from).sum();
    (f32::from(sum) - 510.0) / DEVIATION
}

fn through_jpeg(scene: &mut GrayImage, rng: &mut StdRng) {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, rng.random_range(25..=85));
    let (width, height) = (scene.width() as u32, scene.height() as u32);
    let encoded = encoder.encode(scene.pixels(), width, height, ExtendedColorType::L8);
    let decoded = encoded.and_then(|()| image::load_from_memory(&bytes));
    // A scene is never too large for JPEG; if it were, it would only stay as it is.
    if let Ok(decoded) = decoded {
        scene.pixels_mut().copy_from_slice(decoded.into_luma8().as_raw());
    }
}
