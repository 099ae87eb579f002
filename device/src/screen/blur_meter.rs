//! How sharp the main face is, where the threshold lies, and which model that means.

use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::primitives::Rectangle;
use models::ModelChoice;

use super::annotate;
use super::canvas::Canvas;
use super::layout::{Cutter, Layout};
use super::text::{Align, Style, Typesetter};
use super::{palette, shapes};
use crate::reading::{BlurReading, FaceReading};

/// The meter reaches this many doublings to both sides of the threshold, which is always
/// in its middle: blur measures differ by orders of magnitude, ratios compare.
const DOUBLINGS: f32 = 4.0;

/// Where the meter's needle stands, 0 (blurred) to 1 (sharp); 0.5 is the threshold.
pub fn position(blur: &BlurReading) -> f32 {
    let doublings = (blur.value / blur.threshold).log2();
    if doublings.is_nan() {
        return 0.5;
    }
    (0.5 + doublings / (2.0 * DOUBLINGS)).clamp(0.0, 1.0)
}

/// The name of a model as the screen shows it.
pub fn model_name(model: ModelChoice) -> &'static str {
    match model {
        ModelChoice::Clear => "CLEAR",
        ModelChoice::Robust => "ROBUST",
    }
}

/// Draws the meter of `face`; an empty one without a face.
pub fn draw(canvas: &mut Canvas, text: &mut Typesetter, layout: &Layout, face: Option<&FaceReading>) {
    shapes::rounded(canvas, layout.blur, layout.px(6), palette::CARD);
    let side = layout.px(if layout.roomy { 14 } else { 6 });
    let (top, bottom) = if layout.roomy { (10, 8) } else { (4, 2) };
    let mut rest = Cutter::of(layout.blur, layout.unit, 0);
    rest.left_px(side);
    rest.right_px(side);
    rest.top(top);
    rest.bottom(bottom);

    let mut title = Cutter::of(rest.top(if layout.roomy { 28 } else { 20 }), layout.unit, side);
    let style = Style::bold(layout.px(if layout.roomy { 17 } else { 15 }), palette::TEXT);
    let width = text.width("ROBUST", style) + layout.px(if layout.roomy { 24 } else { 14 });
    let pill_area = title.right_px(width);
    let caption = Style::regular(layout.px(if layout.roomy { 16 } else { 14 }), palette::QUIET);
    text.write(canvas, "model", caption, title.area, Align::Left);
    let legend = rest.bottom(if layout.roomy { 20 } else { 12 });
    let Some(face) = face else {
        meter(canvas, layout, rest.area, None);
        return;
    };
    pill(canvas, text, layout, pill_area, face.model, style);
    meter(canvas, layout, rest.area, Some(&face.blur));

    let small = Style::regular(layout.px(if layout.roomy { 15 } else { 12 }), palette::QUIET);
    let [value, threshold] = [face.blur.value, face.blur.threshold].map(annotate::figure);
    let figures =
        if layout.roomy { format!("{value} / threshold {threshold}") } else { format!("{value} / {threshold}") };
    let around = text.width("blurred", small) + text.width("sharp", small) + 2 * side;
    if text.width(&figures, small) + around <= legend.size.width {
        text.write(canvas, "blurred", small, legend, Align::Left);
        text.write(canvas, "sharp", small, legend, Align::Right);
    }
    let small = Style { colour: palette::TEXT, ..small };
    text.write(canvas, &figures, small, legend, Align::Centre);
}

/// The model in use: full for robust, hollow for clear, and always its name.
fn pill(
    canvas: &mut Canvas,
    text: &mut Typesetter,
    layout: &Layout,
    area: Rectangle,
    model: ModelChoice,
    style: Style,
) {
    let radius = area.size.height / 2;
    let style = match model {
        ModelChoice::Robust => {
            shapes::rounded(canvas, area, radius, palette::WARNING);
            Style { colour: palette::GROUND, ..style }
        }
        ModelChoice::Clear => {
            let line = layout.px(2);
            shapes::rounded_frame(canvas, area, radius, line, palette::TEXT, palette::CARD);
            style
        }
    };
    text.write(canvas, model_name(model), style, area, Align::Centre);
}

/// The track with its threshold mark, and the needle where there is a face.
fn meter(canvas: &mut Canvas, layout: &Layout, area: Rectangle, blur: Option<&BlurReading>) {
    let thick = layout.px(if layout.roomy { 10 } else { 6 });
    let middle = area.top_left.y + area.size.height as i32 / 2;
    let track =
        Rectangle::new(Point::new(area.top_left.x, middle - thick as i32 / 2), Size::new(area.size.width, thick));
    shapes::rounded(canvas, track, thick / 2, palette::TRACK);
    // The half of the robust model is tinted as its pill is.
    let half = Rectangle::new(track.top_left, Size::new(track.size.width / 2, thick));
    shapes::rounded(canvas, half, thick / 2, palette::ROBUST_TRACK);

    let reach = layout.px(if layout.roomy { 7 } else { 4 });
    let line = layout.px(2);
    let mark = Rectangle::new(
        Point::new(track.top_left.x + (track.size.width / 2) as i32 - line as i32 / 2, track.top_left.y - reach as i32),
        Size::new(line, thick + 2 * reach),
    );
    shapes::fill(canvas, mark, palette::QUIET);

    if let Some(blur) = blur {
        let knob = thick + layout.px(if layout.roomy { 8 } else { 5 });
        let travel = track.size.width.saturating_sub(knob) as f32;
        let x = track.top_left.x + (travel * position(blur)).round() as i32;
        let at = Point::new(x, middle - knob as i32 / 2);
        let knob_area = Rectangle::new(at, Size::new(knob, knob));
        shapes::rounded_frame(canvas, knob_area, knob / 2, line, palette::CARD, palette::TEXT);
    }
}

#[cfg(test)]
mod tests {
    use models::BlurMeasure;

    use super::*;

    fn at(value: f32, threshold: f32) -> f32 {
        position(&BlurReading {
            value,
            threshold,
            measure: BlurMeasure::NormalisedLaplacianVariance,
            laplacian_variance: 0.0,
            normalised: value,
        })
    }

    #[test]
    fn the_threshold_is_in_the_middle_whatever_the_measure() {
        assert_eq!((at(0.2, 0.2), at(600.0, 600.0)), (0.5, 0.5));
        assert!(at(0.1, 0.2) < 0.5 && at(0.4, 0.2) > 0.5);
        assert_eq!((at(0.0, 0.2), at(1e9, 0.2)), (0.0, 1.0));
        assert_eq!((at(f32::NAN, 0.2), at(0.0, 0.0)), (0.5, 0.5));
    }
}
