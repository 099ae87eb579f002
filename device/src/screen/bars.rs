//! The score of every expression as a bar. The order never changes, so that the eye
//! finds each one where it was.

use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::primitives::Rectangle;

use super::canvas::Canvas;
use super::layout::Layout;
use super::text::{Align, Style, Typesetter};
use super::{palette, shapes};
use crate::reading::FaceReading;

/// Draws the bars of `face` into `area`; empty tracks without a face.
pub fn draw(canvas: &mut Canvas, text: &mut Typesetter, layout: &Layout, area: Rectangle, face: Option<&FaceReading>) {
    shapes::rounded(canvas, area, layout.px(6), palette::CARD);
    let Some(face) = face.filter(|face| !face.scores.is_empty()) else {
        let style = Style::regular(layout.px(14), palette::QUIET);
        text.write(canvas, "no scores yet", style, area, Align::Centre);
        return;
    };
    let pad = layout.px(if layout.roomy { 10 } else { 5 });
    let columns = layout.bar_columns;
    let between = 2 * pad;
    let per_column = (face.scores.len() as u32).div_ceil(columns);
    let gaps = 2 * pad + (columns - 1) * between;
    let width = area.size.width.saturating_sub(gaps) / columns;
    let tall = area.size.height.saturating_sub(pad);
    let row = (tall / per_column).max(1);
    // Sizes follow the names of the longest label set, not of this face's.
    let font = (row * 4 / 5).clamp(layout.px(8), layout.px(18));
    let label = text.width("contempt", Style::bold(font, palette::TEXT)) + pad;
    let figure = text.width("100%", Style::bold(font, palette::TEXT)) + pad / 2;
    let spare = tall.saturating_sub(row * per_column) / 2;

    for (i, (expression, score)) in face.scores.iter().enumerate() {
        let (column, line) = (i as u32 / per_column, i as u32 % per_column);
        let at = Point::new((pad + column * (width + between)) as i32, (pad / 2 + spare + line * row) as i32);
        let cell = Rectangle::new(area.top_left + at, Size::new(width, row));
        let style = if *expression == face.expression {
            Style::bold(font, palette::TEXT)
        } else {
            Style::regular(font, palette::QUIET)
        };
        text.write(canvas, expression.name(), style, cell, Align::Left);
        let percent = format!("{:.0}%", 100.0 * score);
        text.write(canvas, &percent, style, cell, Align::Right);

        let thick = (row / 2).clamp(3, layout.px(12));
        let track = Rectangle::new(
            cell.top_left + Point::new(label as i32, (row - thick) as i32 / 2),
            Size::new(width.saturating_sub(label + figure), thick),
        );
        shapes::rounded(canvas, track, thick / 2, palette::TRACK);
        let share = if score.is_finite() { score.clamp(0.0, 1.0) } else { 0.0 };
        let length = (track.size.width as f32 * share).round() as u32;
        let filled = Rectangle::new(track.top_left, Size::new(length, thick));
        shapes::rounded(canvas, filled, thick / 2, palette::of(*expression));
    }
}
