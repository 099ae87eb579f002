//! The confusion matrix as a heat map.

use models::LabelSet;

use super::percent;
use super::svg::{Anchor, Plot, Svg};

/// Size of a cell, px.
const CELL: (f64, f64) = (66.0, 46.0);
/// Room for the labels.
const LEFT: f64 = 104.0;
const TOP: f64 = 58.0;
const MARGIN: f64 = 16.0;
/// From this share on, small text on a cell is no longer faint, ...
const TINTED_CELL: f64 = 0.25;
/// ... and from this on, all text is white in both themes.
const DARK_CELL: f64 = 0.7;

/// Rows are the right labels, columns the answers; shade and upper figure are shares of the row, the lower figure counts
/// faces.
pub fn confusion(labels: &LabelSet, counts: &[Vec<u64>]) -> Plot {
    let size = labels.len() as f64;
    let (width, height) = (LEFT + size * CELL.0 + MARGIN, TOP + size * CELL.1 + MARGIN);
    let mut svg = Svg::new(width as u32, height as u32);
    svg.text("faint", (LEFT + size * CELL.0 / 2.0, 18.0), Anchor::Middle, "answer");
    svg.vertical_text(16.0, TOP + size * CELL.1 / 2.0, "right label");
    for (index, label) in labels.iter().enumerate() {
        let (x, y) = corner(index, index);
        svg.text("", (x + CELL.0 / 2.0, TOP - 12.0), Anchor::Middle, label.name());
        svg.text("", (LEFT - 10.0, y + CELL.1 / 2.0 + 4.5), Anchor::End, label.name());
    }
    for (row, (truth, counts)) in labels.iter().zip(counts).enumerate() {
        let faces: u64 = counts.iter().sum();
        for (column, (answer, &count)) in labels.iter().zip(counts).enumerate() {
            let (x, y) = corner(column, row);
            let share = if faces > 0 { count as f64 / faces as f64 } else { 0.0 };
            let hint = format!("{}: {count} of {faces} answered {}", truth.name(), answer.name());
            svg.rect("cell", (x + 1.0, y + 1.0), (CELL.0 - 2.0, CELL.1 - 2.0), 0.04 + 0.96 * share, &hint);
            let (upper, lower) = match share {
                DARK_CELL.. => ("over", "over small"),
                TINTED_CELL.. => ("", "small"),
                _ => ("", "faint small"),
            };
            let middle = x + CELL.0 / 2.0;
            svg.text(upper, (middle, y + CELL.1 / 2.0), Anchor::Middle, &percent(share));
            svg.text(lower, (middle, y + CELL.1 / 2.0 + 15.0), Anchor::Middle, &count.to_string());
        }
    }
    svg.finish("confusion", "Confusion matrix, routed, without blur")
}

fn corner(column: usize, row: usize) -> (f64, f64) {
    (LEFT + column as f64 * CELL.0, TOP + row as f64 * CELL.1)
}
