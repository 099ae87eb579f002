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

/// The labels along one side of a table.
pub struct Axis<'a> {
    /// What they are called.
    pub name: &'a str,
    /// One for each row or column.
    pub labels: &'a LabelSet,
}

/// Rows are the right labels, columns the answers; shade and upper figure are shares of the row, the lower figure counts
/// faces.
pub fn confusion(labels: &LabelSet, faces: &[Vec<u64>], title: &'static str) -> Plot {
    let svg = counts(&Axis { name: "right label", labels }, &Axis { name: "answer", labels }, faces);
    svg.finish("confusion", title)
}

/// How often which row meets which column.
pub fn counts(rows: &Axis<'_>, columns: &Axis<'_>, faces: &[Vec<u64>]) -> Svg {
    let (across, down) = (columns.labels.len() as f64 * CELL.0, rows.labels.len() as f64 * CELL.1);
    let mut svg = Svg::new((LEFT + across + MARGIN) as u32, (TOP + down + MARGIN) as u32);
    svg.text("faint", (LEFT + across / 2.0, 18.0), Anchor::Middle, columns.name);
    svg.vertical_text(16.0, TOP + down / 2.0, rows.name);
    for (index, label) in columns.labels.iter().enumerate() {
        svg.text("", (corner(index, 0).0 + CELL.0 / 2.0, TOP - 12.0), Anchor::Middle, label.name());
    }
    for (index, label) in rows.labels.iter().enumerate() {
        svg.text("", (LEFT - 10.0, corner(0, index).1 + CELL.1 / 2.0 + 4.5), Anchor::End, label.name());
    }
    for (row, (truth, counts)) in rows.labels.iter().zip(faces).enumerate() {
        let faces: u64 = counts.iter().sum();
        for (column, (answer, &count)) in columns.labels.iter().zip(counts).enumerate() {
            let (x, y) = corner(column, row);
            let share = if faces > 0 { count as f64 / faces as f64 } else { 0.0 };
            let hint = format!("{}: {count} of {faces} are {}", truth.name(), answer.name());
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
    svg
}

fn corner(column: usize, row: usize) -> (f64, f64) {
    (LEFT + column as f64 * CELL.0, TOP + row as f64 * CELL.1)
}
