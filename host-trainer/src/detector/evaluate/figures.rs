//! Counts of faces found and lost, and how far their points are off.

use models::DetectedFace;
use serde::{Deserialize, Serialize};

use super::super::annotation::{Face, POINTS, points_of};
use super::super::scene::Scene;
use super::matching::matches;

/// What was counted so far.
#[derive(Clone, Default)]
pub struct Tally {
    pictures: usize,
    faces: usize,
    found: usize,
    false_boxes: usize,
    /// Distance of every point from where it should be, in eye distances.
    errors: [Vec<f32>; POINTS],
}

/// The figures of a number of faces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Figures {
    /// Pictures looked at.
    pub pictures: usize,
    /// Faces in them.
    pub faces: usize,
    /// Share of the faces that were found; 0 where there are none.
    pub recall: f64,
    /// Boxes where no face is, a picture.
    pub false_boxes_a_picture: f64,
    /// Median error of right eye, left eye, nose, right and left corner of the mouth, in eye distances; None without
    /// points.
    pub median_errors: Option<[f64; POINTS]>,
    /// What nine tenths of the errors are below.
    pub p90_errors: Option<[f64; POINTS]>,
}

impl Tally {
    /// Counts the faces of a scene; gives the box that found each.
    pub fn add(&mut self, scene: &Scene, boxes: &[DetectedFace]) -> Vec<Option<DetectedFace>> {
        let matched = matches(&scene.faces, &scene.doubtful, boxes);
        self.pictures += 1;
        self.false_boxes += matched.false_boxes;
        for (face, found) in scene.faces.iter().zip(&matched.found) {
            self.add_face(face, found.as_ref());
        }
        matched.found
    }

    /// Counts one face.
    pub fn add_face(&mut self, face: &Face, found: Option<&DetectedFace>) {
        self.faces += 1;
        self.found += usize::from(found.is_some());
        let Some(points) = found.and_then(points_of) else { return };
        for ((errors, ours), theirs) in self.errors.iter_mut().zip(points).zip(face.points) {
            errors.push((ours.x - theirs.x).hypot(ours.y - theirs.y) / face.eye_distance());
        }
    }

    /// The figures of what was counted.
    pub fn figures(&self) -> Figures {
        let quantiles = |share: f64| {
            let of = |errors: &Vec<f32>| quantile(errors.clone(), share);
            self.errors.each_ref().map(of)
        };
        let has_points = !self.errors[0].is_empty();
        Figures {
            pictures: self.pictures,
            faces: self.faces,
            recall: self.found as f64 / self.faces.max(1) as f64,
            false_boxes_a_picture: self.false_boxes as f64 / self.pictures.max(1) as f64,
            median_errors: has_points.then(|| quantiles(0.5)),
            p90_errors: has_points.then(|| quantiles(0.9)),
        }
    }

    /// Harmonic mean of recall and precision, 0..=1.
    pub fn f1(&self) -> f64 {
        let wrong = self.false_boxes + self.faces - self.found;
        2.0 * self.found as f64 / (2 * self.found + wrong).max(1) as f64
    }
}

impl Figures {
    /// The worst of the points' median errors.
    pub fn worst_median(&self) -> Option<f64> {
        self.median_errors.map(|errors| errors.into_iter().fold(0.0, f64::max))
    }
}

/// The value that `share` (0..=1) of the values are below; 0 of none.
pub fn quantile(mut values: Vec<f32>, share: f64) -> f64 {
    values.sort_unstable_by(f32::total_cmp);
    let last = values.len().saturating_sub(1) as f64;
    values.get((last * share).round() as usize).copied().unwrap_or(0.0).into()
}
