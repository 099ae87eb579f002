//! A picture kept at several sizes, so that it can be drawn small without aliasing.

use models::{Gray8, GrayImage, PixelPoint, resize};

use crate::augment::bilinear;

/// No smaller version than this is kept, px of the shorter side.
const SMALLEST_PX: usize = 12;
/// A version may be shrunk by this much between its pixels.
const SHRINK: f32 = 0.6;

/// A gray picture, its half, its quarter and so on.
#[derive(Clone, Debug)]
pub struct Pyramid {
    /// From large to small.
    levels: Vec<GrayImage>,
}

impl Pyramid {
    /// All versions of `picture`.
    pub fn new(picture: GrayImage) -> Self {
        let mut levels = vec![picture];
        while let Some(last) = levels.last()
            && last.width().min(last.height()) >= 2 * SMALLEST_PX
        {
            let half = resize(last.view(), last.width().div_ceil(2), last.height().div_ceil(2));
            levels.push(half);
        }
        Self { levels }
    }

    /// The picture itself.
    pub fn full(&self) -> Gray8<'_> {
        self.levels[0].view()
    }

    /// The version to draw at `scale` px a px of the picture.
    pub fn at_scale(&self, scale: f32) -> Version<'_> {
        let halvings = (SHRINK / scale).log2().ceil().max(0.0) as usize;
        let view = self.levels[halvings.min(self.levels.len() - 1)].view();
        let full = self.full();
        Version {
            view,
            across: view.width() as f32 / full.width() as f32,
            down: view.height() as f32 / full.height() as f32,
        }
    }
}

/// One size of a picture.
#[derive(Copy, Clone)]
pub struct Version<'a> {
    view: Gray8<'a>,
    across: f32,
    down: f32,
}

impl Version<'_> {
    /// The gray at a point of the full picture, in its px; its edges go on.
    pub fn gray(&self, point: PixelPoint) -> f32 {
        bilinear(self.view, point.x * self.across - 0.5, point.y * self.down - 0.5)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_size_shows_the_same_places() {
        let ramp: Vec<u8> = (0..96 * 64).map(|index| (index % 96 * 2) as u8).collect();
        let pyramid = Pyramid::new(GrayImage::from_vec(ramp, 96, 64).unwrap());
        for scale in [3.0, 1.0, 0.5, 0.2, 0.01] {
            for x in [20.0f32, 48.0, 70.0] {
                let gray = pyramid.at_scale(scale).gray(PixelPoint { x, y: 30.0 });
                assert!((gray - (2.0 * x - 1.0)).abs() < 2.0, "{scale}: {gray} at {x}");
            }
        }
    }

    #[test]
    fn what_is_drawn_small_is_averaged() {
        let checker: Vec<u8> = (0..64 * 64).map(|index| if (index + index / 64) % 2 == 0 { 255 } else { 0 }).collect();
        let pyramid = Pyramid::new(GrayImage::from_vec(checker, 64, 64).unwrap());
        let gray = pyramid.at_scale(0.4).gray(PixelPoint { x: 21.3, y: 33.7 });
        assert!((gray - 128.0).abs() < 2.0, "{gray}");
    }
}
