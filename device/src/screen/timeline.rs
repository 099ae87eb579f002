//! The last minute: which expression the main face had, and which model read it.

use std::collections::VecDeque;

use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::primitives::Rectangle;
use models::{Expression, ModelChoice};

use super::canvas::Canvas;
use super::layout::{Cutter, Layout};
use super::text::{Align, Style, Typesetter};
use super::{palette, shapes};
use crate::reading::FaceReading;

/// Time that the timeline shows, in ms.
const SPAN_MS: f64 = 60_000.0;
/// A reading counts until the next one, but no longer than this, in ms.
const HOLD_MS: f64 = 1_500.0;

/// What was shown for the main face at one time.
#[derive(Copy, Clone, Debug, PartialEq)]
struct Shown {
    expression: Expression,
    unsure: bool,
    model: ModelChoice,
}

/// Readings of the last minute.
#[derive(Debug, Default)]
pub struct Timeline {
    /// Time in ms and what was shown; `None` without a face.
    entries: VecDeque<(f64, Option<Shown>)>,
}

impl Timeline {
    /// Adds the reading of the main face at `at_ms`. A time before the last one means a
    /// new source: what was there is forgotten.
    pub fn add(&mut self, at_ms: f64, face: Option<&FaceReading>) {
        if self.entries.back().is_some_and(|(last, _)| at_ms < *last) {
            self.entries.clear();
        }
        let shown = face.map(|face| Shown { expression: face.expression, unsure: face.unsure, model: face.model });
        self.entries.push_back((at_ms, shown));
        // One entry older than the span is kept: it reaches into it.
        while self.entries.get(1).is_some_and(|(t, _)| at_ms - t > SPAN_MS) {
            self.entries.pop_front();
        }
    }

    /// What was shown in each of `columns` equal parts of the last minute, oldest first:
    /// the newest entry that began before the end of the part.
    fn columns(&self, columns: u32) -> Vec<Option<Shown>> {
        let Some((now, _)) = self.entries.back() else {
            return vec![None; columns as usize];
        };
        let mut entries = self.entries.iter().peekable();
        let mut current: Option<&(f64, Option<Shown>)> = None;
        let step = SPAN_MS / f64::from(columns);
        (0..columns)
            .map(|column| {
                let end = now - SPAN_MS + f64::from(column + 1) * step;
                // A hair beyond the end: the newest entry lies exactly on the last one.
                while let Some(entry) = entries.next_if(|(t, _)| *t <= end + 1e-6) {
                    current = Some(entry);
                }
                let (since, shown) = current?;
                shown.filter(|_| end - since <= HOLD_MS + step)
            })
            .collect()
    }

    /// Draws the last minute, now at the right.
    pub fn draw(&self, canvas: &mut Canvas, text: &mut Typesetter, layout: &Layout) {
        let mut rest = Cutter::of(layout.timeline, layout.unit, 0);
        if layout.roomy {
            shapes::rounded(canvas, rest.area, layout.px(6), palette::CARD);
            rest.left(12);
            rest.top(8);
            let small = Style::regular(layout.px(14), palette::QUIET);
            rest.right_px(layout.px(12));
            let axis = rest.bottom(18);
            for (label, align) in [("60 s ago", Align::Left), ("30 s", Align::Centre), ("now", Align::Right)] {
                text.write(canvas, label, small, axis, align);
            }
        }
        let models = rest.bottom(if layout.roomy { 13 } else { 8 });
        rest.bottom(if layout.roomy { 2 } else { 1 });
        let bands = rest.area;
        shapes::fill(canvas, bands, palette::TRACK);
        let columns = self.columns(bands.size.width);

        for (start, length, shown) in runs(&columns, |s| s.map(|s| (s.expression, s.unsure))) {
            if let Some((expression, unsure)) = shown {
                let area = part(bands, start, length);
                band(canvas, text, area, expression, unsure);
            }
        }
        for (start, length, model) in runs(&columns, |s| s.map(|s| s.model)) {
            if let Some(model) = model {
                strip(canvas, text, layout, part(models, start, length), model);
            }
        }
    }
}

