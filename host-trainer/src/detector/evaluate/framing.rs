//! Where a detector sees box and eyes in faces that are framed as a recogniser is to see them; from that the alignment
//! that frames the detector's faces in the same way.

use models::{Alignment, DetectedFace, FaceDetector, GrayImage, resize};
use serde::Serialize;

use super::figures::quantile;
use crate::face::Face;

/// Width and height of the plain frame that a face is pasted into, px.
const FRAME: (usize, usize) = (320, 256);
/// Side of the face in it, px.
const SIDE: usize = 192;
/// Fewer faces say nothing.
const LEAST_FACES: usize = 20;

/// Medians over faces, in shares of the face picture's side from its left top corner.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Framing {
    /// Faces looked at.
    pub faces: usize,
    /// Faces found.
    pub found: usize,
    /// Height of the box.
    pub box_height: f64,
    /// Width of the box.
    pub box_width: f64,
    /// Middle of the box.
    pub box_x: f64,
    /// Middle of the box.
    pub box_y: f64,
    /// Where the eyes and their distance are; None without points.
    pub eyes: Option<Eyes>,
}

/// Medians of the eyes, in shares of the side.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Eyes {
    /// The subject's right eye.
    pub right_x: f64,
    pub right_y: f64,
    /// The subject's left eye.
    pub left_x: f64,
    pub left_y: f64,
    /// Distance between them.
    pub distance: f64,
    /// Height of the point between them.
    pub middle_y: f64,
}

/// The best face that the detector sees in a square face [as a frame](framed); None where it sees none.
///
/// # Errors
/// The detector fails, a face that cannot be read.
pub fn look(detector: &mut dyn FaceDetector, face: &Face) -> anyhow::Result<Option<DetectedFace>> {
    Ok(detector.detect(framed(face.read()?.as_ref()).view())?.first().copied())
}

/// What the detector sees in each of the square `faces`.
///
/// # Errors
/// The detector fails, a face that cannot be read.
pub fn find<'a>(
    detector: &mut dyn FaceDetector,
    faces: impl Iterator<Item = &'a Face>,
) -> anyhow::Result<Vec<Option<DetectedFace>>> {
    faces.map(|face| look(detector, face)).collect()
}

impl Framing {
    /// Of what [was seen](find).
    pub fn of(seen: &[Option<DetectedFace>]) -> Self {
        let (mut boxes, mut eyes) = (Vec::new(), Vec::new());
        let (left, top) = ((FRAME.0 - SIDE) as f32 / 2.0, (FRAME.1 - SIDE) as f32 / 2.0);
        let [across, down] = [left, top].map(|start| move |px: f32| (px - start) / SIDE as f32);
        for best in seen.iter().flatten() {
            let middle = best.rect.center();
            let side = SIDE as f32;
            boxes.push([best.rect.width / side, best.rect.height / side, across(middle.x), down(middle.y)]);
            if let Some(points) = best.landmarks {
                let (right, left) = (points.right_eye, points.left_eye);
                let distance = (left.x - right.x).hypot(left.y - right.y) / side;
                let middle = down(0.5 * (right.y + left.y));
                eyes.push([across(right.x), down(right.y), across(left.x), down(left.y), distance, middle]);
            }
        }
        let [box_width, box_height, box_x, box_y] = medians(&boxes);
        let [right_x, right_y, left_x, left_y, distance, middle_y] = medians(&eyes);
        let eyes = (!eyes.is_empty()).then_some(Eyes { right_x, right_y, left_x, left_y, distance, middle_y });
        Self { faces: seen.len(), found: boxes.len(), box_height, box_width, box_x, box_y, eyes }
    }

    /// The alignment that gives the detector's faces this framing; None if too few were found to tell. A detector
    /// without points leaves the places of the eyes as they are by default.
    pub fn alignment(&self) -> Option<Alignment> {
        if self.found < LEAST_FACES {
            return None;
        }
        let usual = Alignment::default();
        let (eye_y, eye_distance) = match &self.eyes {
            Some(eyes) => (rounded(eyes.middle_y), rounded(eyes.distance)),
            None => (usual.eye_y, usual.eye_distance),
        };
        Some(Alignment {
            box_scale: rounded(1.0 / self.box_height),
            box_shift_x: rounded((0.5 - self.box_x) / self.box_height),
            box_shift_y: rounded((0.5 - self.box_y) / self.box_height),
            eye_y,
            eye_distance,
        })
    }
}

