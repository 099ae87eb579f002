//! How a stage of training went: loss and accuracy over the epochs.

use super::percent;
use super::svg::{Anchor, Plot, Svg};
use crate::checkpoint::Epoch;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 280.0;
/// Distances of a panel's axes from its edges, px.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 44.0;
/// With more epochs, dots would hide the curve.
const MOST_DOTS: usize = 40;
/// Lines of the grid above the lowest one.
const GRID: u32 = 4;

/// A curve of a panel; the class gives its colour.
struct Series {
    name: &'static str,
    class: &'static str,
    of: fn(&Epoch) -> f64,
}

const LOSSES: [Series; 2] = [
    Series { name: "training", class: "clear", of: |epoch| epoch.training_loss },
    Series { name: "validation", class: "robust", of: |epoch| epoch.validation_loss },
];
const ACCURACY: [Series; 1] = [Series { name: "validation", class: "robust", of: |epoch| epoch.validation_accuracy }];

/// Losses on the left, accuracy on the right.
pub fn curves(history: &[Epoch], name: &'static str, title: &'static str) -> Plot {
    let mut svg = Svg::new(WIDTH as u32, HEIGHT as u32);
    let highest_loss = LOSSES.iter().flat_map(|series| history.iter().map(series.of)).fold(1e-3, f64::max);
    let half = WIDTH / 2.0;
    Panel { left: LEFT, right: half - RIGHT, highest: highest_loss, what: "loss", label: |loss| format!("{loss:.2}") }
        .draw(&mut svg, history, &LOSSES);
    Panel { left: half + LEFT, right: WIDTH - RIGHT, highest: 1.0, what: "accuracy", label: percent }
        .draw(&mut svg, history, &ACCURACY);
    svg.finish(name, title)
}

/// One of the two coordinate systems, from 0 to the highest value.
struct Panel {
    left: f64,
    right: f64,
    highest: f64,
    what: &'static str,
    label: fn(f64) -> String,
}

impl Panel {
    fn draw(&self, svg: &mut Svg, history: &[Epoch], series: &[Series]) {
        for line in 0..=GRID {
            let value = self.highest * f64::from(line) / f64::from(GRID);
            svg.line("grid", (self.left, self.y(value)), (self.right, self.y(value)));
            svg.text("faint small", (self.left - 6.0, self.y(value) + 4.0), Anchor::End, &(self.label)(value));
        }
        let floor = HEIGHT - BOTTOM;
        svg.text("faint small", (self.x(0, history.len()), floor + 18.0), Anchor::Middle, "1");
        if history.len() > 1 {
            let last = self.x(history.len() - 1, history.len());
            svg.text("faint small", (last, floor + 18.0), Anchor::Middle, &history.len().to_string());
        }
        svg.text("faint", ((self.left + self.right) / 2.0, floor + 34.0), Anchor::Middle, "epoch");
        for (index, Series { name, class, of }) in series.iter().enumerate() {
            let place = |(epoch, value): (usize, f64)| (self.x(epoch, history.len()), self.y(value));
            let points: Vec<(f64, f64)> = history.iter().map(of).enumerate().map(place).collect();
            svg.polyline(&format!("curve {class}"), &points);
            for (epoch, &point) in history.iter().zip(&points).filter(|_| history.len() <= MOST_DOTS) {
                let hint = format!("{name}, epoch {}: {}", epoch.epoch, (self.label)(of(epoch)));
                svg.dot(&format!("mark {class}"), point, &hint);
            }
            let x = self.left + 140.0 * index as f64;
            svg.polyline(&format!("curve {class}"), &[(x, 18.0), (x + 20.0, 18.0)]);
            svg.text("small", (x + 26.0, 22.0), Anchor::Start, &format!("{} ({name})", self.what));
        }
    }

    fn x(&self, epoch: usize, epochs: usize) -> f64 {
        let share = if epochs > 1 { epoch as f64 / (epochs - 1) as f64 } else { 0.5 };
        self.left + 10.0 + share * (self.right - self.left - 20.0)
    }

    fn y(&self, value: f64) -> f64 {
        let floor = HEIGHT - BOTTOM;
        floor - (value / self.highest).clamp(0.0, 1.0) * (floor - TOP)
    }
}
