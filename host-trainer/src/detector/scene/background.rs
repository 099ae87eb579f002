//! What is behind the faces: parts of other pictures without one, or made textures.

use models::{GrayImage, PixelPoint, PixelRect, resize};
use rand::RngExt;
use rand::rngs::StdRng;

use super::super::annotation::Placement;
use super::super::faces::Picture;
use crate::augment::symmetric;

/// A part must be this large to be of use, px.
const LEAST_PX: f32 = 20.0;
/// Faces are kept away from by this share of their box.
const KEEP_AWAY: f32 = 0.12;

/// A picture of `width` x `height` px without a face.
pub fn background(pictures: &[Picture], width: usize, height: usize, rng: &mut StdRng) -> GrayImage {
    let picture = &pictures[rng.random_range(0..pictures.len())];
    match (rng.random_range(0..10), faceless(picture, rng)) {
        (0..=7, Some(part)) => tiled(picture, &part, width, height, rng),
        (8, _) => plain(width, height, rng),
        _ => clouds(width, height, rng),
    }
}

/// A part of the picture beside, above or below all of its faces; large ones are drawn more often.
pub fn faceless(picture: &Picture, rng: &mut StdRng) -> Option<PixelRect> {
    let view = picture.pyramid.full();
    let (width, height) = (view.width() as f32, view.height() as f32);
    let edge = |of: fn(&PixelRect) -> f32| picture.faces.iter().map(move |face| of(&face.rect));
    let left = edge(|r| r.x - KEEP_AWAY * r.width).fold(width, f32::min);
    let right = edge(|r| r.x + (1.0 + KEEP_AWAY) * r.width).fold(0.0, f32::max);
    let top = edge(|r| r.y - KEEP_AWAY * r.height).fold(height, f32::min);
    let bottom = edge(|r| r.y + (1.0 + KEEP_AWAY) * r.height).fold(0.0, f32::max);
    let parts: Vec<PixelRect> = [
        (0.0, 0.0, left, height),
        (right, 0.0, width - right, height),
        (0.0, 0.0, width, top),
        (0.0, bottom, width, height - bottom),
    ]
    .into_iter()
    .map(|(x, y, width, height)| PixelRect { x, y, width, height })
    .filter(|part| part.width.min(part.height) >= LEAST_PX)
    .collect();
    let total: f32 = parts.iter().map(PixelRect::area).sum();
    let mut drawn = rng.random::<f32>() * total;
    parts.into_iter().find(|part| {
        drawn -= part.area();
        drawn <= 0.0
    })
}

/// The part, and its mirror images side by side, turned a little.
fn tiled(picture: &Picture, part: &PixelRect, width: usize, height: usize, rng: &mut StdRng) -> GrayImage {
    // Between a quarter of the scene and all of it.
    let scale = (width as f32 / part.width.max(part.height)) * rng.random_range(0.25f32..1.3);
    let middle = PixelPoint { x: width as f32 * 0.5, y: height as f32 * 0.5 };
    let placement = Placement::new(part.center(), middle, scale, symmetric(rng, 25.0), rng.random());
    let version = picture.pyramid.at_scale(scale);
    let mut out = GrayImage::new(width, height);
    for (y, row) in out.pixels_mut().chunks_exact_mut(width).enumerate() {
        for (x, pixel) in row.iter_mut().enumerate() {
            let from = placement.back(PixelPoint { x: x as f32 + 0.5, y: y as f32 + 0.5 });
            let inside = PixelPoint {
                x: part.x + folded(from.x - part.x, part.width),
                y: part.y + folded(from.y - part.y, part.height),
            };
            *pixel = (version.gray(inside) + 0.5) as u8;
        }
    }
    out
}

/// Runs to and fro in 0..`extent`.
fn folded(value: f32, extent: f32) -> f32 {
    let turn = value.rem_euclid(2.0 * extent);
    if turn > extent { 2.0 * extent - turn } else { turn }
}

/// One gray that goes over into another.
fn plain(width: usize, height: usize, rng: &mut StdRng) -> GrayImage {
    let corners = std::array::from_fn::<u8, 4, _>(|_| rng.random());
    let mut small = GrayImage::new(2, 2);
    small.pixels_mut().copy_from_slice(&corners);
    resize(small.view(), width, height)
}

/// Noise of several sizes.
fn clouds(width: usize, height: usize, rng: &mut StdRng) -> GrayImage {
    let mut sums = vec![0f32; width * height];
    let mut total = 0.0;
    for cell in [96, 48, 24, 12, 6] {
        let mut noise = GrayImage::new(width.div_ceil(cell) + 1, height.div_ceil(cell) + 1);
        noise.pixels_mut().iter_mut().for_each(|pixel| *pixel = rng.random());
        let weight = rng.random::<f32>();
        total += weight;
        for (sum, &pixel) in sums.iter_mut().zip(resize(noise.view(), width, height).pixels()) {
            *sum += weight * f32::from(pixel);
        }
    }
    let mut out = GrayImage::new(width, height);
    for (pixel, sum) in out.pixels_mut().iter_mut().zip(sums) {
        *pixel = (sum / total.max(f32::MIN_POSITIVE)) as u8;
    }
    out
}
