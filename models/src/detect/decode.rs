//! From the outputs of a YuNet network to faces, as OpenCV's `FaceDetectorYN` does it.

use super::{DetectedFace, Landmarks};
use crate::image::{PixelPoint, PixelRect};

/// The outputs of one stride: a value, or a group of them, for every cell of a grid whose cells
/// are `stride` px of the input wide and high; row by row.
pub(super) struct Level<'a> {
    /// Px of the input a cell.
    pub stride: usize,
    /// Cells a row.
    pub columns: usize,
    /// Probability of a face, one a cell.
    pub cls: &'a [f32],
    /// Probability that the box fits, one a cell.
    pub obj: &'a [f32],
    /// Box: offset of its centre, logarithm of its sides; four a cell, in strides.
    pub bbox: &'a [f32],
    /// Right eye, left eye, nose, right and left corner of the mouth: x and y each, ten a cell, as
    /// offsets from the cell in strides.
    pub kps: &'a [f32],
}

impl Level<'_> {
    /// The faces of this level that score at least `threshold`, in px of the network's input.
    pub fn faces(&self, threshold: f32) -> impl Iterator<Item = DetectedFace> + '_ {
        let cells = self.cls.iter().zip(self.obj).zip(self.bbox.as_chunks::<4>().0).zip(self.kps.as_chunks::<10>().0);
        cells.enumerate().filter_map(move |(cell, (((&cls, &obj), bbox), kps))| {
            let score = (cls.clamp(0.0, 1.0) * obj.clamp(0.0, 1.0)).sqrt();
            if score.is_nan() || score < threshold {
                return None;
            }
            let stride = self.stride as f32;
            let (column, row) = ((cell % self.columns) as f32, (cell / self.columns) as f32);
            let (width, height) = (bbox[2].exp() * stride, bbox[3].exp() * stride);
            let rect = PixelRect {
                x: (column + bbox[0]) * stride - 0.5 * width,
                y: (row + bbox[1]) * stride - 0.5 * height,
                width,
                height,
            };
            let point = |i: usize| PixelPoint { x: (column + kps[2 * i]) * stride, y: (row + kps[2 * i + 1]) * stride };
            let finite = [rect.x, rect.y, width, height].iter().chain(kps).all(|v| v.is_finite());
            finite.then(|| DetectedFace {
                rect,
                score,
                landmarks: Some(Landmarks {
                    right_eye: point(0),
                    left_eye: point(1),
                    nose: point(2),
                    right_mouth: point(3),
                    left_mouth: point(4),
                }),
            })
        })
    }
}
