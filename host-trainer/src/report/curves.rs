//! The blur study's figure: accuracy against blur, a curve for each model.

use super::svg::{Anchor, Plot, Svg};
use super::{LevelRow, percent};
use crate::evaluate::metrics::Metrics;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
/// Distances of the axes from the edges, px.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 66.0;

/// One of the curves.
struct Series {
    name: &'static str,
    of: fn(&LevelRow) -> &Metrics,
}

const SERIES: [Series; 3] = [
    Series { name: "clear", of: |row| &row.clear },
    Series { name: "robust", of: |row| &row.robust },
    Series { name: "routed", of: |row| &row.routed },
];

/// Accuracy of clear, robust and routed over the levels, with the bootstrap intervals as whiskers and the accuracy of
/// guessing as a dotted line. At least two rows, the last one with the largest radius.
pub fn accuracy_against_blur(rows: &[LevelRow], classes: usize) -> Plot {
    let mut svg = Svg::new(WIDTH as u32, HEIGHT as u32);
    let axes = Axes::of(rows);
    axes.draw(&mut svg, rows);
    let chance = axes.y(1.0 / classes as f64);
    svg.line("chance", (LEFT, chance), (WIDTH - RIGHT, chance));
    svg.text("faint small", (WIDTH - RIGHT, chance - 5.0), Anchor::End, &format!("guessing: 1 in {classes}"));

    for (index, Series { name, of }) in SERIES.iter().enumerate() {
        let points: Vec<(f64, f64)> = rows.iter().map(|row| axes.point(row, of(row).figures.accuracy)).collect();
        svg.polyline(&format!("curve {name}"), &points);
        for (row, &(x, y)) in rows.iter().zip(&points) {
            let metrics = of(row);
            let interval = metrics.intervals.accuracy;
            svg.line(&format!("whisker {name}"), (x, axes.y(interval.low)), (x, axes.y(interval.high)));
            let hint = format!(
                "{name}, {}: {} ({} to {})",
                row.level.name(),
                percent(metrics.figures.accuracy),
                percent(interval.low),
                percent(interval.high)
            );
            svg.dot(&format!("mark {name}"), (x, y), &hint);
        }
        let x = LEFT + 110.0 * index as f64;
        svg.polyline(&format!("curve {name}"), &[(x, 20.0), (x + 28.0, 20.0)]);
        svg.dot(&format!("mark {name}"), (x + 14.0, 20.0), name);
        svg.text("", (x + 36.0, 24.5), Anchor::Start, name);
    }
    svg.finish("accuracy-against-blur", "Accuracy against blur")
}

/// From values to places.
struct Axes {
    last_radius: f64,
    /// The top of the axis, a whole number of tenths.
    highest: f64,
}

impl Axes {
    fn of(rows: &[LevelRow]) -> Self {
        let last_radius = rows.last().map_or(1.0, |row| f64::from(row.radius_px));
        let highest = rows
            .iter()
            .flat_map(|row| SERIES.iter().map(move |series| (series.of)(row).intervals.accuracy.high))
            .fold(0.1, f64::max);
        Axes { last_radius: last_radius.max(f64::MIN_POSITIVE), highest: (highest * 10.0).ceil() / 10.0 }
    }

    fn point(&self, row: &LevelRow, accuracy: f64) -> (f64, f64) {
        let share = f64::from(row.radius_px) / self.last_radius;
        (LEFT + 12.0 + share * (WIDTH - LEFT - RIGHT - 40.0), self.y(accuracy))
    }

    fn y(&self, accuracy: f64) -> f64 {
        HEIGHT - BOTTOM - accuracy / self.highest * (HEIGHT - TOP - BOTTOM)
    }

    fn draw(&self, svg: &mut Svg, rows: &[LevelRow]) {
        let bottom = HEIGHT - BOTTOM;
        for tenth in 0..=(self.highest * 10.0).round() as u32 {
            let y = self.y(f64::from(tenth) / 10.0);
            svg.line("grid", (LEFT, y), (WIDTH - RIGHT, y));
            svg.text("faint", (LEFT - 8.0, y + 4.5), Anchor::End, &format!("{} %", tenth * 10));
        }
        for row in rows {
            let (x, _) = self.point(row, 0.0);
            svg.line("grid", (x, bottom), (x, bottom + 5.0));
            svg.text("", (x, bottom + 20.0), Anchor::Middle, row.level.name());
            svg.text("faint small", (x, bottom + 35.0), Anchor::Middle, &format!("{} px", row.radius_px));
        }
        let middle = (LEFT + WIDTH - RIGHT) / 2.0;
        svg.text("faint", (middle, bottom + 56.0), Anchor::Middle, "radius of the box blur");
        svg.vertical_text(16.0, (TOP + bottom) / 2.0, "accuracy");
    }
}
