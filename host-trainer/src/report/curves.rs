//! The blur study's figure: accuracy against blur, a curve for each model.

use super::axes::{Axes, LEFT, RIGHT, Tick, WIDTH, key};
use super::svg::{Anchor, Plot};
use super::{LevelRow, percent};
use crate::evaluate::metrics::Metrics;

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
    let levels: Vec<Tick> = rows.iter().map(|row| (row.level.name(), row.radius_px)).collect();
    let highest = rows
        .iter()
        .flat_map(|row| SERIES.iter().map(move |series| (series.of)(row).intervals.accuracy.high))
        .fold(0.0, f64::max);
    let axes = Axes::new(&levels, highest);
    let mut svg = axes.drawn(&levels, "accuracy");
    let chance = axes.y(1.0 / classes as f64);
    svg.line("chance", (LEFT, chance), (WIDTH - RIGHT, chance));
    svg.text("faint small", (WIDTH - RIGHT, chance - 5.0), Anchor::End, &format!("guessing: 1 in {classes}"));

    for (index, Series { name, of }) in SERIES.iter().enumerate() {
        let points: Vec<(f64, f64)> =
            rows.iter().map(|row| axes.point(row.radius_px, of(row).figures.accuracy)).collect();
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
        key(&mut svg, index, name, name);
    }
    svg.finish("accuracy-against-blur", "Accuracy against blur")
}
