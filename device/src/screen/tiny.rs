//! Panels with room for big text only, such as 128x64 OLEDs: white on black, whole pixels,
//! so that nothing is lost on a panel that has only on and off.

use embedded_graphics::Drawable;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::ascii::{FONT_6X10, FONT_7X13_BOLD, FONT_10X20};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::primitives::Rectangle;
use embedded_graphics::text::{Alignment, Baseline, Text, TextStyleBuilder};
use models::ModelChoice;

use super::canvas::Canvas;
use super::{annotate, blur_meter, shapes};
use crate::reading::{FaceReading, Reading};

const ON: Rgb888 = Rgb888::WHITE;
const OFF: Rgb888 = Rgb888::BLACK;

/// Height of the blur meter in px.
const METER: u32 = 9;

/// Draws expression and probability; below, as far as there is room, the blur meter, the
/// model, and frames a second.
pub fn draw(canvas: &mut Canvas, main: Option<&FaceReading>, reading: &Reading, fps: f32) {
    let size = canvas.size();
    let right = size.width as i32 - 1;
    shapes::fill(canvas, canvas.area(), OFF);
    let Some(face) = main else {
        let middle = Point::new(size.width as i32 / 2, size.height as i32 / 2 - 10);
        write(canvas, "no face", &FONT_10X20, middle, Alignment::Center, ON);
        return;
    };
    let word = if face.unsure { "unsure" } else { face.expression.name() };
    write(canvas, word, &FONT_10X20, Point::zero(), Alignment::Left, ON);
    let percent = annotate::percent(face);
    if face.unsure {
        let guess = format!("{}?", &face.expression.name()[..3]);
        write(canvas, &guess, &FONT_10X20, Point::new(right, 0), Alignment::Right, ON);
    } else {
        write(canvas, &percent, &FONT_10X20, Point::new(right, 0), Alignment::Right, ON);
    }

    // The model has the lower edge, the meter what is between.
    let foot = 15.min(size.height.saturating_sub(20));
    if foot < 10 {
        return;
    }
    let y = (size.height - foot) as i32;
    model(canvas, face.model, Rectangle::new(Point::new(0, y), Size::new(54, foot)));
    let faces = match reading.faces.len() {
        1 if fps > 0.0 => format!("{fps:.0} fps"),
        1 => String::new(),
        count => format!("{count} faces"),
    };
    let at = Point::new(right, y + foot as i32 / 2 - 5);
    write(canvas, &faces, &FONT_6X10, at, Alignment::Right, ON);

    let between = y - 20;
    if between >= METER as i32 + 4 {
        let top = 20 + (between - METER as i32) / 2;
        let area = Rectangle::new(Point::new(0, top), Size::new(size.width, METER));
        meter(canvas, face, area);
    }
}

/// Draws what is wrong, a few words a line.
pub fn draw_notice(canvas: &mut Canvas, notice: &str) {
    shapes::fill(canvas, canvas.area(), OFF);
    let columns = (canvas.size().width / FONT_6X10.character_size.width).max(1) as usize;
    let mut lines = vec![String::new()];
    for word in notice.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line = word.into(),
            Some(line) if line.len() + 1 + word.len() <= columns => *line = format!("{line} {word}"),
            _ => lines.push(word.into()),
        }
    }
    for (line, y) in lines.iter().zip((0..).step_by(11)) {
        write(canvas, line, &FONT_6X10, Point::new(0, y), Alignment::Left, ON);
    }
}

/// The model's name: inverted for robust, framed for clear.
fn model(canvas: &mut Canvas, model: ModelChoice, area: Rectangle) {
    let ink = match model {
        ModelChoice::Robust => {
            shapes::fill(canvas, area, ON);
            OFF
        }
        ModelChoice::Clear => {
            shapes::outline(canvas, area, 1, ON);
            ON
        }
    };
    let middle = area.top_left + Point::new(area.size.width as i32 / 2, (area.size.height as i32 - 13) / 2);
    let name = blur_meter::model_name(model);
    write(canvas, name, &FONT_7X13_BOLD, middle, Alignment::Center, ink);
}

/// A bar from the left to where the needle stands, with the threshold as a full line.
fn meter(canvas: &mut Canvas, face: &FaceReading, area: Rectangle) {
    let inner = Rectangle::new(area.top_left + Point::new(0, 2), Size::new(area.size.width, area.size.height - 4));
    shapes::outline(canvas, inner, 1, ON);
    let length = (area.size.width as f32 * blur_meter::position(&face.blur)).round() as u32;
    let filled = Rectangle::new(inner.top_left, Size::new(length, inner.size.height));
    shapes::fill(canvas, filled, ON);
    let x = (area.size.width / 2) as i32;
    let gap = Rectangle::new(area.top_left + Point::new(x - 1, 0), Size::new(3, area.size.height));
    shapes::fill(canvas, gap, OFF);
    let mark = Rectangle::new(area.top_left + Point::new(x, 0), Size::new(1, area.size.height));
    shapes::fill(canvas, mark, ON);
}

fn write(canvas: &mut Canvas, text: &str, font: &MonoFont<'_>, at: Point, alignment: Alignment, ink: Rgb888) {
    let layout = TextStyleBuilder::new().alignment(alignment).baseline(Baseline::Top).build();
    let style = MonoTextStyle::new(font, ink);
    let Ok(_) = Text::with_text_style(text, at, style, layout).draw(canvas);
}
