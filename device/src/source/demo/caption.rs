//! What the demo shows, written into its picture: beside the readings it tells what they
//! should be.

use embedded_graphics::geometry::{OriginDimensions, Size};
use models::{BlurLevel, GrayImage};

use super::TrueFace;
use crate::screen::canvas::Canvas;
use crate::screen::palette;
use crate::screen::text::{Align, Style, Typesetter};

/// Writes captions; keeps the last one.
pub struct Caption {
    text: Typesetter,
    px: u32,
    words: String,
    /// The words in light gray on black.
    picture: Canvas,
}

impl Caption {
    /// For pictures of this height in px.
    pub fn new(height: usize) -> Self {
        Self {
            text: Typesetter::new(),
            px: (height / 24).clamp(8, 200) as u32,
            words: String::new(),
            picture: Canvas::new(Size::zero()),
        }
    }

    /// Writes what is shown into the upper left corner.
    pub fn draw(&mut self, picture: &mut GrayImage, faces: &[TrueFace]) {
        let words = words(faces);
        if words != self.words {
            self.picture = self.write(&words);
            self.words = words;
        }
        let size = self.picture.size();
        let width = picture.width();
        let shown = width.min(size.width as usize);
        let rows = self.picture.pixels().chunks_exact(3 * size.width.max(1) as usize);
        for (to, from) in picture.pixels_mut().chunks_mut(width).zip(rows) {
            for (pixel, rgb) in to[..shown].iter_mut().zip(from.chunks_exact(3)) {
                // Half of what was there stays, so that the words lie on a shade.
                *pixel = (*pixel / 2).max(rgb[1]);
            }
        }
    }

    fn write(&mut self, words: &str) -> Canvas {
        let style = Style::regular(self.px, palette::TEXT);
        let width = self.text.width(words, style) + self.px;
        let mut canvas = Canvas::new(Size::new(width, self.px * 3 / 2));
        let area = canvas.area();
        self.text.write(&mut canvas, words, style, area, Align::Centre);
        canvas
    }
}

/// `demo shows: happy, sharp | sad, high blur`, from left to right.
fn words(faces: &[TrueFace]) -> String {
    let mut faces: Vec<&TrueFace> = faces.iter().collect();
    faces.sort_by(|a, b| a.rect.x.total_cmp(&b.rect.x));
    let each: Vec<String> = faces.into_iter().map(one).collect();
    format!("demo shows: {}", each.join("  |  "))
}

fn one(face: &TrueFace) -> String {
    let side = face.rect.height as usize;
    let reached = |level: &BlurLevel| face.blur_radius_px >= 0.9 * level.radius_px(side);
    let level = BlurLevel::ALL.into_iter().rev().find(reached);
    let blur = match level {
        None | Some(BlurLevel::None) => "sharp",
        Some(BlurLevel::Low) => "low blur",
        Some(BlurLevel::Medium) => "medium blur",
        Some(BlurLevel::High) => "high blur",
        Some(BlurLevel::VeryHigh) => "very high blur",
    };
    format!("{}, {blur}", face.expression)
}

#[cfg(test)]
mod tests {
    use models::{Expression, PixelRect};

    use super::*;

    fn face(x: f32, expression: Expression, blur_radius_px: f32) -> TrueFace {
        let rect = PixelRect { x, y: 0.0, width: 100.0, height: 128.0 };
        TrueFace { rect, expression, blur_radius_px }
    }

    #[test]
    fn words_go_from_left_to_right_and_name_the_levels_of_the_study() {
        let faces = [face(300.0, Expression::Sad, 8.0), face(20.0, Expression::Happy, 0.4)];
        assert_eq!(words(&faces), "demo shows: happy, sharp  |  sad, high blur");
        let levels = [2.0, 4.0, 14.0].map(|radius| one(&face(0.0, Expression::Fear, radius)));
        assert_eq!(levels, ["fear, low blur", "fear, medium blur", "fear, very high blur"]);
    }
}
