//! A picture that shows what is wrong with a display: swapped colours, a wrong size, a cut edge.

use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::primitives::Rectangle;

use super::canvas::Canvas;
use super::shapes;
use super::text::{Align, Style, Typesetter};

/// The bars from left to right, and their names.
const BARS: [(&str, Rgb888); 6] = [
    ("red", Rgb888::RED),
    ("green", Rgb888::GREEN),
    ("blue", Rgb888::BLUE),
    ("white", Rgb888::WHITE),
    ("gray", Rgb888::new(128, 128, 128)),
    ("black", Rgb888::BLACK),
];

/// Bars that bear their own names, a gray ramp, the size, and a white line along all four edges.
pub fn draw(size: Size) -> Canvas {
    let mut canvas = Canvas::new(size);
    let mut text = Typesetter::new();
    let px = (size.height / 14).clamp(8, 40);
    let heights = [size.height * 3 / 5, size.height / 5];
    let count = BARS.len() as u32;
    for (index, (name, colour)) in (0..).zip(BARS) {
        let left = size.width * index / count;
        let width = size.width * (index + 1) / count - left;
        let bar = Rectangle::new(Point::new(left as i32, 0), Size::new(width, heights[0]));
        shapes::fill(&mut canvas, bar, colour);
        let is_dark = u32::from(colour.r()) + u32::from(colour.g()) + u32::from(colour.b()) < 300;
        let ink = if is_dark { Rgb888::WHITE } else { Rgb888::BLACK };
        text.write(&mut canvas, name, Style::bold(px, ink), bar, Align::Centre);
    }
    for x in 0..size.width {
        let level = (x * 255 / size.width.max(2).saturating_sub(1)).min(255) as u8;
        let column = Rectangle::new(Point::new(x as i32, heights[0] as i32), Size::new(1, heights[1]));
        shapes::fill(&mut canvas, column, Rgb888::new(level, level, level));
    }
    let top = heights[0] + heights[1];
    let foot = Rectangle::new(Point::new(0, top as i32), Size::new(size.width, size.height - top));
    let words = format!("{}x{} px, white line on all edges", size.width, size.height);
    text.write(&mut canvas, &words, Style::bold(px, Rgb888::WHITE), foot, Align::Centre);
    let all = canvas.area();
    shapes::outline(&mut canvas, all, 1, Rgb888::WHITE);
    canvas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_ramp_and_edges_are_where_they_belong() {
        for (width, height) in [(800, 480), (128, 64), (241, 321), (1, 1), (5, 400)] {
            let canvas = draw(Size::new(width, height));
            let at = |x: u32, y: u32| {
                let first = 3 * (y * width + x) as usize;
                [0, 1, 2].map(|channel| canvas.pixels()[first + channel])
            };
            for (x, y) in [(0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)] {
                assert_eq!(at(x, y), [255; 3], "corner {x},{y} of {width}x{height}");
            }
            if width > 100 {
                // Above the names.
                assert_eq!(at(width / 12, 2), [255, 0, 0]);
                assert_eq!(at(width / 4, 2), [0, 255, 0]);
                assert_eq!(at(width * 5 / 12, 2), [0, 0, 255]);
                assert!(at(width / 2, height * 7 / 10)[0].abs_diff(127) < 3);
            }
        }
    }
}
