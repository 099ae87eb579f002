//! Parts of pictures pasted with soft edges, and things that hide parts of a face.

use models::{GrayImage, PixelPoint, PixelRect};
use rand::RngExt;
use rand::rngs::StdRng;

use super::super::annotation::{Face, Placement};
use super::super::faces::Picture;
use crate::augment::{soften, symmetric};

/// Where the picture itself ends, the paste fades over this, px of the scene.
const HARD_EDGE_PX: f32 = 2.0;

/// A part of a picture on its way into a scene.
pub struct Patch<'a> {
    picture: &'a Picture,
    placement: Placement,
    /// What is shown, px of the picture.
    region: PixelRect,
    /// Width of the fading rim inside of the region, px of the scene.
    rim_px: f32,
    gain: f32,
    offset: f32,
}

impl<'a> Patch<'a> {
    /// A face with a margin of so many sides around it, as far as the picture reaches.
    pub fn around(picture: &'a Picture, face: &PixelRect, margin: f32, placement: Placement, rng: &mut StdRng) -> Self {
        let view = picture.pyramid.full();
        let (width, height) = (view.width() as f32, view.height() as f32);
        let side = face.area().sqrt();
        // A whole picture keeps its own edges.
        let margin_px = (margin * side).min(width + height);
        let region = PixelRect {
            x: face.x - margin_px,
            y: face.y - margin_px,
            width: face.width + 2.0 * margin_px,
            height: face.height + 2.0 * margin_px,
        };
        let rim_px = rng.random_range(0.2f32..0.9) * margin_px.min(0.5 * side) * placement.scale();
        Self::new(picture, region, rim_px, placement, rng)
    }

    /// A part of a picture, with any rim.
    pub fn of(picture: &'a Picture, region: &PixelRect, placement: Placement, rng: &mut StdRng) -> Self {
        let rim_px = rng.random_range(0.02f32..0.5) * region.width.min(region.height) * placement.scale();
        Self::new(picture, *region, rim_px, placement, rng)
    }

    fn new(picture: &'a Picture, region: PixelRect, rim_px: f32, placement: Placement, rng: &mut StdRng) -> Self {
        let gain = 1.0 + symmetric(rng, 0.25);
        Self { picture, placement, region, rim_px: rim_px.max(1.0), gain, offset: symmetric(rng, 25.0) }
    }

    /// The region that there is a picture of.
    fn visible(&self) -> PixelRect {
        let view = self.picture.pyramid.full();
        let (x, y) = (self.region.x.max(0.0), self.region.y.max(0.0));
        let right = (self.region.x + self.region.width).min(view.width() as f32);
        let bottom = (self.region.y + self.region.height).min(view.height() as f32);
        PixelRect { x, y, width: right - x, height: bottom - y }
    }

    /// What of the scene it may change, px.
    pub fn bounds(&self) -> PixelRect {
        self.placement.bounds(&self.visible())
    }

    /// Share of a rectangle of the picture that it shows.
    pub fn shows(&self, rect: &PixelRect) -> f32 {
        let rim = self.rim_px / self.placement.scale();
        let region = &self.region;
        let solid = PixelRect {
            x: region.x + 0.5 * rim,
            y: region.y + 0.5 * rim,
            width: region.width - rim,
            height: region.height - rim,
        };
        rect.shared_area(&solid) / rect.area().max(1.0)
    }