/// One expression for a while; hatched where it was unsure.
fn band(canvas: &mut Canvas, text: &mut Typesetter, area: Rectangle, expression: Expression, unsure: bool) {
    let colour = palette::of(expression);
    if unsure {
        hatch(canvas, area, colour);
        return;
    }
    shapes::fill(canvas, area, colour);
    let px = (area.size.height * 3 / 4).clamp(9, 40);
    let style = Style::bold(px, ink_on(colour));
    let inner = area.offset(-((px / 5) as i32));
    let name = expression.name();
    if text.width(name, style) <= inner.size.width {
        text.write(canvas, name, style, area, Align::Centre);
    }
}

/// Which model was at work: a thin line for clear, a full strip with its name for robust.
fn strip(canvas: &mut Canvas, text: &mut Typesetter, layout: &Layout, area: Rectangle, model: ModelChoice) {
    match model {
        ModelChoice::Clear => {
            let thin = layout.px(2);
            let down = (area.size.height.saturating_sub(thin) / 2) as i32;
            let line = Rectangle::new(area.top_left + Point::new(0, down), Size::new(area.size.width, thin));
            shapes::fill(canvas, line, palette::QUIET);
        }
        ModelChoice::Robust => {
            shapes::fill(canvas, area, palette::WARNING);
            let style = Style::bold(area.size.height, palette::GROUND);
            if layout.roomy && text.width("robust", style) + 6 <= area.size.width {
                text.write(canvas, "robust", style, area, Align::Centre);
            }
        }
    }
}

/// Diagonal stripes, 3 px on and 3 px off; anchored to the canvas so that they stand
/// still while the band moves.
fn hatch(canvas: &mut Canvas, area: Rectangle, colour: Rgb888) {
    use embedded_graphics::prelude::PointsIter;
    for at in area.points() {
        if (at.x + at.y).rem_euclid(6) < 3 {
            canvas.blend(at, colour, 200);
        }
    }
}

/// Dark or light, whichever is read better on `colour`.
fn ink_on(colour: Rgb888) -> Rgb888 {
    let luma = 3 * u32::from(colour.r()) + 6 * u32::from(colour.g()) + u32::from(colour.b());
    if luma > 1_150 { palette::GROUND } else { palette::TEXT }
}

fn part(area: Rectangle, start: u32, length: u32) -> Rectangle {
    Rectangle::new(area.top_left + Point::new(start as i32, 0), Size::new(length, area.size.height))
}

/// Runs of equal keys: start, length, key.
fn runs<K: PartialEq>(columns: &[Option<Shown>], key: impl Fn(Option<Shown>) -> K) -> Vec<(u32, u32, K)> {
    let mut runs: Vec<(u32, u32, K)> = Vec::new();
    for (x, shown) in columns.iter().enumerate() {
        let key = key(*shown);
        match runs.last_mut() {
            Some((_, length, last)) if *last == key => *length += 1,
            _ => runs.push((x as u32, 1, key)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::sample;

    fn expressions(timeline: &Timeline, columns: u32) -> Vec<Option<Expression>> {
        let shown = timeline.columns(columns).into_iter();
        shown.map(|s| s.map(|s| s.expression)).collect()
    }

    #[test]
    fn the_newest_reading_is_at_the_right_and_old_ones_leave() {
        let mut face = sample::reading(1).faces.remove(0);
        let mut timeline = Timeline::default();
        for second in 0..200 {
            let late = second >= 170;
            face.expression = if late { Expression::Sad } else { Expression::Fear };
            timeline.add(f64::from(second) * 1000.0, Some(&face));
        }
        assert!(timeline.entries.len() <= 62, "{}", timeline.entries.len());
        let shown = expressions(&timeline, 6);
        let (fear, sad) = (Some(Expression::Fear), Some(Expression::Sad));
        assert_eq!(shown, [fear, fear, fear, sad, sad, sad]);
    }

    #[test]
    fn gaps_are_gaps_and_a_new_source_starts_afresh() {
        let face = sample::reading(1).faces.remove(0);
        let mut timeline = Timeline::default();
        timeline.add(0.0, Some(&face));
        timeline.add(10_000.0, None);
        timeline.add(60_000.0, Some(&face));
        let shown = expressions(&timeline, 60);
        let seen: Vec<usize> = (0..60).filter(|i| shown[*i].is_some()).collect();
        assert_eq!(seen, [0, 1, 59]);
        timeline.add(5.0, None);
        assert_eq!(timeline.entries.len(), 1);
    }

    #[test]
    fn an_empty_timeline_has_empty_columns() {
        assert_eq!(expressions(&Timeline::default(), 3), [None, None, None]);
    }
}
