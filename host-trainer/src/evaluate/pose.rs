//! What a detector's points say about the faces of a data set: how far each head is turned, and whether faces that are cut
//! out by their eyes are recognised better than as they are.

use models::{Alignment, DetectedFace, Landmarks, Recognizer, YunetDetector};
use rayon::prelude::*;
use serde::Serialize;

use super::answer::Answer;
use super::metrics::Metrics;
use super::slices::Slicing;
use super::sweep::{self, Face};
use crate::detector::evaluate::framing::{self, Framing};

/// How faces are recognised that a detector has found, cut in several ways.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cuts {
    /// The detector.
    pub detector: String,
    /// Faces that were looked at.
    pub faces: usize,
    /// Faces that it found; the figures are of these.
    pub found: usize,
    /// How they were cut, so that the faces have the framing that they have in the data at the median.
    pub alignment: Alignment,
    /// One for each way.
    pub rows: Vec<Cut>,
}

/// One way of cutting faces out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cut {
    /// Which.
    pub by: &'static str,
    /// Routed figures.
    #[serde(flatten)]
    pub metrics: Metrics,
}

/// What was found.
pub struct Pose {
    /// The answers in groups by the turn of the head.
    pub slicing: Slicing,
    /// None where too few faces were found to cut any.
    pub cuts: Option<Cuts>,
}

/// Looks for the points of every face with a detector that people know as `name`. `answers` are those of the faces as they
/// are, without blur.
///
/// # Errors
/// The detector or a model fails, a face that cannot be read.
pub fn pose(
    (detector, name): (&YunetDetector, &str),
    recognizer: &Recognizer,
    (faces, answers): (&[Face<'_>], &[Answer]),
    seed: u64,
) -> anyhow::Result<Pose> {
    let look = |own: &mut YunetDetector, face: &Face<'_>| framing::look(own, face.picture);
    let seen = faces.par_iter().map_init(|| detector.clone(), look).collect::<anyhow::Result<Vec<_>>>()?;
    let turns = seen.iter().map(|face| face.and_then(|face| face.landmarks).map(|points| turn(&points)));
    let unit = "nose off the middle, eye distances";
    let slicing = Slicing::of(("turn of the head", unit), turns, answers, recognizer.labels(), seed);
    let Some(alignment) = Framing::of(&seen).alignment() else { return Ok(Pose { slicing, cuts: None }) };

    let found: Vec<(&Face<'_>, &Answer, DetectedFace)> = faces
        .iter()
        .zip(answers)
        .zip(&seen)
        .filter_map(|((face, answer), seen)| Some((face, answer, (*seen)?)))
        .collect();
    let metrics = |answers: Vec<Answer>| Metrics::of(recognizer.labels(), &answers, seed);
    let cut = |with_points: bool| {
        let ask = |(face, _, seen): &(&Face<'_>, &Answer, DetectedFace)| {
            let seen = DetectedFace { landmarks: seen.landmarks.filter(|_| with_points), ..*seen };
            let frame = framing::framed(face.picture.read()?.as_ref());
            let crop = alignment.crop(frame.view(), &seen, recognizer.input().side);
            anyhow::Ok(sweep::ask(recognizer, crop.view(), face.truth)?.routed().clone())
        };
        found.par_iter().map(ask).collect::<anyhow::Result<Vec<_>>>().map(metrics)
    };
    let as_they_are = metrics(found.iter().map(|(_, answer, _)| (*answer).clone()).collect());
    let rows = vec![
        Cut { by: "as they are", metrics: as_they_are },
        Cut { by: "by the box", metrics: cut(false)? },
        Cut { by: "by the eyes", metrics: cut(true)? },
    ];
    let cuts = Cuts { detector: name.to_owned(), faces: faces.len(), found: found.len(), alignment, rows };
    Ok(Pose { slicing, cuts: Some(cuts) })
}

/// How far the nose is from the line in the middle between the eyes, in distances of the eyes: 0 for a face that looks
/// straight ahead, some 0.5 where one eye begins to hide.
fn turn(points: &Landmarks) -> f64 {
    let (right, left, nose) = (points.right_eye, points.left_eye, points.nose);
    let across = (f64::from(left.x - right.x), f64::from(left.y - right.y));
    let off = (
        f64::from(nose.x) - f64::midpoint(right.x.into(), left.x.into()),
        f64::from(nose.y) - f64::midpoint(right.y.into(), left.y.into()),
    );
    let square = across.0 * across.0 + across.1 * across.1;
    if square > 0.0 { ((off.0 * across.0 + off.1 * across.1) / square).abs() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use models::PixelPoint;

    use super::*;

    #[test]
    fn a_turn_is_measured_along_the_eyes() {
        let at = |x, y| PixelPoint { x, y };
        // Eyes 10 px apart on a slope, the nose 3 px off the middle along it and 5 px below.
        let (along, below) = ((0.8, 0.6), (-0.6, 0.8));
        let point = |a: f32, b: f32| at(50.0 + a * along.0 + b * below.0, 50.0 + a * along.1 + b * below.1);
        let points = |nose| Landmarks {
            right_eye: point(-5.0, 0.0),
            left_eye: point(5.0, 0.0),
            nose,
            right_mouth: point(-4.0, 9.0),
            left_mouth: point(4.0, 9.0),
        };
        for (along, expected) in [(0.0, 0.0), (3.0, 0.3), (-3.0, 0.3)] {
            let turn = turn(&points(point(along, 5.0)));
            assert!((turn - expected).abs() < 1e-5, "{turn} instead of {expected}");
        }
        let eyes_at_one_place = Landmarks { left_eye: point(-5.0, 0.0), ..points(point(0.0, 0.0)) };
        assert!(turn(&eyes_at_one_place) < 1e-9);
    }
}
