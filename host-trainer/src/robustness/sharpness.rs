//! Guesses the radius of a blur from how sharp a face is, where nobody says how it was blurred.

use models::{BlurEstimate, Gray8, GrayImage, box_blur};
use rayon::prelude::*;
use serde::Serialize;

use super::degradation::Degradation;

/// The widest radius of the table and the step from row to row, px of a 128-px face.
const WIDEST: f32 = 14.0;
const STEP: f32 = 0.5;
/// Below this a face counts as flat; keeps logarithms finite.
const LEAST: f32 = 1e-6;

/// How sharp faces are under box blurs of growing radius.
pub struct RadiusTable(Vec<RadiusRow>);

/// One radius.
#[derive(Copy, Clone, Debug, Serialize)]
pub struct RadiusRow {
    /// Radius of the box blur, px.
    pub radius_px: f32,
    /// Median of the faces' Laplacian variance over their own variance.
    pub sharpness: f32,
}

impl RadiusTable {
    /// Blurs `faces`, of `side` px, at every radius. At least one face.
    pub fn fit(faces: &[&GrayImage], side: usize) -> Self {
        let mut rows: Vec<RadiusRow> = Vec::new();
        for step in 0..=(WIDEST / STEP) as usize {
            let radius_px = Degradation::BoxBlur.size_px(step as f32 * STEP, side).unwrap_or(0.0);
            let mut found: Vec<f32> =
                faces.par_iter().map(|face| sharpness(box_blur(face.view(), radius_px).view())).collect();
            found.sort_unstable_by(f32::total_cmp);
            let median = found.get(found.len() / 2).copied().unwrap_or(LEAST);
            // Rounding must not make a wider blur look sharper.
            let sharpness = rows.last().map_or(median, |row| median.min(row.sharpness));
            rows.push(RadiusRow { radius_px, sharpness });
        }
        RadiusTable(rows)
    }

    /// The radius, px, at which the faces of the table are as sharp as this one; between rows by the logarithm.
    pub fn radius_px(&self, face: Gray8<'_>) -> f32 {
        let found = sharpness(face);
        let above = self.0.partition_point(|row| row.sharpness > found);
        match (above.checked_sub(1).and_then(|row| self.0.get(row)), self.0.get(above)) {
            (None, _) => 0.0,
            (Some(widest), None) => widest.radius_px,
            (Some(sharper), Some(duller)) => {
                let way = (sharper.sharpness / found).ln() / (sharper.sharpness / duller.sharpness).ln();
                sharper.radius_px + (duller.radius_px - sharper.radius_px) * way
            }
        }
    }

    /// All rows, from sharp to blurred.
    pub fn rows(&self) -> &[RadiusRow] {
        &self.0
    }
}

fn sharpness(face: Gray8<'_>) -> f32 {
    BlurEstimate::of(face).normalised.max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::robustness::pictures::face;

    #[test]
    fn the_radius_of_a_face_of_the_table_is_found_again() {
        let face = face(48);
        let table = RadiusTable::fit(&[&face], 48);
        assert_eq!(table.radius_px(face.view()), 0.0);
        for radius in [0.5, 0.75, 1.5, 3.0] {
            let guessed = table.radius_px(box_blur(face.view(), radius).view());
            // A box of whole pixels leaves a little more than those just below it: there the table is level.
            assert!((guessed - radius).abs() < 0.1 + radius / 4.0, "{guessed} instead of {radius}");
        }
        assert!(table.rows().windows(2).all(|pair| pair[1].sharpness <= pair[0].sharpness));
        let flat = table.radius_px(GrayImage::new(48, 48).view());
        assert!((4.0..=5.25).contains(&flat), "{flat}");
    }
}
