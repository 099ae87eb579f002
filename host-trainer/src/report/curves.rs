//! Accuracy against what was done to the faces, a curve for each way of answering.

use super::axes::{Axes, Tick, key};
use super::svg::Plot;
use super::{LevelRow, percent};
use crate::evaluate::bootstrap::Interval;
use crate::evaluate::metrics::Metrics;

/// What a chart shows. Bootstrap intervals are whiskers, the accuracy of guessing is a dotted line.
pub struct Chart<'a> {
    /// Name of its file, without the extension.
    pub name: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// What the horizontal axis is.
    pub axis: &'a str,
    /// The places on that axis.
    pub ticks: Vec<Tick>,
    /// The curves, five at most.
    pub series: Vec<Series>,
    /// Labels to guess from.
    pub classes: usize,
}

/// One of the curves.
pub struct Series {
    /// What the legend calls it.
    pub name: &'static str,
    /// Its class in the style sheet.
    pub class: &'static str,
    /// One for each tick; none where nothing was measured.
    pub points: Vec<Option<Point>>,
}

/// A measured accuracy.
#[derive(Copy, Clone)]
pub struct Point {
    /// 0..=1.
    pub accuracy: f64,
    /// Its 95 % interval.
    pub interval: Interval,
}

/// The blur study's figure: clear, robust and routed over the levels. At least two rows, the last one with the largest
/// radius.
pub fn accuracy_against_blur(rows: &[LevelRow], classes: usize) -> Plot {
    let levels: Vec<_> = rows.iter().map(|row| (row.level.name(), row.radius_px)).collect();
    let series = |name: &'static str, of: fn(&LevelRow) -> &Metrics| {
        let point =
            |row: &LevelRow| Some(Point { accuracy: of(row).figures.accuracy, interval: of(row).intervals.accuracy });
        Series { name, class: name, points: rows.iter().map(point).collect() }
    };
    Chart {
        name: "accuracy-against-blur",
        title: "Accuracy against blur",
        axis: "radius of the box blur",
        ticks: Tick::of_radii(&levels),
        series: vec![
            series("clear", |row| &row.clear),
            series("robust", |row| &row.robust),
            series("routed", |row| &row.routed),
        ],
        classes,
    }
    .plot()
}

impl Chart<'_> {
    /// Draws it.
    pub fn plot(&self) -> Plot {
        let points = self.series.iter().flat_map(|series| series.points.iter().flatten());
        let axes = Axes::new(points.map(|point| point.interval.high).fold(0.0, f64::max));
        let mut svg = axes.drawn(&self.ticks, self.axis, "accuracy");
        axes.chance(&mut svg, 1.0 / self.classes as f64, &format!("guessing: 1 in {}", self.classes));
        for (index, Series { name, class, points }) in self.series.iter().enumerate() {
            let measured = || self.ticks.iter().zip(points).filter_map(|(tick, point)| Some((tick, (*point)?)));
            let line: Vec<(f64, f64)> = measured().map(|(tick, point)| axes.point(tick, point.accuracy)).collect();
            svg.polyline(&format!("curve {class}"), &line);
            for (tick, Point { accuracy, interval }) in measured() {
                let [low, high] = [interval.low, interval.high].map(|share| axes.point(tick, share));
                svg.line(&format!("whisker {class}"), low, high);
                let [accuracy_text, low, high] = [accuracy, interval.low, interval.high].map(percent);
                let hint = format!("{name}, {}: {accuracy_text} ({low} to {high})", tick.name);
                svg.dot(&format!("mark {class}"), axes.point(tick, accuracy), &hint);
            }
            key(&mut svg, index, class, name);
        }
        svg.finish(self.name, self.title)
    }
}
