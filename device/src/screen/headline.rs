//! The expression of the main face, big enough for arm's length.

use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::primitives::Rectangle;

use super::annotate;
use super::canvas::Canvas;
use super::layout::{Cutter, Layout, px};
use super::text::{Align, Style, Typesetter};
use super::{palette, shapes};
use crate::reading::{FaceReading, Reading};

/// The longest names that must fit in the biggest letters.
const LONGEST: [&str; 3] = ["contempt", "surprise", "no face"];

/// Draws the headline: expression and probability, or that it is unsure or that there is
/// no face.
pub fn draw(
    canvas: &mut Canvas,
    text: &mut Typesetter,
    layout: &Layout,
    face: Option<&FaceReading>,
    reading: &Reading,
) {
    let area = layout.headline;
    shapes::rounded(canvas, area, layout.px(6), palette::CARD);
    // A panel that is wide for its height has one line, the others two.
    let one_line = area.size.width > 4 * area.size.height;
    let (word, colour, percent) = match face {
        None => ("no face", palette::QUIET, String::new()),
        Some(face) if face.unsure && one_line => ("unsure", palette::TEXT, annotate::guess(face)),
        Some(face) if face.unsure => ("unsure", palette::TEXT, String::new()),
        Some(face) => {
            let colour = palette::of(face.expression);
            (face.expression.name(), colour, annotate::percent(face))
        }
    };
    let edge = layout.px(5);
    let stripe = Rectangle::new(area.top_left, Size::new(edge, area.size.height));
    shapes::rounded(canvas, stripe, edge / 2, colour);

    let inset = edge + layout.px(if layout.roomy { 12 } else { 5 });
    let inner = Rectangle::new(
        area.top_left + Point::new(inset as i32, 0),
        Size::new(area.size.width.saturating_sub(inset + inset / 2), area.size.height),
    );
    let mut rows = Cutter::of(inner, layout.unit, 0);
    let first = if one_line {
        rows.area
    } else {
        rows.area.top_left.y += layout.px(4) as i32;
        rows.area.size.height = rows.area.size.height.saturating_sub(layout.px(6));
        let share = if layout.roomy { 64 } else { 60 };
        let height = rows.area.size.height * share / 100;
        rows.top((height as f32 / layout.unit).round() as u32)
    };
    let word_room = if layout.roomy || one_line { first.size.width * 7 / 10 } else { first.size.width };
    let big = biggest(text, word_room, first.size.height, layout.unit);
    let style = Style::bold(big, colour);
    text.write(canvas, word, style, first, Align::Left);
    if layout.roomy || one_line {
        let style = Style::bold(big * 3 / 4, palette::TEXT);
        text.write(canvas, &percent, style, first, Align::Right);
    }
    if !one_line {
        let small = if layout.roomy { 17 } else { 14 };
        let style = Style::regular(layout.px(small), palette::QUIET);
        let note = note(face, reading, layout.roomy);
        text.write(canvas, &note, style, rows.area, Align::Left);
        if !layout.roomy {
            let style = Style::bold(layout.px(18), palette::TEXT);
            text.write(canvas, &percent, style, rows.area, Align::Right);
        }
    }
}

/// What is good to know beside the result.
fn note(face: Option<&FaceReading>, reading: &Reading, roomy: bool) -> String {
    let Some(face) = face else {
        return if roomy { "waiting for somebody".to_owned() } else { String::new() };
    };
    if face.unsure {
        return format!("{}? {}", face.expression, annotate::percent(face));
    }
    match (reading.faces.len(), roomy) {
        (1, true) => format!("person {}", face.id),
        (count, true) => format!("person {} · {count} faces in view", face.id),
        (1, false) => "1 face".to_owned(),
        (count, false) => format!("{count} faces"),
    }
}

/// The biggest font size at which every expression fits in `width` x `height` px.
fn biggest(text: &mut Typesetter, width: u32, height: u32, unit: f32) -> u32 {
    let mut size = height.clamp(px(unit, 10), px(unit, 52));
    let fits = |text: &mut Typesetter, size| {
        let style = Style::bold(size, palette::TEXT);
        LONGEST.iter().all(|word| text.width(word, style) <= width)
    };
    while size > 8 && !fits(text, size) {
        size -= 1;
    }
    size
}
