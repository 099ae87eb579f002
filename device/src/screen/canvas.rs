//! The picture of the screen in RAM. Drawing into it cannot fail; only sending it to a
//! panel can.

use std::convert::Infallible;

use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::primitives::Rectangle;
use embedded_graphics::{Pixel, prelude::PointsIter};

/// A packed RGB picture that embedded-graphics draws into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canvas {
    size: Size,
    pixels: Vec<u8>,
}

impl Canvas {
    /// Bytes of one pixel: red, green, blue.
    pub const CHANNELS: usize = 3;

    /// A black canvas of `size` px.
    pub fn new(size: Size) -> Self {
        let bytes = size.width as usize * size.height as usize * Self::CHANNELS;
        Self { size, pixels: vec![0; bytes] }
    }

    /// All pixels: rows from the top, 3 bytes (red, green, blue) a pixel, no padding.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The whole area, from (0, 0).
    pub fn area(&self) -> Rectangle {
        Rectangle::new(Point::zero(), self.size)
    }

    /// Lays `colour` over the pixel at `at`; `alpha` 0 leaves it, 255 replaces it.
    /// Points outside are ignored.
    pub fn blend(&mut self, at: Point, colour: Rgb888, alpha: u8) {
        let Some(offset) = self.offset(at) else {
            return;
        };
        let pixel = &mut self.pixels[offset..offset + Self::CHANNELS];
        for (old, new) in pixel.iter_mut().zip(bytes_of(colour)) {
            *old = mix(*old, new, alpha);
        }
    }

    /// Lays `colour` over a whole area, as [`Canvas::blend`].
    pub fn shade(&mut self, area: Rectangle, colour: Rgb888, alpha: u8) {
        let colour = bytes_of(colour);
        self.for_rows(area, |row| {
            for pixel in row.chunks_exact_mut(Self::CHANNELS) {
                for (old, new) in pixel.iter_mut().zip(colour) {
                    *old = mix(*old, new, alpha);
                }
            }
        });
    }

    /// Copies one row of RGB bytes to the right of `at`; what lies outside is cut off.
    pub fn put_row(&mut self, at: Point, rgb: &[u8]) {
        let width = (rgb.len() / Self::CHANNELS) as u32;
        let skip = Self::CHANNELS * at.x.min(0).unsigned_abs() as usize;
        self.for_rows(Rectangle::new(at, Size::new(width, 1)), |row| {
            row.copy_from_slice(&rgb[skip..skip + row.len()]);
        });
    }

    /// The bytes of row `y`, from 0.
    pub fn row(&self, y: usize) -> &[u8] {
        &self.pixels[y * self.stride()..(y + 1) * self.stride()]
    }

    /// The pixels of row `y` of `area`, both inside of the canvas, from the left; each is
    /// its three bytes.
    pub fn pixels_of(&self, area: Rectangle, y: i32) -> impl Iterator<Item = &[u8]> {
        let left = area.top_left.x as usize * Self::CHANNELS;
        let width = area.size.width as usize * Self::CHANNELS;
        self.row(y as usize)[left..left + width].chunks_exact(Self::CHANNELS)
    }

    fn stride(&self) -> usize {
        self.size.width as usize * Self::CHANNELS
    }

    fn offset(&self, at: Point) -> Option<usize> {
        let (x, y) = (u32::try_from(at.x).ok()?, u32::try_from(at.y).ok()?);
        (x < self.size.width && y < self.size.height).then(|| y as usize * self.stride() + x as usize * Self::CHANNELS)
    }

    /// Calls `edit` with the bytes of each row of the part of `area` that is inside.
    fn for_rows(&mut self, area: Rectangle, mut edit: impl FnMut(&mut [u8])) {
        let area = area.intersection(&self.area());
        let width = area.size.width as usize * Self::CHANNELS;
        if width == 0 {
            return;
        }
        for y in area.rows() {
            if let Some(start) = self.offset(Point::new(area.top_left.x, y)) {
                edit(&mut self.pixels[start..start + width]);
            }
        }
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        self.size
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb888>>,
    {
        for Pixel(at, colour) in pixels {
            if let Some(offset) = self.offset(at) {
                self.pixels[offset..offset + Self::CHANNELS].copy_from_slice(&bytes_of(colour));
            }
        }
        Ok(())
    }

    fn fill_contiguous<I>(&mut self, area: &Rectangle, colours: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Rgb888>,
    {
        let pixels = area.points().zip(colours).map(|(at, c)| Pixel(at, c));
        self.draw_iter(pixels)
    }

    fn fill_solid(&mut self, area: &Rectangle, colour: Rgb888) -> Result<(), Infallible> {
        let colour = bytes_of(colour);
        self.for_rows(*area, |row| {
            for pixel in row.chunks_exact_mut(Self::CHANNELS) {
                pixel.copy_from_slice(&colour);
            }
        });
        Ok(())
    }
}

fn bytes_of(colour: Rgb888) -> [u8; Canvas::CHANNELS] {
    [colour.r(), colour.g(), colour.b()]
}

/// `old` and `new` mixed by `alpha` of 255, rounded.
fn mix(old: u8, new: u8, alpha: u8) -> u8 {
    let (old, new, alpha) = (u32::from(old), u32::from(new), u32::from(alpha));
    ((old * (255 - alpha) + new * alpha + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use embedded_graphics::prelude::*;
    use embedded_graphics::primitives::PrimitiveStyle;

    use super::*;

    fn canvas() -> Canvas {
        Canvas::new(Size::new(8, 4))
    }

    fn lit(canvas: &Canvas) -> Vec<(i32, i32)> {
        let points = canvas.area().points();
        points
            .filter(|at| {
                let offset = canvas.offset(*at).unwrap_or_default();
                canvas.pixels[offset..offset + 3] != [0, 0, 0]
            })
            .map(|at| (at.x, at.y))
            .collect()
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        let mut c = canvas();
        let style = PrimitiveStyle::with_fill(Rgb888::WHITE);
        let shape = Rectangle::new(Point::new(-5, -5), Size::new(6, 7));
        assert!(shape.into_styled(style).draw(&mut c).is_ok());
        c.blend(Point::new(8, 0), Rgb888::WHITE, 255);
        c.blend(Point::new(0, -1), Rgb888::WHITE, 255);
        c.put_row(Point::new(-1, 3), &[9; 6]);
        c.put_row(Point::new(7, 3), &[9; 6]);
        c.put_row(Point::new(20, 3), &[9; 6]);
        c.put_row(Point::new(0, 9), &[9; 6]);
        assert_eq!(lit(&c), [(0, 0), (0, 1), (0, 3), (7, 3)]);
    }

    #[test]
    fn blending_is_exact_at_its_ends() {
        let mut c = canvas();
        let at = Point::new(2, 1);
        c.blend(at, Rgb888::new(200, 100, 50), 255);
        assert_eq!(&c.pixels()[30..33], &[200, 100, 50]);
        c.blend(at, Rgb888::WHITE, 0);
        assert_eq!(&c.pixels()[30..33], &[200, 100, 50]);
        c.shade(c.area(), Rgb888::BLACK, 128);
        assert_eq!(&c.pixels()[30..33], &[100, 50, 25]);
    }

    #[test]
    fn an_empty_canvas_is_harmless() {
        let mut c = Canvas::new(Size::zero());
        assert!(c.clear(Rgb888::WHITE).is_ok());
        assert!(c.pixels().is_empty());
    }
}
