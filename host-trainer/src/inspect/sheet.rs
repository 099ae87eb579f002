//! A sheet with pictures of every class.

use std::convert::Infallible;

use anyhow::Context;
use embedded_graphics::mono_font::ascii::{FONT_6X10, FONT_9X15};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::Gray8;
use embedded_graphics::prelude::*;
use embedded_graphics::text::Text;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use models::LabelSet;

use super::scan::{ON_SHEET, Scan, THUMBNAIL};

/// Room for the labels, px.
const LEFT: usize = 110;
/// Between pictures, px.
const GAP: usize = 4;
/// Gray of the paper.
const PAPER: u8 = 250;

/// One row of pictures for each label, as a gray PNG.
///
/// # Errors
/// The encoder fails.
pub fn png(labels: &LabelSet, scan: &Scan) -> anyhow::Result<Vec<u8>> {
    let step = THUMBNAIL + GAP;
    let (width, height) = (LEFT + ON_SHEET * step, GAP + labels.len() * step);
    let mut sheet = Sheet { pixels: vec![PAPER; width * height], width, height };
    for (row, (label, samples)) in labels.iter().zip(&scan.samples).enumerate() {
        let top = GAP + row * step;
        let count = scan.facts.list.iter().filter(|fact| usize::from(fact.label) == row).count();
        sheet.text(label.name(), (8, top + 28), &FONT_9X15);
        sheet.text(&format!("{count} pictures"), (8, top + 44), &FONT_6X10);
        for (column, picture) in samples.values().enumerate() {
            let left = LEFT + column * step;
            for (y, line) in picture.pixels().chunks_exact(THUMBNAIL).enumerate() {
                let start = (top + y) * width + left;
                sheet.pixels[start..start + THUMBNAIL].copy_from_slice(line);
            }
        }
    }
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(&sheet.pixels, width as u32, height as u32, ExtendedColorType::L8)
        .context("cannot encode the sheet")?;
    Ok(png)
}

/// A gray picture that text can be drawn into.
struct Sheet {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
}

impl Sheet {
    fn text(&mut self, text: &str, (x, y): (usize, usize), font: &MonoFont<'_>) {
        let style = MonoTextStyle::new(font, Gray8::new(0));
        // Drawing into memory cannot fail.
        let Ok(_) = Text::new(text, Point::new(x as i32, y as i32), style).draw(self);
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
