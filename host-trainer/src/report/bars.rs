//! Figures of each label as bars.

use std::collections::BTreeMap;

use models::LabelSet;

use super::percent;
use super::svg::{Anchor, Plot, Svg};
use crate::evaluate::metrics::ClassMetrics;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 104.0;
/// Room for the figure behind the longest bar.
const RIGHT: f64 = 64.0;
const TOP: f64 = 44.0;
/// Height of a bar and of the gap between labels, px.
const BAR: f64 = 13.0;
const GAP: f64 = 14.0;

/// One of the bars of a label.
struct Figure {
    name: &'static str,
    class: &'static str,
    of: fn(&ClassMetrics) -> f64,
}

const FIGURES: [Figure; 3] = [
    Figure { name: "precision", class: "clear mark", of: |metrics| metrics.precision },
    Figure { name: "recall", class: "robust mark", of: |metrics| metrics.recall },
    Figure { name: "F1", class: "routed mark", of: |metrics| metrics.f1 },
];

/// A group of bars for each label.
pub fn per_class(classes: &[ClassMetrics]) -> Plot {
    let group = FIGURES.len() as f64 * BAR + GAP;
    let bottom = TOP + classes.len() as f64 * group;
    let mut svg = Svg::new(WIDTH as u32, (bottom + 30.0) as u32);
    let scale = WIDTH - LEFT - RIGHT;
    for fifth in 0..=5 {
        let x = LEFT + scale * f64::from(fifth) / 5.0;
        svg.line("grid", (x, TOP - 6.0), (x, bottom));
        svg.text("faint", (x, bottom + 18.0), Anchor::Middle, &format!("{} %", fifth * 20));
    }
    for (index, Figure { name, class, .. }) in FIGURES.iter().enumerate() {
        let x = LEFT + 110.0 * index as f64;
        svg.rect(class, (x, 13.0), (14.0, 14.0), 1.0, name);
        svg.text("", (x + 22.0, 24.5), Anchor::Start, name);
    }
    for (index, metrics) in classes.iter().enumerate() {
        let top = TOP + index as f64 * group;
        let middle = top + FIGURES.len() as f64 * BAR / 2.0;
        svg.text("", (LEFT - 10.0, middle), Anchor::End, metrics.label.name());
        svg.text("faint small", (LEFT - 10.0, middle + 14.0), Anchor::End, &format!("{} faces", metrics.support));
        for (bar, Figure { name, class, of }) in FIGURES.iter().enumerate() {
            let (value, y) = (of(metrics), top + bar as f64 * BAR);
            let hint = format!("{}: {name} {}", metrics.label.name(), percent(value));
            svg.rect(class, (LEFT, y), (value * scale, BAR), 1.0, &hint);
            svg.text("faint small", (LEFT + value * scale + 5.0, y + 10.5), Anchor::Start, &percent(value));
        }
    }
    svg.finish("per-class", "Precision, recall and F1 of each label, routed, without blur")
}

/// A bar for each label: pictures in all parts of the data set together, and in each part when pointed at.
pub fn class_counts(labels: &LabelSet, parts: &BTreeMap<&'static str, Vec<u64>>) -> Plot {
    let count = |label: usize| parts.values().map(|counts| counts[label]).sum::<u64>();
    let most = (0..labels.len()).map(count).max().unwrap_or(0).max(1) as f64;
    let height = BAR + GAP;
    let mut svg = Svg::new(WIDTH as u32, (TOP + labels.len() as f64 * height) as u32);
    for (index, label) in labels.iter().enumerate() {
        let (y, count) = (TOP / 2.0 + index as f64 * height, count(index));
        let width = (WIDTH - LEFT - RIGHT) * count as f64 / most;
        let parts: Vec<String> = parts.iter().map(|(part, counts)| format!("{part} {}", counts[index])).collect();
        svg.text("", (LEFT - 10.0, y + 11.0), Anchor::End, label.name());
        svg.rect("cell", (LEFT, y), (width, BAR), 1.0, &parts.join(", "));
        svg.text("faint small", (LEFT + width + 5.0, y + 10.5), Anchor::Start, &count.to_string());
    }
    svg.finish("classes", "Pictures of each label")
}
