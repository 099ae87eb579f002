//! Shapes with smooth corners.

use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::primitives::{PrimitiveStyleBuilder, Rectangle, StrokeAlignment, StyledDrawable};

use super::canvas::Canvas;

/// Samples of a corner pixel along each side: 16 steps of coverage.
const SAMPLES: i32 = 4;

/// Fills `area` with corners of `radius` px.
pub fn rounded(canvas: &mut Canvas, area: Rectangle, radius: u32, colour: Rgb888) {
    let radius = radius.min(area.size.width / 2).min(area.size.height / 2) as i32;
    let (width, height) = (area.size.width as i32, area.size.height as i32);
    for y in 0..height {
        let in_corner = y < radius || y >= height - radius;
        let inset = if in_corner { radius } else { 0 };
        let middle =
            Rectangle::new(area.top_left + Point::new(inset, y), Size::new((width - 2 * inset).max(0) as u32, 1));
        fill(canvas, middle, colour);
        if in_corner {
            // All four corners are one, mirrored.
            let from_edge = y.min(height - 1 - y);
            for x in 0..radius {
                let alpha = corner_coverage(x, from_edge, radius);
                for x in [x, width - 1 - x] {
                    canvas.blend(area.top_left + Point::new(x, y), colour, alpha);
                }
            }
        }
    }
}

/// A frame `line` px wide along the inside of `area`, with corners of `radius` px filled
/// by `inside`.
pub fn rounded_frame(canvas: &mut Canvas, area: Rectangle, radius: u32, line: u32, colour: Rgb888, inside: Rgb888) {
    rounded(canvas, area, radius, colour);
    let inner = area.offset(-(line as i32));
    rounded(canvas, inner, radius.saturating_sub(line), inside);
}

/// Fills `area`.
pub fn fill(canvas: &mut Canvas, area: Rectangle, colour: Rgb888) {
    let Ok(()) = canvas.fill_solid(&area, colour);
}

/// A hollow rectangle whose line of `line` px lies inside of `area`.
pub fn outline(canvas: &mut Canvas, area: Rectangle, line: u32, colour: Rgb888) {
    let style = PrimitiveStyleBuilder::new()
        .stroke_color(colour)
        .stroke_width(line)
        .stroke_alignment(StrokeAlignment::Inside)
        .build();
    let Ok(()) = area.draw_styled(&style, canvas);
}

/// As [`outline`], of dashes `dash` px long.
pub fn dashed_outline(canvas: &mut Canvas, area: Rectangle, line: u32, dash: u32, colour: Rgb888) {
    let (width, height) = (area.size.width, area.size.height);
    let far = Point::new(width as i32 - line as i32, height as i32 - line as i32);
    for start in (0..width).step_by(2 * dash.max(1) as usize) {
        let size = Size::new(dash.min(width - start), line);
        for y in [0, far.y] {
            let at = area.top_left + Point::new(start as i32, y);
            fill(canvas, Rectangle::new(at, size), colour);
        }
    }
    for start in (0..height).step_by(2 * dash.max(1) as usize) {
        let size = Size::new(line, dash.min(height - start));
        for x in [0, far.x] {
            let at = area.top_left + Point::new(x, start as i32);
            fill(canvas, Rectangle::new(at, size), colour);
        }
    }
}

/// How much of the pixel `(x, y)` of a corner lies inside a quarter circle of `radius`
/// about `(radius, radius)`, 0..=255.
fn corner_coverage(x: i32, y: i32, radius: i32) -> u8 {
    // In units of half a sample, so that sample centres are whole numbers.
    let scale = 2 * SAMPLES;
    let limit = (radius * scale).pow(2);
    let mut inside = 0;
    for sy in 0..SAMPLES {
        for sx in 0..SAMPLES {
            let dx = radius * scale - (x * scale + 2 * sx + 1);
            let dy = radius * scale - (y * scale + 2 * sy + 1);
            if dx * dx + dy * dy <= limit {
                inside += 1;
            }
        }
    }
    (inside * 255 / (SAMPLES * SAMPLES)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::palette::TEXT;

    #[test]
    fn corners_are_soft_and_edges_hard() {
        let mut canvas = Canvas::new(Size::new(20, 12));
        let area = Rectangle::new(Point::new(2, 2), Size::new(16, 8));
        rounded(&mut canvas, area, 4, TEXT);
        let red = |x: usize, y: usize| canvas.pixels()[(y * 20 + x) * 3];
        assert_eq!((red(1, 6), red(2, 6), red(17, 6), red(18, 6)), (0, 236, 236, 0));
        assert_eq!((red(2, 2), red(17, 9)), (0, 0));
        let soft = red(3, 3);
        assert!((60..236).contains(&soft), "{soft}");
        assert_eq!((soft, soft), (red(16, 3), red(16, 8)));
    }

    #[test]
    fn a_radius_beyond_the_shape_makes_a_pill() {
        let mut canvas = Canvas::new(Size::new(20, 8));
        let area = canvas.area();
        rounded(&mut canvas, area, 99, TEXT);
        assert_eq!(canvas.pixels()[0], 0);
        assert_eq!(canvas.pixels()[(4 * 20 + 10) * 3], 236);
    }
}
