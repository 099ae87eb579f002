//! A gray sheet of paper for small pictures and what is to be said of them.

use std::convert::Infallible;

use anyhow::Context;
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::Gray8;
use embedded_graphics::prelude::*;
use embedded_graphics::text::Text;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use models::GrayImage;

/// Gray of the paper.
const PAPER: u8 = 250;

/// A sheet. Places in px from the top left; what lies outside is cut off.
pub struct Sheet {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
}

impl Sheet {
    /// An empty sheet.
    pub fn new(width: usize, height: usize) -> Self {
        Self { pixels: vec![PAPER; width * height], width, height }
    }

    /// Puts a picture with its top left corner there.
    pub fn picture(&mut self, picture: &GrayImage, (left, top): (usize, usize)) {
        let width = picture.width().min(self.width.saturating_sub(left));
        let lines = picture.pixels().chunks_exact(picture.width().max(1));
        for (y, line) in (top..self.height).zip(lines) {
            let start = y * self.width + left;
            self.pixels[start..start + width].copy_from_slice(&line[..width]);
        }
    }

    /// Writes black text whose baseline begins there.
    pub fn text(&mut self, text: &str, (x, y): (usize, usize), font: &MonoFont<'_>) {
        let style = MonoTextStyle::new(font, Gray8::new(0));
        // Drawing into memory cannot fail.
        let Ok(_) = Text::new(text, Point::new(x as i32, y as i32), style).draw(self);
    }

    /// The sheet as a PNG.
    ///
    /// # Errors
    /// The encoder fails.
    pub fn png(&self) -> anyhow::Result<Vec<u8>> {
        let mut png = Vec::new();
        PngEncoder::new(&mut png)
            .write_image(&self.pixels, self.width as u32, self.height as u32, ExtendedColorType::L8)
            .context("cannot encode the sheet")?;
        Ok(png)
    }
}

impl OriginDimensions for Sheet {
    fn size(&self) -> Size {
        Size::new(self.width as u32, self.height as u32)
    }
}

impl DrawTarget for Sheet {
    type Color = Gray8;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Gray8>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(point, colour) in pixels {
            let (Ok(x), Ok(y)) = (usize::try_from(point.x), usize::try_from(point.y)) else { continue };
            if x < self.width && y < self.height {
                self.pixels[y * self.width + x] = colour.luma();
            }
        }
        Ok(())
    }
}