    /// Draws it into `scene`, blurred by a radius where there is one, px of the scene.
    pub fn draw(&self, scene: &mut GrayImage, blur_radius_px: Option<f32>, rng: &mut StdRng) {
        let bounds = self.bounds();
        let (width, height) = (scene.width(), scene.height());
        let left = bounds.x.max(0.0) as usize;
        let top = bounds.y.max(0.0) as usize;
        let right = ((bounds.x + bounds.width).ceil().max(0.0) as usize).min(width);
        let bottom = ((bounds.y + bounds.height).ceil().max(0.0) as usize).min(height);
        if left >= right || top >= bottom {
            return;
        }
        let version = self.picture.pyramid.at_scale(self.placement.scale());
        let mut drawn = GrayImage::new(right - left, bottom - top);
        let mut shares = vec![0f32; drawn.pixels().len()];
        for (index, (pixel, share)) in drawn.pixels_mut().iter_mut().zip(&mut shares).enumerate() {
            let (x, y) = (left + index % (right - left), top + index / (right - left));
            let from = self.placement.back(PixelPoint { x: x as f32 + 0.5, y: y as f32 + 0.5 });
            *pixel = (version.gray(from) * self.gain + self.offset) as u8;
            *share = self.share(from);
        }
        if let Some(radius) = blur_radius_px {
            drawn = soften(drawn.view(), radius, rng);
        }
        let rows = scene.pixels_mut().chunks_exact_mut(width).skip(top);
        let pasted = drawn.pixels().chunks_exact(right - left).zip(shares.chunks_exact(right - left));
        for (row, (line, shares)) in rows.zip(pasted) {
            for ((pixel, &over), &share) in row[left..right].iter_mut().zip(line).zip(shares) {
                let under = f32::from(*pixel);
                *pixel = (under + share * (f32::from(over) - under) + 0.5) as u8;
            }
        }
    }

    /// How much of the patch is seen at a point of the picture, 0..=1.
    fn share(&self, point: PixelPoint) -> f32 {
        let view = self.picture.pyramid.full();
        let whole = PixelRect { x: 0.0, y: 0.0, width: view.width() as f32, height: view.height() as f32 };
        let depth_px = |rect: &PixelRect| {
            let across = (point.x - rect.x).min(rect.x + rect.width - point.x);
            let down = (point.y - rect.y).min(rect.y + rect.height - point.y);
            across.min(down) * self.placement.scale()
        };
        let soft = (depth_px(&self.region) / self.rim_px).clamp(0.0, 1.0);
        let hard = (depth_px(&whole) / HARD_EDGE_PX).clamp(0.0, 1.0);
        (soft * soft * (3.0 - 2.0 * soft)).min(hard)
    }
}

/// Hides up to two fifths of a face behind something, from one of its sides.
pub fn cover(scene: &mut GrayImage, face: &Face, rng: &mut StdRng) {
    let rect = &face.rect;
    let depth = rng.random_range(0.1f32..0.4);
    let slack = 0.3;
    let (x, y, width, height) = match rng.random_range(0..4) {
        0 => (-slack, -slack, slack + depth, 1.0 + 2.0 * slack),
        1 => (1.0 - depth, -slack, slack + depth, 1.0 + 2.0 * slack),
        2 => (-slack, 1.0 - depth, 1.0 + 2.0 * slack, slack + depth),
        _ => (-slack, -slack, 1.0 + 2.0 * slack, slack + 0.7 * depth),
    };
    let (left, top) = (rect.x + x * rect.width, rect.y + y * rect.height);
    let (right, bottom) = (left + width * rect.width, top + height * rect.height);
    let gray = rng.random_range(10f32..230.0);
    let slope = symmetric(rng, 60.0) / rect.height;
    let stripes = rng.random_range(0f32..25.0);
    let wave = rng.random_range(0.05f32..0.8);
    let full = scene.width();
    for (y, row) in scene.pixels_mut().chunks_exact_mut(full).enumerate() {
        let y = y as f32 + 0.5;
        if y < top || y > bottom {
            continue;
        }
        for (x, pixel) in row.iter_mut().enumerate() {
            let x = x as f32 + 0.5;
            if x >= left && x <= right {
                let value = gray + slope * (y - top) + stripes * (wave * (x + 0.6 * y)).sin();
                let rim = (x - left).min(right - x).min(y - top).min(bottom - y).clamp(0.0, 1.0);
                let under = f32::from(*pixel);
                *pixel = (under + rim * (value.clamp(0.0, 255.0) - under)) as u8;
            }
        }
    }
}
