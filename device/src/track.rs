//! Who is who: keeps the identity of a face from one frame to the next.
//!
//! Greedy matching: the best pair of (known face, found face) first, by overlap, and
//! where boxes no longer overlap by the distance of their centres. Faces in front of a
//! camera are few and move little between frames, so nothing cleverer is needed.

use models::{DetectedFace, PixelRect};

/// When a found face is the same as a known one.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct TrackRule {
    /// A face keeps its id through this many detections in a row that miss it.
    pub keep_missed: u32,
    /// Least overlap (intersection over union, 0..=1) that makes two boxes one face.
    pub min_overlap: f32,
    /// Without that overlap: greatest distance of the centres, as a share of the mean
    /// box height, for a face that moved quickly. 0 switches it off.
    pub max_distance: f32,
}

/// Follows faces over the frames of a sequence.
#[derive(Debug)]
pub struct Tracker {
    rule: TrackRule,
    next_id: u64,
    tracks: Vec<Track>,
}

#[derive(Debug)]
struct Track {
    id: u64,
    rect: PixelRect,
    /// Detections in a row that missed it.
    missed: u32,
}

impl Tracker {
    /// A tracker that knows nobody; ids start at 1.
    pub fn new(rule: TrackRule) -> Self {
        Self { rule, next_id: 1, tracks: Vec::new() }
    }

    /// Matches the faces of a new detection with the known ones and returns the id of
    /// each, in their order. Ids are never used again.
    pub fn update(&mut self, faces: &[DetectedFace]) -> Vec<u64> {
        let mut pairs = Vec::new();
        for (track_index, track) in self.tracks.iter().enumerate() {
            for (face_index, face) in faces.iter().enumerate() {
                if let Some(likeness) = self.rule.likeness(&track.rect, &face.rect) {
                    pairs.push((likeness, track_index, face_index));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));

        let mut ids = vec![None; faces.len()];
        let mut seen = vec![false; self.tracks.len()];
        for (_, track_index, face_index) in pairs {
            if !seen[track_index] && ids[face_index].is_none() {
                seen[track_index] = true;
                ids[face_index] = Some(self.tracks[track_index].id);
                self.tracks[track_index].rect = faces[face_index].rect;
            }
        }

        for (track, seen) in self.tracks.iter_mut().zip(seen) {
            track.missed = if seen { 0 } else { track.missed + 1 };
        }
        let keep_missed = self.rule.keep_missed;
        self.tracks.retain(|track| track.missed <= keep_missed);

        ids.into_iter().zip(faces).map(|(id, face)| id.unwrap_or_else(|| self.begin(face.rect))).collect()
    }

    /// Whether a face with this id may still come back.
    pub fn is_known(&self, id: u64) -> bool {
        self.tracks.iter().any(|track| track.id == id)
    }

    /// Where everybody was last seen who may still come back, px.
    pub fn places(&self) -> Vec<PixelRect> {
        self.tracks.iter().map(|track| track.rect).collect()
    }

    /// Forgets everybody, but not the ids that were given: for pictures that have
    /// nothing to do with each other.
    pub fn forget_all(&mut self) {
        self.tracks.clear();
    }

    fn begin(&mut self, rect: PixelRect) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.tracks.push(Track { id, rect, missed: 0 });
        id
    }
}

impl TrackRule {
    /// How much two boxes look like one face: overlapping pairs in 1..=2, near ones in
    /// 0..1, others not at all.
    fn likeness(&self, known: &PixelRect, found: &PixelRect) -> Option<f32> {
        let overlap = known.iou(found);
        if overlap >= self.min_overlap && overlap > 0.0 {
            return Some(1.0 + overlap);
        }
        let mean_height = 0.5 * (known.height + found.height);
        let (a, b) = (known.center(), found.center());
        let distance = (a.x - b.x).hypot(a.y - b.y) / mean_height.max(1.0);
        let ratio = known.height / found.height.max(1.0);
        let same_size = (0.5..=2.0).contains(&ratio);
        (same_size && distance < self.max_distance).then(|| 1.0 - distance / self.max_distance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: TrackRule = TrackRule { keep_missed: 2, min_overlap: 0.3, max_distance: 0.6 };

    fn face(x: f32, y: f32, side: f32) -> DetectedFace {
        DetectedFace { rect: PixelRect { x, y, width: side, height: side }, score: 1.0, landmarks: None }
    }

    #[test]
    fn ids_follow_moving_faces_whatever_their_order() {
        let mut tracker = Tracker::new(RULE);
        assert_eq!(tracker.update(&[face(0.0, 0.0, 50.0), face(200.0, 0.0, 50.0)]), [1, 2]);
        assert_eq!(tracker.update(&[face(190.0, 5.0, 52.0), face(10.0, 0.0, 50.0)]), [2, 1]);
    }

    #[test]
    fn a_face_that_jumps_out_of_its_box_is_found_by_distance() {
        let mut tracker = Tracker::new(RULE);
        assert_eq!(tracker.update(&[face(100.0, 100.0, 50.0)]), [1]);
        assert_eq!(tracker.update(&[face(128.0, 100.0, 50.0)]), [1]);
        assert_eq!(tracker.update(&[face(200.0, 100.0, 50.0)]), [2]);
    }

    #[test]
    fn a_near_box_of_another_size_is_another_face() {
        let mut tracker = Tracker::new(RULE);
        assert_eq!(tracker.update(&[face(100.0, 100.0, 100.0)]), [1]);
        assert_eq!(tracker.update(&[face(140.0, 140.0, 20.0)]), [2]);
    }

    #[test]
    fn ids_survive_missed_frames_but_not_for_ever() {
        let mut tracker = Tracker::new(RULE);
        tracker.update(&[face(0.0, 0.0, 50.0)]);
        tracker.update(&[]);
        tracker.update(&[]);
        assert!(tracker.is_known(1));
        assert_eq!(tracker.update(&[face(2.0, 0.0, 50.0)]), [1]);
        for _ in 0..3 {
            tracker.update(&[]);
        }
        assert!(!tracker.is_known(1));
        assert_eq!(tracker.update(&[face(2.0, 0.0, 50.0)]), [2]);
    }

    #[test]
    fn the_better_overlap_wins_when_two_faces_cross() {
        let mut tracker = Tracker::new(RULE);
        tracker.update(&[face(0.0, 0.0, 100.0), face(60.0, 0.0, 100.0)]);
        assert_eq!(tracker.update(&[face(40.0, 0.0, 100.0), face(20.0, 0.0, 100.0)]), [2, 1]);
    }

    #[test]
    fn forgetting_does_not_give_an_id_twice() {
        let mut tracker = Tracker::new(RULE);
        assert_eq!(tracker.update(&[face(0.0, 0.0, 50.0)]), [1]);
        tracker.forget_all();
        assert_eq!(tracker.update(&[face(0.0, 0.0, 50.0)]), [2]);
    }

    #[test]
    fn an_empty_box_matches_nothing_and_nobody_panics() {
        let mut tracker = Tracker::new(TrackRule { max_distance: 0.0, ..RULE });
        assert_eq!(tracker.update(&[face(5.0, 5.0, 0.0)]), [1]);
        assert_eq!(tracker.update(&[face(5.0, 5.0, 0.0)]), [2]);
        assert_eq!(tracker.update(&[face(f32::NAN, 5.0, 10.0)]), [3]);
    }
}
