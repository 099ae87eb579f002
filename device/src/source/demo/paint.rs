//! What is around the faces of the demo: a quiet room, a head and shoulders, and the lens.

use models::{GrayImage, box_blur};

use super::brush::{ellipse, gray_level, paint_around, smooth_step};
use super::script::{Act, Random};

/// Standard deviation of the camera's noise, in gray levels.
const NOISE: f32 = 1.2;

/// Strands of hair over the width of a face, and how much they differ, in gray levels.
const STRANDS: usize = 38;
const HAIR: f32 = 16.0;

/// A softly lit wall with a few blurred lights.
pub fn backdrop(width: usize, height: usize, seed: u64) -> GrayImage {
    let mut random = Random(seed ^ 0x000b_ac4d);
    let mut wall = GrayImage::new(width, height);
    let mut share = |from: f32, to: f32| from + (to - from) * random.below(1000) as f32 / 1000.0;
    let lights: Vec<[f32; 4]> =
        (0..9).map(|_| [share(0.0, 1.0), share(0.0, 0.7), share(0.03, 0.09), share(6.0, 26.0)]).collect();
    let (w, h) = (width as f32, height as f32);
    for (i, pixel) in wall.pixels_mut().iter_mut().enumerate() {
        let (x, y) = ((i % width) as f32, (i / width) as f32);
        let (u, v) = (x / w, y / h);
        // Light from the upper left, and the corners a little darker.
        let (cx, cy) = (u - 0.4, v - 0.3);
        let mut value = 118.0 - 90.0 * (cx * cx + cy * cy);
        for [lx, ly, radius, strength] in &lights {
            let distance = ((u - lx).powi(2) * (w / h).powi(2) + (v - ly).powi(2)).sqrt();
            value += strength * (1.0 - smooth_step(0.7 * radius, *radius, distance));
        }
        *pixel = gray_level(value);
    }
    box_blur(wall.view(), h / 160.0)
}

/// Shoulders, neck and hair, so that the face does not float.
pub fn figure(picture: &mut GrayImage, act: &Act) {
    let (side, strands) = (act.side, strands());
    let mut oval = |dy: f32, rx: f32, ry: f32, soft: f32, level: &dyn Fn(f32) -> f32| {
        // Turned with the head about its middle, as far as one sees.
        let middle = (act.centre.0 - act.tilt * dy * side, act.centre.1 + dy * side);
        let (rx, ry) = (rx * side, ry * side);
        paint_around(picture, middle, rx.max(ry), |x, y, old| {
            let alpha = 1.0 - smooth_step(1.0 - soft, 1.0, ellipse(x, y, rx, ry));
            if alpha <= 0.0 { old } else { old + (level(x / side) - old) * alpha }
        });
    };
    oval(1.52, 1.05, 0.98, 0.06, &|_| 44.0);
    oval(0.50, 0.24, 0.44, 0.45, &|_| 144.0);
    oval(-0.10, 0.50, 0.56, 0.22, &|x| 38.0 + strand(&strands, x));
}

/// Light and dark strands of hair, in gray levels, across two widths of a face.
fn strands() -> Vec<f32> {
    let mut random = Random(0x4a12);
    let mut level = || HAIR * (random.below(1000) as f32 / 500.0 - 1.0);
    (0..2 * STRANDS + 2).map(|_| level()).collect()
}

/// The level between two strands at `x` widths of the face from its middle.
fn strand(strands: &[f32], x: f32) -> f32 {
    let place = ((x + 1.0) * STRANDS as f32).clamp(0.0, (2 * STRANDS) as f32);
    let (first, share) = (place as usize, place.fract());
    strands[first] + (strands[first + 1] - strands[first]) * share
}

/// Blurs a face and what is next to it; further away the picture stays as it is.
pub fn blur_face(picture: &mut GrayImage, centre: (f32, f32), side: f32, radius_px: f32) {
    if radius_px <= 0.0 {
        return;
    }
    let blurred = box_blur(picture.view(), radius_px);
    let width = picture.width();
    let (left, top) = centre;
    paint_around(picture, centre, 0.95 * side, |dx, dy, old| {
        let (x, y) = ((left + dx) as usize, (top + dy) as usize);
        let new = f32::from(blurred.pixels()[y * width + x]);
        let alpha = 1.0 - smooth_step(0.72, 0.95, ellipse(dx, dy, side, side));
        old + (new - old) * alpha
    });
}

/// The noise of a camera, other in each frame.
pub fn grain(picture: &mut GrayImage, number: u64) {
    let mut random = Random(number.wrapping_mul(0x5851_f42d_4c95_7f2d));
    for pixels in picture.pixels_mut().chunks_mut(4) {
        // Sixteen bits a pixel: four even numbers of four bits, whose sum has mean 30 and
        // standard deviation 9.2.
        let mut bits = random.bits();
        for pixel in pixels {
            let sum: u64 = (0..4).map(|i| (bits >> (4 * i)) & 15).sum();
            bits >>= 16;
            let noise = (sum as f32 - 30.0) * NOISE / 9.2;
            *pixel = gray_level(f32::from(*pixel) + noise);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::demo::brush::at;

    fn spread(picture: &GrayImage) -> f32 {
        let values = || picture.pixels().iter().map(|value| f32::from(*value));
        let count = picture.pixels().len() as f32;
        let mean = values().sum::<f32>() / count;
        (values().map(|value| (value - mean).powi(2)).sum::<f32>() / count).sqrt()
    }

    #[test]
    fn noise_is_as_strong_as_it_says_and_new_in_each_frame() {
        let mut flat = GrayImage::new(200, 200);
        flat.pixels_mut().fill(100);
        let (mut one, mut two) = (flat.clone(), flat);
        grain(&mut one, 1);
        grain(&mut two, 2);
        assert!((spread(&one) - NOISE).abs() < 0.15, "{}", spread(&one));
        assert_ne!(one, two);
    }

    #[test]
    fn blur_stays_near_the_face() {
        let mut sharp = GrayImage::new(200, 100);
        for (i, pixel) in sharp.pixels_mut().iter_mut().enumerate() {
            *pixel = if i % 2 == 0 { 0 } else { 200 };
        }
        let mut blurred = sharp.clone();
        blur_face(&mut blurred, (50.0, 50.0), 40.0, 5.0);
        assert!((at(&blurred, 50, 50) - at(&blurred, 51, 50)).abs() < 40.0);
        assert_eq!(at(&blurred, 150, 50), at(&sharp, 150, 50));
    }
}
