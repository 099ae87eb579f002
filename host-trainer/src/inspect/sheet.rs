//! A sheet with pictures of every class.

use embedded_graphics::mono_font::ascii::{FONT_6X10, FONT_9X15};
use models::LabelSet;

use super::scan::{ON_SHEET, Scan, THUMBNAIL};
use crate::report::sheet::Sheet;

/// Room for the labels, px.
const LEFT: usize = 110;
/// Between pictures, px.
const GAP: usize = 4;

/// One row of pictures for each label, as a gray PNG.
///
/// # Errors
/// The encoder fails.
pub fn png(labels: &LabelSet, scan: &Scan) -> anyhow::Result<Vec<u8>> {
    let step = THUMBNAIL + GAP;
    let mut sheet = Sheet::new(LEFT + ON_SHEET * step, GAP + labels.len() * step);
    for (row, (label, samples)) in labels.iter().zip(&scan.samples).enumerate() {
        let top = GAP + row * step;
        let count = scan.facts.list.iter().filter(|fact| usize::from(fact.label) == row).count();
        sheet.text(label.name(), (8, top + 28), &FONT_9X15);
        sheet.text(&format!("{count} pictures"), (8, top + 44), &FONT_6X10);
        for (column, picture) in samples.values().enumerate() {
            sheet.picture(picture, (LEFT + column * step, top));
        }
    }
    sheet.png()
}
