//! How good the answers are on dark faces and bright ones, flat ones and hard ones, turned ones: the same figures for each
//! fifth.

use models::LabelSet;
use serde::Serialize;

use super::answer::Answer;
use super::bootstrap::Interval;
use super::metrics::Metrics;
use super::sweep::Face;

/// Groups of equally many faces.
const GROUPS: usize = 5;

/// Faces in groups by one of their properties.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slicing {
    /// What they are ordered by.
    pub by: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// From little to much of it.
    pub groups: Vec<Slice>,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slice {
    /// Least of the property.
    pub from: f64,
    /// Most of it.
    pub to: f64,
    /// Faces in the group.
    pub faces: usize,
    /// Share of right answers.
    pub accuracy: f64,
    /// Its 95 % bootstrap interval.
    pub accuracy_interval: Interval,
    /// Mean F1 of the labels.
    pub macro_f1: f64,
}

impl Slicing {
    /// The answers on faces, in equally large groups of little to much of `values`. Faces without a value are in none.
    pub fn of(
        (by, unit): (&'static str, &'static str),
        values: impl IntoIterator<Item = Option<f64>>,
        answers: &[Answer],
        labels: &LabelSet,
        seed: u64,
    ) -> Self {
        let valued = values.into_iter().zip(answers).filter_map(|(value, answer)| Some((value?, answer)));
        let mut ordered: Vec<(f64, &Answer)> = valued.collect();
        ordered.sort_by(|a, b| a.0.total_cmp(&b.0));
        let groups = ordered.chunks(ordered.len().div_ceil(GROUPS).max(1)).map(|group| slice(group, labels, seed));
        Self { by, unit, groups: groups.collect() }
    }
}

/// The answers on faces, in their order, by brightness and by contrast.
///
/// # Errors
/// A face that cannot be read.
pub fn by_light(faces: &[Face<'_>], answers: &[Answer], labels: &LabelSet, seed: u64) -> anyhow::Result<Vec<Slicing>> {
    let light = faces.iter().map(|face| Ok(mean_and_deviation(face.picture.read()?.pixels())));
    let (means, deviations): (Vec<f64>, Vec<f64>) = light.collect::<anyhow::Result<Vec<_>>>()?.into_iter().unzip();
    let slicing = |(by, values): (&'static str, Vec<f64>)| {
        Slicing::of((by, "grey levels"), values.into_iter().map(Some), answers, labels, seed)
    };
    Ok([("brightness", means), ("contrast", deviations)].map(slicing).into())
}

fn slice(group: &[(f64, &Answer)], labels: &LabelSet, seed: u64) -> Slice {
    let answers: Vec<Answer> = group.iter().map(|(_, answer)| (*answer).clone()).collect();
    let metrics = Metrics::of(labels, &answers, seed);
    Slice {
        from: group.first().map_or(0.0, |first| first.0),
        to: group.last().map_or(0.0, |last| last.0),
        faces: group.len(),
        accuracy: metrics.figures.accuracy,
        accuracy_interval: metrics.intervals.accuracy,
        macro_f1: metrics.figures.macro_f1,
    }
}

fn mean_and_deviation(pixels: &[u8]) -> (f64, f64) {
    let count = pixels.len().max(1) as f64;
    let mean = pixels.iter().map(|&grey| f64::from(grey)).sum::<f64>() / count;
    let squares = pixels.iter().map(|&grey| (f64::from(grey) - mean).powi(2)).sum::<f64>();
    (mean, (squares / count).sqrt())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use models::GrayImage;

    use super::*;
    use crate::face;

    #[test]
    fn dark_faces_are_counted_apart_from_bright_ones() {
        // Ten faces, from dark to bright and from flat to hard; the darker half is answered right.
        let pictures: Vec<face::Face> = (0..10_u8)
            .rev()
            .map(|step| GrayImage::from_vec(vec![10 * step, 12 * step, 10 * step, 12 * step], 2, 2).unwrap().into())
            .collect();
        let faces: Vec<Face<'_>> = pictures.iter().map(|picture| Face { picture, truth: 3 }).collect();
        let labels = LabelSet::fer2013();
        let said = |happy: f32| {
            let mut scores = vec![0.0; labels.len()];
            (scores[3], scores[0]) = (happy, 1.0 - happy);
            Answer::new(3, &scores)
        };
        let answers: Vec<Answer> = (0..10).map(|index| said(if index < 5 { 0.1 } else { 0.9 })).collect();
        let found = by_light(&faces, &answers, &labels, 1).unwrap();
        assert_eq!(found.iter().map(|slicing| slicing.by).collect::<Vec<_>>(), ["brightness", "contrast"]);
        for Slicing { groups, .. } in &found {
            assert_eq!(groups.iter().map(|group| group.faces).collect::<Vec<_>>(), [2; 5]);
            assert_eq!(groups.iter().map(|group| group.accuracy).collect::<Vec<_>>(), [1.0, 1.0, 0.5, 0.0, 0.0]);
        }
        assert_eq!((found[0].groups[0].from, found[0].groups[4].to, found[1].groups[4].to), (0.0, 99.0, 9.0));
        assert!(by_light(&[], &[], &labels, 1).unwrap().iter().all(|slicing| slicing.groups.is_empty()));
    }
}
