//! Smooth text at any size.
//!
//! The bitmap fonts of embedded-graphics end at 10x20 px, which nobody reads at arm's
//! length on a 7-inch panel, and enlarging them shows their pixels. Outlines are drawn
//! instead, from a font file of 9 kB; each glyph is drawn once and kept. The rasteriser
//! uses scalar arithmetic only, so that every machine draws the same pixels.

use std::collections::HashMap;

use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::primitives::Rectangle;

use super::canvas::Canvas;

const REGULAR: &[u8] = include_bytes!("../../assets/fonts/RobotoCondensed-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../../assets/fonts/RobotoCondensed-Bold.ttf");

/// Height of a capital letter as a share of the font size, in Roboto.
const CAPITAL: f32 = 0.711;

/// How strong the strokes are.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Weight {
    /// Captions and running text.
    Regular,
    /// Results and headings.
    Bold,
}

/// Where a text lies in the area given for it; always centred from top to bottom on the
/// height of its capitals.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Align {
    /// Starts at the left edge.
    Left,
    /// In the middle.
    Centre,
    /// Ends at the right edge.
    Right,
}

/// A way to write: weight, size in px, colour.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Style {
    /// Stroke strength.
    pub weight: Weight,
    /// Font size (of the em square) in px.
    pub px: u32,
    /// Colour of the text.
    pub colour: Rgb888,
}

impl Style {
    /// Running text.
    pub fn regular(px: u32, colour: Rgb888) -> Self {
        let weight = Weight::Regular;
        Self { weight, px, colour }
    }

    /// Results and headings.
    pub fn bold(px: u32, colour: Rgb888) -> Self {
        let weight = Weight::Bold;
        Self { weight, px, colour }
    }
}

struct Glyph {
    metrics: fontdue::Metrics,
    /// Coverage of each pixel of the glyph's box, 0..=255, rows from the top.
    coverage: Vec<u8>,
}

/// Writes text into a [`Canvas`].
pub struct Typesetter {
    regular: fontdue::Font,
    bold: fontdue::Font,
    glyphs: HashMap<(char, u32, Weight), Glyph>,
}

impl Typesetter {
    /// Reads the two fonts that are part of the program.
    pub fn new() -> Self {
        Self { regular: parse(REGULAR), bold: parse(BOLD), glyphs: HashMap::new() }
    }

    /// Width of `text` in px, rounded up.
    pub fn width(&mut self, text: &str, style: Style) -> u32 {
        let advances = text.chars();
        let sum: f32 = advances.map(|c| self.glyph(c, style).metrics.advance_width).sum();
        sum.ceil() as u32
    }

    /// `text`, or as much of its beginning as fits in `width` px with `…` behind it.
    pub fn fitted(&mut self, text: &str, style: Style, width: u32) -> String {
        if self.width(text, style) <= width {
            return text.to_owned();
        }
        let mut kept: String = text.to_owned();
        while kept.pop().is_some() {
            let shorter = format!("{}…", kept.trim_end());
            if self.width(&shorter, style) <= width {
                return shorter;
            }
        }
        String::new()
    }

    /// Writes `text` into `area`, shortened with `…` where it does not fit.
    pub fn write(&mut self, canvas: &mut Canvas, text: &str, style: Style, area: Rectangle, align: Align) {
        let text = self.fitted(text, style, area.size.width);
        let free = area.size.width as i32 - self.width(&text, style) as i32;
        let indent = match align {
            Align::Left => 0,
            Align::Centre => free / 2,
            Align::Right => free,
        };
        let capital = (style.px as f32 * CAPITAL).round() as i32;
        let baseline = area.top_left.y + (area.size.height as i32 + capital) / 2;
        let mut x = (area.top_left.x + indent) as f32;
        for c in text.chars() {
            let glyph = self.glyph(c, style);
            glyph.draw(canvas, Point::new(x.round() as i32, baseline), style.colour);
            x += glyph.metrics.advance_width;
        }
    }

    fn glyph(&mut self, c: char, style: Style) -> &Glyph {
        let Style { weight, px, .. } = style;
        let font = match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        };
        self.glyphs.entry((c, px, weight)).or_insert_with(|| {
            let (metrics, coverage) = font.rasterize(c, px as f32);
            Glyph { metrics, coverage }
        })
    }
}

impl Glyph {
    /// Draws with the pen at `at`, on the baseline.
    fn draw(&self, canvas: &mut Canvas, at: Point, colour: Rgb888) {
        let size = Size::new(self.metrics.width as u32, self.metrics.height as u32);
        let top = at.y - self.metrics.ymin - size.height as i32;
        let left = at.x + self.metrics.xmin;
        let rows = self.coverage.chunks(self.metrics.width.max(1));
        for (y, row) in (top..).zip(rows) {
            for (x, coverage) in (left..).zip(row) {
                if *coverage > 0 {
                    canvas.blend(Point::new(x, y), colour, *coverage);
                }
            }
        }
    }
}

fn parse(bytes: &[u8]) -> fontdue::Font {
    let settings = fontdue::FontSettings::default();
    // The bytes are part of the program and a test reads them: this cannot fail later.
    fontdue::Font::from_bytes(bytes, settings).expect("the embedded font is whole")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::palette;

    #[test]
    fn every_sign_that_the_screen_uses_is_in_the_fonts() {
        let text = Typesetter::new();
        for c in (' '..='~').chain("°·×–…".chars()) {
            assert_ne!(text.regular.lookup_glyph_index(c), 0, "{c} regular");
            assert_ne!(text.bold.lookup_glyph_index(c), 0, "{c} bold");
        }
    }

    #[test]
    fn long_text_is_shortened_and_stays_inside() {
        let mut text = Typesetter::new();
        let style = Style::bold(20, palette::TEXT);
        let short = text.fitted("surprise, perhaps", style, 80);
        assert!(short.ends_with('…') && short.starts_with("surp"), "{short}");
        assert!(text.width(&short, style) <= 80);
        assert_eq!(text.fitted("surprise", style, 200), "surprise");
        assert_eq!(text.fitted("surprise", style, 2), "");
    }

    #[test]
    fn digits_are_equally_wide_so_that_figures_stand_still() {
        let mut text = Typesetter::new();
        let style = Style::bold(31, palette::TEXT);
        let widths: Vec<u32> = ('0'..='9').map(|digit| text.width(&digit.to_string(), style)).collect();
        assert!(widths.iter().all(|w| *w == widths[0]), "{widths:?}");
    }

    #[test]
    fn letters_that_the_font_lacks_do_not_stop_the_screen() {
        let mut text = Typesetter::new();
        let mut canvas = Canvas::new(Size::new(60, 30));
        let style = Style::regular(16, palette::TEXT);
        let area = canvas.area();
        text.write(&mut canvas, "čau 顔", style, area, Align::Centre);
        assert!(canvas.pixels().iter().any(|byte| *byte > 0));
    }
}
