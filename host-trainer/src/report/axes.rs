//! The axes of a share against what was done to pictures, and the key of the curves in them.

use super::svg::{Anchor, Svg};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
/// Distances of the axes from the edges, px.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 66.0;
/// Where the key begins, and from one of its entries to the next, px; five fit.
const KEY_LEFT: f64 = 24.0;
const KEY_STEP: f64 = 136.0;

/// A place on the horizontal axis.
pub struct Tick {
    /// Where, 0 to 1 from left to right.
    pub place: f64,
    /// What stands there.
    pub name: String,
    /// In small print below.
    pub detail: String,
}

impl Tick {
    /// Levels of box blur: their names and radii in px, the largest last.
    pub fn of_radii(levels: &[(&str, f32)]) -> Vec<Self> {
        let widest = levels.last().map_or(1.0, |&(_, radius)| f64::from(radius)).max(f64::MIN_POSITIVE);
        let tick = |&(name, radius): &(&str, f32)| Self {
            place: f64::from(radius) / widest,
            name: name.to_owned(),
            detail: format!("{radius} px"),
        };
        levels.iter().map(tick).collect()
    }
}

/// From values to places.
pub struct Axes {
    /// The top of the vertical axis, a whole number of tenths.
    highest: f64,
}

impl Axes {
    /// Axes up to a share that is at least `highest`.
    pub fn new(highest: f64) -> Self {
        Axes { highest: (highest.max(0.1) * 10.0).ceil() / 10.0 }
    }

    /// An empty drawing with these axes in it; the horizontal one is `along`, the vertical one shows `what`.
    pub fn drawn(&self, ticks: &[Tick], along: &str, what: &str) -> Svg {
        let mut svg = Svg::new(WIDTH as u32, HEIGHT as u32);
        let bottom = HEIGHT - BOTTOM;
        for tenth in 0..=(self.highest * 10.0).round() as u32 {
            let y = self.y(f64::from(tenth) / 10.0);
            svg.line("grid", (LEFT, y), (WIDTH - RIGHT, y));
            svg.text("faint", (LEFT - 8.0, y + 4.5), Anchor::End, &format!("{} %", tenth * 10));
        }
        for tick in ticks {
            let x = x(tick);
            svg.line("grid", (x, bottom), (x, bottom + 5.0));
            svg.text("", (x, bottom + 20.0), Anchor::Middle, &tick.name);
            svg.text("faint small", (x, bottom + 35.0), Anchor::Middle, &tick.detail);
        }
        let middle = (LEFT + WIDTH - RIGHT) / 2.0;
        svg.text("faint", (middle, bottom + 56.0), Anchor::Middle, along);
        svg.vertical_text(16.0, (TOP + bottom) / 2.0, what);
        svg
    }

    /// A dotted line all along at a share, with its meaning.
    pub fn chance(&self, svg: &mut Svg, share: f64, meaning: &str) {
        let y = self.y(share);
        svg.line("chance", (LEFT, y), (WIDTH - RIGHT, y));
        svg.text("faint small", (WIDTH - RIGHT, y - 5.0), Anchor::End, meaning);
    }

    /// The place of a share at a tick, px.
    pub fn point(&self, tick: &Tick, share: f64) -> (f64, f64) {
        (x(tick), self.y(share))
    }

    fn y(&self, share: f64) -> f64 {
        HEIGHT - BOTTOM - share / self.highest * (HEIGHT - TOP - BOTTOM)
    }
}

fn x(tick: &Tick) -> f64 {
    LEFT + 12.0 + tick.place * (WIDTH - LEFT - RIGHT - 40.0)
}

/// Names the `index`-th curve, of this class, above the drawing.
pub fn key(svg: &mut Svg, index: usize, class: &str, name: &str) {
    let left = KEY_LEFT + KEY_STEP * index as f64;
    svg.polyline(&format!("curve {class}"), &[(left, 20.0), (left + 28.0, 20.0)]);
    svg.dot(&format!("mark {class}"), (left + 14.0, 20.0), name);
    svg.text("", (left + 36.0, 24.5), Anchor::Start, name);
}
