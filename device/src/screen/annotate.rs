//! Boxes and labels on faces, on the screen and in recordings.

use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::primitives::Rectangle;
use models::PixelRect;

use super::canvas::Canvas;
use super::text::{Align, Style, Typesetter};
use super::{palette, shapes};
use crate::reading::FaceReading;

/// How boxes and labels are drawn.
#[derive(Copy, Clone, Debug)]
pub struct Marker {
    /// Font size in px.
    pub px: u32,
    /// Width of the lines of a box in px.
    pub line: u32,
}

impl Marker {
    /// What suits a picture of this height in px: readable, and not in the way.
    pub fn for_height(height: u32) -> Self {
        let px = (height / 22).clamp(11, 60);
        Self { px, line: (px / 8).max(1) }
    }

    /// Marks a face whose box on the canvas is `place`, with `lines` of text at it.
    /// Nothing is drawn outside of `clip`, the area of the picture.
    pub fn face(
        self,
        canvas: &mut Canvas,
        text: &mut Typesetter,
        clip: Rectangle,
        place: Rectangle,
        face: &FaceReading,
        lines: &[String],
    ) {
        let place = place.intersection(&clip);
        if place.is_zero_sized() {
            return;
        }
        let colour = palette::of(face.expression);
        // A dark line around the coloured one keeps it visible on bright pictures.
        let dark = place.offset(1).intersection(&clip);
        shapes::outline(canvas, dark, self.line + 2, palette::BACKING);
        if face.unsure {
            shapes::dashed_outline(canvas, place, self.line, 4 * self.line, colour);
        } else {
            shapes::outline(canvas, place, self.line, colour);
        }

        let tag = self.tag_area(text, clip, place, lines);
        canvas.shade(tag, palette::BACKING, 216);
        let stripe = Size::new(2 * self.line, tag.size.height);
        shapes::fill(canvas, Rectangle::new(tag.top_left, stripe), colour);
        let indent = stripe.width + self.px / 3;
        for (i, line) in lines.iter().enumerate() {
            let at = tag.top_left + Point::new(indent as i32, (i as u32 * self.row()) as i32);
            let size = Size::new(tag.size.width.saturating_sub(indent), self.row());
            let style = self.style(i);
            text.write(canvas, line, style, Rectangle::new(at, size), Align::Left);
        }
    }

    fn row(self) -> u32 {
        self.px * 4 / 3
    }

    fn style(self, line: usize) -> Style {
        if line == 0 { Style::bold(self.px, palette::TEXT) } else { Style::regular(self.px * 7 / 8, palette::TEXT) }
    }

    /// Above the box, or inside of its upper edge where the picture ends; moved to the
    /// left where it would leave the picture.
    fn tag_area(self, text: &mut Typesetter, clip: Rectangle, place: Rectangle, lines: &[String]) -> Rectangle {
        let widths = lines.iter().enumerate();
        let widest = widths.map(|(i, line)| text.width(line, self.style(i))).max().unwrap_or(0);
        let width = (widest + 2 * self.line + self.px * 2 / 3).min(clip.size.width);
        let height = lines.len() as u32 * self.row();
        let right = clip.top_left.x + clip.size.width as i32;
        let x = place.top_left.x.min(right - width as i32);
        let above = place.top_left.y - height as i32;
        let y = if above >= clip.top_left.y { above } else { place.top_left.y };
        Rectangle::new(Point::new(x, y), Size::new(width, height)).intersection(&clip)
    }
}

/// The expression of a face and how sure it is: `happy 87%`, `unsure: happy 38%`.
pub fn caption(face: &FaceReading) -> String {
    let percent = percent(face);
    if face.unsure {
        format!("unsure: {} {percent}", face.expression)
    } else {
        format!("{} {percent}", face.expression)
    }
}

/// The probability of the expression shown: `87%`.
pub fn percent(face: &FaceReading) -> String {
    let of = |(expression, score): &(_, f32)| (*expression == face.expression).then_some(*score);
    let score = face.scores.iter().find_map(of).unwrap_or(0.0);
    format!("{:.0}%", 100.0 * score)
}

/// What an unsure face may be, where there is no room for more: `sur?`.
pub fn guess(face: &FaceReading) -> String {
    format!("{}?", &face.expression.name()[..3])
}

/// A measurement with about three significant digits; blur measures reach from 0.001 to
/// thousands.
pub fn figure(value: f32) -> String {
    match value.abs() {
        v if !v.is_finite() => "–".to_owned(),
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Where `rect`, in px of a picture of `width` px, lies when that picture fills `area`.
pub fn place(rect: PixelRect, width: usize, area: Rectangle) -> Rectangle {
    let scale = area.size.width as f32 / width.max(1) as f32;
    // Far outside values must not overflow what embedded-graphics adds up.
    let to = |v: f32| (v * scale).round().clamp(-30_000.0, 30_000.0);
    let corner = Point::new(to(rect.x) as i32, to(rect.y) as i32);
    let size = Size::new(to(rect.width).max(0.0) as u32, to(rect.height).max(0.0) as u32);
    Rectangle::new(area.top_left + corner, size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::{changes, sample};

    #[test]
    fn captions_say_when_they_are_unsure() {
        let mut face = sample::reading(1).faces.remove(0);
        assert_eq!(caption(&face), "happy 87%");
        face.unsure = true;
        assert_eq!(caption(&face), "unsure: happy 87%");
    }

    #[test]
    fn figures_keep_their_digits() {
        let shown: Vec<String> = [0.0123, 0.456, 12.34, 1234.5, f32::NAN].into_iter().map(figure).collect();
        assert_eq!(shown, ["0.012", "0.46", "12.3", "1234", "–"]);
    }

    #[test]
    fn marks_stay_inside_of_the_picture() {
        let mut text = Typesetter::new();
        let face = sample::reading(1).faces.remove(0);
        let clip = Rectangle::new(Point::new(40, 30), Size::new(80, 60));
        let boxes = [(-20, -20, 90, 70), (60, 32, 400, 20), (100, 80, 40, 40), (0, 0, 5, 5)];
        for (x, y, width, height) in boxes {
            let mut canvas = Canvas::new(Size::new(160, 120));
            let place = Rectangle::new(Point::new(x, y), Size::new(width, height));
            let lines = [caption(&face), "robust model, blur 0.1".to_owned()];
            Marker::for_height(60).face(&mut canvas, &mut text, clip, place, &face, &lines);
            for drawn in changes::between(&canvas, &Canvas::new(Size::new(160, 120))) {
                assert_eq!(drawn.intersection(&clip), drawn);
            }
        }
    }

    #[test]
    fn absurd_boxes_do_not_overflow() {
        let rect = PixelRect { x: f32::NAN, y: -1e30, width: 1e30, height: f32::INFINITY };
        let area = Rectangle::new(Point::new(5, 5), Size::new(100, 80));
        let place = place(rect, 640, area);
        assert!(place.size.width <= 30_000);
    }
}
