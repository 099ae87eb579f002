//! The axes of a share against the radius of a blur, and the key of the curves in them.

use super::svg::{Anchor, Svg};

pub const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
/// Distances of the axes from the edges, px.
pub const LEFT: f64 = 64.0;
pub const RIGHT: f64 = 24.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 66.0;

/// A level of blur on the horizontal axis: its name and its radius, px.
pub type Tick = (&'static str, f32);

/// From values to places.
pub struct Axes {
    last_radius: f64,
    /// The top of the axis, a whole number of tenths.
    highest: f64,
}

impl Axes {
    /// Axes up to the radius of the last level and to a share that is at least `highest`.
    pub fn new(levels: &[Tick], highest: f64) -> Self {
        let last_radius = levels.last().map_or(1.0, |&(_, radius)| f64::from(radius));
        Axes { last_radius: last_radius.max(f64::MIN_POSITIVE), highest: (highest.max(0.1) * 10.0).ceil() / 10.0 }
    }

    /// An empty drawing with these axes in it; the vertical one shows `what`.
    pub fn drawn(&self, levels: &[Tick], what: &str) -> Svg {
        let mut svg = Svg::new(WIDTH as u32, HEIGHT as u32);
        let bottom = HEIGHT - BOTTOM;
        for tenth in 0..=(self.highest * 10.0).round() as u32 {
            let y = self.y(f64::from(tenth) / 10.0);
            svg.line("grid", (LEFT, y), (WIDTH - RIGHT, y));
            svg.text("faint", (LEFT - 8.0, y + 4.5), Anchor::End, &format!("{} %", tenth * 10));
        }
        for &(name, radius) in levels {
            let (x, _) = self.point(radius, 0.0);
            svg.line("grid", (x, bottom), (x, bottom + 5.0));
            svg.text("", (x, bottom + 20.0), Anchor::Middle, name);
            svg.text("faint small", (x, bottom + 35.0), Anchor::Middle, &format!("{radius} px"));
        }
        let middle = (LEFT + WIDTH - RIGHT) / 2.0;
        svg.text("faint", (middle, bottom + 56.0), Anchor::Middle, "radius of the box blur");
        svg.vertical_text(16.0, (TOP + bottom) / 2.0, what);
        svg
    }

    /// The place of a share at a radius, px.
    pub fn point(&self, radius_px: f32, share: f64) -> (f64, f64) {
        let along = f64::from(radius_px) / self.last_radius;
        (LEFT + 12.0 + along * (WIDTH - LEFT - RIGHT - 40.0), self.y(share))
    }

    /// The height of a share.
    pub fn y(&self, share: f64) -> f64 {
        HEIGHT - BOTTOM - share / self.highest * (HEIGHT - TOP - BOTTOM)
    }
}

/// Names the `index`-th curve, of this class, above the drawing.
pub fn key(svg: &mut Svg, index: usize, class: &str, name: &str) {
    let x = LEFT + 110.0 * index as f64;
    svg.polyline(&format!("curve {class}"), &[(x, 20.0), (x + 28.0, 20.0)]);
    svg.dot(&format!("mark {class}"), (x + 14.0, 20.0), name);
    svg.text("", (x + 36.0, 24.5), Anchor::Start, name);
}
