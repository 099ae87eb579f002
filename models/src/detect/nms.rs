//! Non-maximum suppression: of boxes that overlap much, the best stays, and what lies in a face is none.

use super::DetectedFace;

/// More candidates than this are cut off by score, so that a network that fires everywhere costs
/// milliseconds and not minutes (the comparison below is quadratic).
const MAX_CANDIDATES: usize = 1000;

/// Share of a box that lies within a better one, at most. Eyes and mouths of a large face may look like small faces.
const MAX_WITHIN: f32 = 0.7;

/// `faces` by falling score, without those that overlap a better one by more than `max_iou`
/// (intersection over union, 0..=1) or lie within it by more than 70 % of their own area.
pub(super) fn suppress(mut faces: Vec<DetectedFace>, max_iou: f32) -> Vec<DetectedFace> {
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    faces.truncate(MAX_CANDIDATES);
    let mut kept: Vec<DetectedFace> = Vec::new();
    for face in faces {
        let within = |better: &DetectedFace| better.rect.shared_area(&face.rect) > MAX_WITHIN * face.rect.area();
        if kept.iter().all(|better| better.rect.iou(&face.rect) <= max_iou && !within(better)) {
            kept.push(face);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::PixelRect;

    fn face(x: f32, score: f32) -> DetectedFace {
        let rect = PixelRect { x, y: 0.0, width: 10.0, height: 10.0 };
        DetectedFace { rect, score, landmarks: None }
    }

    fn scores(faces: Vec<DetectedFace>) -> Vec<f32> {
        suppress(faces, 0.3).iter().map(|f| f.score).collect()
    }

    #[test]
    fn the_best_of_an_overlapping_group_stays() {
        assert_eq!(scores(vec![face(1.0, 0.7), face(0.0, 0.9), face(2.0, 0.8)]), [0.9]);
    }

    #[test]
    fn little_overlap_is_two_faces() {
        // 10 px wide, 6 px apart: intersection 4 of a union of 16.
        assert_eq!(scores(vec![face(6.0, 0.7), face(0.0, 0.9)]), [0.9, 0.7]);
    }

    #[test]
    fn an_eye_is_no_face_but_a_face_behind_a_smaller_one_is() {
        let small = |x: f32, score| {
            let rect = PixelRect { x, y: 2.0, width: 4.0, height: 4.0 };
            DetectedFace { rect, score, landmarks: None }
        };
        assert_eq!(scores(vec![face(0.0, 0.9), small(3.0, 0.8), small(8.5, 0.7)]), [0.9, 0.7]);
        assert_eq!(scores(vec![small(3.0, 0.9), face(0.0, 0.8)]), [0.9, 0.8]);
    }

    #[test]
    fn a_suppressed_box_suppresses_nobody() {
        // The third overlaps the second, which is gone, but not the first.
        assert_eq!(scores(vec![face(0.0, 0.9), face(4.0, 0.8), face(8.0, 0.7)]), [0.9, 0.7]);
    }

    #[test]
    fn nothing_in_nothing_out() {
        assert!(suppress(Vec::new(), 0.3).is_empty());
    }

    #[test]
    fn a_flood_of_candidates_is_cut() {
        let flood = (0..5000).map(|i| face(i as f32 * 20.0, 0.5)).collect();
        assert_eq!(suppress(flood, 0.3).len(), MAX_CANDIDATES);
    }
}
