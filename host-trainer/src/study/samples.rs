//! A sheet with faces of every label and what the clear model said of them.

use embedded_graphics::mono_font::ascii::{FONT_6X10, FONT_9X15};
use models::{LabelSet, resize};

use crate::evaluate::Measurement;
use crate::report::sheet::Sheet;

/// Name of the file.
pub const FILE: &str = "samples.png";
/// Faces of each label.
const IN_A_ROW: usize = 9;
/// Their width and height, px.
const FACE: usize = 72;
/// Room for a face and the words below it, px.
const CELL: (usize, usize) = (84, 106);
/// Room for the labels, px.
const LEFT: usize = 96;
const TOP: usize = 8;

/// A row of faces for each right label, spread evenly over the test; below each face the answer and its probability.
///
/// # Errors
/// The encoder fails.
pub fn png(labels: &LabelSet, measured: &Measurement<'_>) -> anyhow::Result<Vec<u8>> {
    let mut sheet = Sheet::new(LEFT + IN_A_ROW * CELL.0, TOP + labels.len() * CELL.1);
    // The sweep always begins without blur.
    let answers = measured.answers.first().map(|level| level.answers.as_slice()).unwrap_or_default();
    for (row, label) in labels.iter().enumerate() {
        let top = TOP + row * CELL.1;
        sheet.text(label.name(), (8, top + FACE / 2), &FONT_9X15);
        let of_label: Vec<_> = measured.faces.iter().zip(answers).filter(|(face, _)| face.truth == row).collect();
        for column in 0..IN_A_ROW.min(of_label.len()) {
            let (face, answer) = of_label[column * of_label.len() / IN_A_ROW.min(of_label.len())];
            let answer = &answer.clear.answer;
            let left = LEFT + column * CELL.0;
            sheet.picture(&resize(face.picture.read()?.view(), FACE, FACE), (left, top));
            let said = labels.get(answer.predicted).map_or("?", |label| label.name());
            sheet.text(said, (left, top + FACE + 11), &FONT_6X10);
            let verdict = if answer.is_right() { "right" } else { "WRONG" };
            let confidence = format!("{:.0} % {verdict}", answer.confidence * 100.0);
            sheet.text(&confidence, (left, top + FACE + 22), &FONT_6X10);
        }
    }
    sheet.png()
}
