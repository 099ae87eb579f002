//! How often which values occur.

use serde::Serialize;

use super::svg::{Anchor, Plot, Svg};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 34.0;

/// Counts of values between edges.
#[derive(Clone, Debug, Serialize)]
pub struct Histogram {
    /// Edges of the bins, rising; a value on an edge belongs to the bin above it.
    pub edges: Vec<f64>,
    /// Values in each bin; those beyond the ends are in the first or last one.
    pub counts: Vec<u64>,
    /// Half of the values are below it.
    pub median: f32,
}

impl Histogram {
    /// Counts `values` between at least two `edges`.
    pub fn of(values: &[f32], edges: Vec<f64>) -> Self {
        let mut counts = vec![0; edges.len().saturating_sub(1)];
        for &value in values {
            let bin = edges.partition_point(|&edge| edge <= f64::from(value));
            let last = counts.len() - 1;
            counts[bin.saturating_sub(1).min(last)] += 1;
        }
        let mut sorted = values.to_vec();
        let middle = sorted.len() / 2;
        let median = if sorted.is_empty() { 0.0 } else { *sorted.select_nth_unstable_by(middle, f32::total_cmp).1 };
        Self { edges, counts, median }
    }

    /// Bars side by side, as wide as each other whatever the edges are.
    pub fn plot(&self, name: &'static str, title: &'static str) -> Plot {
        let mut svg = Svg::new(WIDTH as u32, HEIGHT as u32);
        let most = self.counts.iter().copied().max().unwrap_or(0).max(1) as f64;
        let step = (WIDTH - LEFT - RIGHT) / self.counts.len() as f64;
        let (height, floor) = (HEIGHT - TOP - BOTTOM, HEIGHT - BOTTOM);
        svg.line("grid", (LEFT, floor), (WIDTH - RIGHT, floor));
        svg.line("grid", (LEFT, TOP), (WIDTH - RIGHT, TOP));
        svg.text("faint small", (LEFT - 8.0, TOP + 4.0), Anchor::End, &most.to_string());
        svg.text("faint small", (LEFT - 8.0, floor + 4.0), Anchor::End, "0");
        for (index, &count) in self.counts.iter().enumerate() {
            let x = LEFT + step * index as f64;
            let bar = height * count as f64 / most;
            let hint = format!("{} to {}: {count}", self.edges[index], self.edges[index + 1]);
            svg.rect("cell", (x + 1.0, floor - bar), (step - 2.0, bar), 1.0, &hint);
        }
        for (index, edge) in self.edges.iter().enumerate() {
            let x = LEFT + step * index as f64;
            svg.text("faint small", (x, floor + 16.0), Anchor::Middle, &edge.to_string());
        }
        svg.finish(name, title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_between_the_edges() {
        let found = Histogram::of(&[-1.0, 0.0, 0.5, 1.0, 3.9, 4.0, 99.0], vec![0.0, 1.0, 2.0, 4.0]);
        assert_eq!(found.counts, [3, 1, 3]);
        assert_eq!(found.median, 1.0);
        assert_eq!(Histogram::of(&[], vec![0.0, 1.0]).counts, [0]);
    }
}
