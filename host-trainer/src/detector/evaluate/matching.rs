//! Which found box is which face.

use models::DetectedFace;

use super::super::annotation::Face;

/// Overlap (intersection over union) from which on a box has found a face. Low, because detectors differ in how tightly
/// their boxes fit.
pub const MIN_IOU: f32 = 0.4;
/// Overlap with any face below which a box is false. What lies between is neither.
pub const FALSE_IOU: f32 = 0.2;

/// What a detector's boxes are.
pub struct Matches {
    /// For every face the box that found it.
    pub found: Vec<Option<DetectedFace>>,
    /// Boxes where no face is.
    pub false_boxes: usize,
}

/// Gives every face at most one box, the best scored boxes first. Boxes on `doubtful` faces are neither right nor false.
pub fn matches(faces: &[Face], doubtful: &[Face], boxes: &[DetectedFace]) -> Matches {
    let mut sorted: Vec<&DetectedFace> = boxes.iter().collect();
    sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut found = vec![None; faces.len()];
    for detected in sorted {
        let free = (0..faces.len()).filter(|&index| found[index].is_none());
        let overlap = |index: usize| faces[index].rect.iou(&detected.rect);
        let best = free.max_by(|&a, &b| overlap(a).total_cmp(&overlap(b)));
        if let Some(index) = best.filter(|&index| overlap(index) >= MIN_IOU) {
            found[index] = Some(*detected);
        }
    }
    let is_false =
        |detected: &&DetectedFace| faces.iter().chain(doubtful).all(|face| face.rect.iou(&detected.rect) < FALSE_IOU);
    Matches { found, false_boxes: boxes.iter().filter(is_false).count() }
}

#[cfg(test)]
mod tests {
    use models::{PixelPoint, PixelRect};

    use super::*;

    fn rect(x: f32) -> PixelRect {
        PixelRect { x, y: 0.0, width: 10.0, height: 10.0 }
    }

    fn face(x: f32) -> Face {
        Face { rect: rect(x), points: [PixelPoint { x, y: 0.0 }; 5] }
    }

    fn found(x: f32, score: f32) -> DetectedFace {
        DetectedFace { rect: rect(x), score, landmarks: None }
    }

    #[test]
    fn a_face_is_found_once_and_a_box_finds_one_face() {
        let result = matches(&[face(0.0), face(50.0)], &[], &[found(1.0, 0.7), found(0.0, 0.9)]);
        assert_eq!(result.found[0].map(|f| f.score), Some(0.9));
        assert!(result.found[1].is_none());
        assert_eq!(result.false_boxes, 0);
    }

    #[test]
    fn boxes_beside_all_faces_are_false_but_not_on_doubtful_ones() {
        let result = matches(&[face(0.0)], &[face(50.0)], &[found(30.0, 0.9), found(51.0, 0.8)]);
        assert!(result.found[0].is_none());
        assert_eq!(result.false_boxes, 1);
    }
}