/// To three decimals: more is not measured.
fn rounded(value: f64) -> f32 {
    // Never -0.
    ((value * 1000.0).round() / 1000.0 + 0.0) as f32
}

fn medians<const N: usize>(rows: &[[f32; N]]) -> [f64; N] {
    std::array::from_fn(|index| quantile(rows.iter().map(|row| row[index]).collect(), 0.5))
}

/// A face picture, enlarged, in the middle of a frame of its own mean gray: what a detector can find it in.
pub fn framed(face: &GrayImage) -> GrayImage {
    let sum: u64 = face.pixels().iter().map(|&pixel| u64::from(pixel)).sum();
    let mut frame = GrayImage::new(FRAME.0, FRAME.1);
    frame.pixels_mut().fill((sum / face.pixels().len() as u64) as u8);
    let large = resize(face.view(), SIDE, SIDE);
    let (left, top) = ((FRAME.0 - SIDE) / 2, (FRAME.1 - SIDE) / 2);
    let rows = frame.pixels_mut().chunks_exact_mut(FRAME.0).skip(top);
    for (row, line) in rows.zip(large.pixels().chunks_exact(SIDE)) {
        row[left..left + SIDE].copy_from_slice(line);
    }
    frame
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use models::{DetectError, Gray8, Landmarks, PixelPoint, PixelRect};

    use super::*;

    /// Sees the same face in every frame: box and eyes at fixed shares of the pasted square, which begins at (64, 32).
    struct Fixed;

    impl FaceDetector for Fixed {
        fn name(&self) -> &str {
            "fixed"
        }

        fn detect(&mut self, _: Gray8<'_>) -> Result<Vec<DetectedFace>, DetectError> {
            let at = |x: f32, y: f32| PixelPoint { x: 64.0 + 192.0 * x, y: 32.0 + 192.0 * y };
            let corner = at(0.2, 0.1);
            let rect = PixelRect { x: corner.x, y: corner.y, width: 0.6 * 192.0, height: 0.8 * 192.0 };
            let landmarks = Landmarks {
                right_eye: at(0.3, 0.4),
                left_eye: at(0.7, 0.4),
                nose: at(0.5, 0.6),
                right_mouth: at(0.35, 0.8),
                left_mouth: at(0.65, 0.8),
            };
            Ok(vec![DetectedFace { rect, score: 0.9, landmarks: Some(landmarks) }])
        }
    }

    #[test]
    fn the_alignment_gives_the_framing_back() {
        let face = GrayImage::from_vec((0..48 * 48).map(|i| (i * 5 % 256) as u8).collect(), 48, 48).unwrap();
        let faces = vec![Face::from(face.clone()); 30];
        let framing = Framing::of(&find(&mut Fixed, faces.iter()).unwrap());
        assert_eq!((framing.faces, framing.found), (30, 30));
        let alignment = framing.alignment().unwrap();
        let expected = Alignment { box_scale: 1.25, box_shift_x: 0.0, box_shift_y: 0.0, eye_y: 0.4, eye_distance: 0.4 };
        assert_eq!(alignment, expected);
        // The crop by the eyes, and that by the box, is the face that was pasted.
        let frame = framed(&face);
        let mut found = Fixed.detect(frame.view()).unwrap()[0];
        for landmarks in [found.landmarks, None] {
            found.landmarks = landmarks;
            let crop = alignment.crop(frame.view(), &found, 48);
            let apart = crop.pixels().iter().zip(face.pixels()).filter(|(a, b)| a.abs_diff(**b) > 30).count();
            assert!(apart < 48 * 48 / 10, "{apart} px differ");
        }
    }

    #[test]
    fn too_few_faces_say_nothing() {
        let face = Face::from(GrayImage::new(48, 48));
        assert_eq!(Framing::of(&find(&mut Fixed, [&face].into_iter()).unwrap()).alignment(), None);
    }
}
