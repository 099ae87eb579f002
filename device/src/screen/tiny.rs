//! Panels with room for big text only, such as 128x64 OLEDs: white on black, whole pixels,
//! so that nothing is lost on a panel that has only on and off.

use embedded_graphics::Drawable;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::iso_8859_1::{FONT_6X10, FONT_7X13_BOLD, FONT_10X20};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::primitives::Rectangle;
use embedded_graphics::text::{Alignment, Baseline, Text, TextStyleBuilder};
use models::ModelChoice;

use super::canvas::Canvas;
use super::status::{self, Status};
use super::{annotate, blur_meter, shapes};
use crate::reading::{FaceReading, Reading};

const ON: Rgb888 = Rgb888::WHITE;
const OFF: Rgb888 = Rgb888::BLACK;

/// Heights in px: of the blur meter, of a line of small text, and of the row that the model has.
const METER: u32 = 9;
const LINE: u32 = 10;
const FOOT: u32 = 15;
/// Height in px of the row of the expression.
const HEAD: u32 = 20;

/// Draws expression and probability; below, as far as there is room, the blur meter with
/// its figures, the model, and frames a second. A warning takes the place of what
/// matters less.
pub fn draw(canvas: &mut Canvas, main: Option<&FaceReading>, reading: &Reading, status: &Status) {
    let size = canvas.size();
    shapes::fill(canvas, canvas.area(), OFF);
    let foot = FOOT.min(size.height.saturating_sub(HEAD));
    let foot = Rectangle::new(Point::new(0, (size.height - foot) as i32), Size::new(size.width, foot));
    let between = size.height.saturating_sub(HEAD + foot.size.height);
    let warning = status.warnings(main).into_iter().next();
    let Some(face) = main else {
        let middle =
            Point::new(size.width as i32 / 2, (size.height.saturating_sub(HEAD + foot.size.height) / 2) as i32);
        write(canvas, "no face", &FONT_10X20, middle, Alignment::Center, ON);
        match warning {
            Some(warning) => alarm(canvas, foot, warning),
            None => figures(canvas, foot, &status::rate(status.fps(), 0), &heat(status)),
        }
        return;
    };
    headline(canvas, face);
    if between < METER + 4 {
        match warning {
            Some(warning) => alarm(canvas, foot, warning),
            None => model_row(canvas, foot, face, reading, status),
        }
        return;
    }
    model_row(canvas, foot, face, reading, status);
    // The meter, and below it a line of text where there is room for both.
    let text = if between >= METER + LINE + 4 { LINE + 3 } else { 0 };
    let top = HEAD + (between - METER - text) / 2;
    meter(canvas, face, Rectangle::new(Point::new(0, top as i32), Size::new(size.width, METER)));
    let line = Rectangle::new(Point::new(0, (top + METER + 2) as i32), Size::new(size.width, LINE));
    match warning {
        Some(warning) => alarm(canvas, if text > 0 { line } else { foot }, warning),
        None if text > 0 => {
            let [value, threshold] = [face.blur.value, face.blur.threshold].map(annotate::figure);
            figures(canvas, line, &format!("{value} / {threshold}"), &heat(status));
        }
        None => {}
    }
}

/// The expression and its probability; what it may be where that is unsure.
fn headline(canvas: &mut Canvas, face: &FaceReading) {
    let right = Point::new(canvas.size().width as i32 - 1, 0);
    let (word, beside) =
        if face.unsure { ("unsure", annotate::guess(face)) } else { (face.expression.name(), annotate::percent(face)) };
    write(canvas, word, &FONT_10X20, Point::zero(), Alignment::Left, ON);
    write(canvas, &beside, &FONT_10X20, right, Alignment::Right, ON);
}

/// The model in use, and how fast it goes or how many faces there are.
fn model_row(canvas: &mut Canvas, area: Rectangle, face: &FaceReading, reading: &Reading, status: &Status) {
    if area.size.height < LINE {
        return;
    }
    model(canvas, face.model, Rectangle::new(area.top_left, Size::new(54, area.size.height)));
    let beside = match reading.faces.len() {
        1 if status.fps() > 0.0 => status::rate(status.fps(), 0),
        1 => String::new(),
        count => format!("{count} faces"),
    };
    figures(canvas, area, "", &beside);
}

/// The temperature, where it is known.
fn heat(status: &Status) -> String {
    status.board().temperature_celsius.map(status::degrees).unwrap_or_default()
}

/// Small text at the left and at the right of `area`.
fn figures(canvas: &mut Canvas, area: Rectangle, left: &str, right: &str) {
    let y = area.top_left.y + (area.size.height as i32 - LINE as i32) / 2;
    write(canvas, left, &FONT_6X10, Point::new(area.top_left.x, y), Alignment::Left, ON);
    let end = area.top_left.x + area.size.width as i32 - 1;
    write(canvas, right, &FONT_6X10, Point::new(end, y), Alignment::Right, ON);
}

/// A warning, inverted so that it is seen to be one.
fn alarm(canvas: &mut Canvas, area: Rectangle, warning: &str) {
    shapes::fill(canvas, area, ON);
    let middle = area.top_left.x + area.size.width as i32 / 2;
    let y = area.top_left.y + (area.size.height as i32 - LINE as i32) / 2;
    write(canvas, warning, &FONT_6X10, Point::new(middle, y), Alignment::Center, OFF);
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
