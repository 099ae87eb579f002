//! What a network should say of each face: a probability for every class.

use std::path::Path;

use burn::tensor::Device;
use models::{BlurLevel, Bundle, InputSpec, LabelSet, ModelChoice, Recognizer, Scores, resize};
use rayon::prelude::*;

use crate::answers;
use crate::ask::{EVALUATION_BATCH, forward};
use crate::batches;
use crate::by_heart::{ByHeart, Said};
use crate::config::{DistilConfig, RobustDistilConfig};
use crate::failure::bad_input;
use crate::network::Network;
use crate::sample::Sample;
use crate::say::say;
use crate::split::Split;
use crate::teachers::{ConsistentTeachers, columns};

/// One row a face that sums to 1: its label, or what people said where many were asked; of that `smoothing` is spread
/// evenly over all classes (Szegedy et al. 2016, label smoothing), and then each of `lessons` has its share.
pub fn targets(samples: &[&Sample], classes: usize, smoothing: f32, lessons: [Option<&Lessons>; 2]) -> Vec<Vec<f32>> {
    let of = |(index, sample): (usize, &&Sample)| {
        let floor = smoothing / classes as f32;
        let mut target: Vec<f32> =
            sample.distribution(classes).into_iter().map(|share| share * (1.0 - smoothing) + floor).collect();
        for Lessons { weight, rows } in lessons.into_iter().flatten() {
            for (share, taught) in target.iter_mut().zip(&rows[index]) {
                *share += (taught - *share) * weight;
            }
        }
        target
    };
    samples.iter().enumerate().map(of).collect()
}

/// What a network learns from besides the labels.
pub struct Taught<'a> {
    /// What people and teachers say of every face as it is.
    pub lessons: [Option<&'a Lessons>; 2],
    /// Who is asked at every step about the faces as they are shown.
    pub consistent: Option<&'a ConsistentTeachers>,
}

/// What teachers, or people, say of every face of a list.
pub struct Lessons {
    /// Their share of the target (0..=1).
    weight: f32,
    /// The mean of their probabilities, a row a face.
    rows: Vec<Vec<f32>>,
}

impl Lessons {
    /// Of probabilities, a row a face, that have the share `weight` (0..=1) of the target.
    pub fn new(weight: f32, rows: Vec<Vec<f32>>) -> Self {
        Self { weight, rows }
    }

    /// What all teachers say of the training faces of `split`, without what they have by heart where the trial wants that.
    ///
    /// # Errors
    /// As those of [`asked`].
    pub fn of(config: &DistilConfig, labels: &LabelSet, split: &Split<'_>) -> anyhow::Result<Self> {
        let mut rows = asked(config, labels, &split.train)?;
        if config.forget_labels {
            let others = asked(config, labels, &split.validation)?;
            let [train_labels, other_labels] =
                [&split.train, &split.validation].map(|faces| faces.iter().map(|face| face.label).collect::<Vec<_>>());
            let learned = Said { rows: &rows, labels: &train_labels };
            if let Some(by_heart) = ByHeart::of(learned, Said { rows: &others, labels: &other_labels }) {
                let ByHeart { sharpness, leak } = by_heart;
                say(&format!(
                    "teachers: the labels' logits are {leak:.2} too high for {sharpness:.2} times all; taken out"
                ));
                rows = rows.par_iter().zip(&train_labels).map(|(row, &label)| by_heart.without(row, label)).collect();
            }
        }
        Ok(Self { weight: config.weight, rows })
    }

    /// Asks the clear model that a trial has just trained about every face as it is.
    ///
    /// # Errors
    /// A face that the preprocessing refuses, a device that does not hand out the result.
    pub fn of_clear(
        config: &RobustDistilConfig,
        clear: &Network,
        input: &InputSpec,
        samples: &[&Sample],
        device: &Device,
    ) -> anyhow::Result<Self> {
        let mut rows = Vec::with_capacity(samples.len());
        for batch in batches::fixed(samples, input, &[BlurLevel::None], EVALUATION_BATCH) {
            let logits = forward(clear, batch?, device)?;
            rows.extend(logits.iter().map(|row| Scores::softmax(row, config.temperature).as_slice().to_vec()));
        }
        Ok(Self { weight: config.weight, rows })
    }
}

/// Asks the clear model of every teacher about every face as it is, on all cores, and looks up what those said whose answers
/// were written down; the mean of all, a row a face.
///
/// # Errors
/// A bundle or a file of answers that does not hold or knows other expressions, a network that fails.
fn asked(config: &DistilConfig, labels: &LabelSet, samples: &[&Sample]) -> anyhow::Result<Vec<Vec<f32>>> {
    let mut rows = vec![vec![0.0; labels.len()]; samples.len()];
    let share = 1.0 / (config.teachers.len() + config.answers.len()) as f32;
    for path in &config.teachers {
        let teacher = teacher(path, labels)?;
        rows.par_iter_mut().zip(samples).try_for_each(|(row, sample)| -> anyhow::Result<()> {
            let side = teacher.recognizer.input().side;
            let crop = resize(sample.face.read()?.view(), side, side);
            let logits = teacher.recognizer.logits_with(crop.view(), ModelChoice::Clear)?;
            let scores = Scores::softmax(&logits, config.temperature);
            for (sum, &column) in row.iter_mut().zip(&teacher.columns) {
                *sum += scores.as_slice()[column] * share;
            }
            Ok(())
        })?;
        say(&format!("teacher {}: asked about {} faces", path.display(), samples.len()));
    }
    for file in &config.answers {
        let answers = answers::read(file, labels, samples)?;
        for (row, answer) in rows.iter_mut().zip(answers) {
            let powers = answer.iter().map(|likely| likely.powf(1.0 / config.temperature)).collect::<Vec<_>>();
            let total: f32 = powers.iter().sum();
            row.iter_mut().zip(powers).for_each(|(sum, power)| *sum += power / total * share);
        }
        say(&format!("answers {}: about {} faces", file.display(), samples.len()));
    }
    Ok(rows)
}

struct Teacher {
    recognizer: Recognizer,
    /// Its output for each of our labels.
    columns: Vec<usize>,
}

fn teacher(path: &Path, labels: &LabelSet) -> anyhow::Result<Teacher> {
    let bundle = Bundle::open(path).map_err(|error| bad_input(format!("teacher: {error}")))?;
    let recognizer = bundle.recognizer().map_err(|error| bad_input(format!("teacher: {error}")))?;
    let columns = columns(path, recognizer.labels(), labels)?;
    Ok(Teacher { recognizer, columns })
}

#[cfg(test)]
mod tests {
    use models::GrayImage;

    use super::*;
    use crate::sample::Usage;

    #[test]
    fn label_smoothing_and_teachers_have_their_shares() {
        let mut sample = Sample::new(2, Usage::Training, 1, GrayImage::new(2, 2));
        let close = |found: &[f32], expected: [f32; 4]| {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}, not {expected:?}");
        };
        close(&targets(&[&sample], 4, 0.0, [None; 2])[0], [0.0, 1.0, 0.0, 0.0]);
        close(&targets(&[&sample], 4, 0.2, [None; 2])[0], [0.05, 0.85, 0.05, 0.05]);
        let people = Lessons::new(0.5, vec![vec![0.0, 0.5, 0.5, 0.0]]);
        close(&targets(&[&sample], 4, 0.0, [Some(&people), None])[0], [0.0, 0.75, 0.25, 0.0]);
        let teachers = Lessons::new(0.5, vec![vec![0.5, 0.5, 0.0, 0.0]]);
        close(&targets(&[&sample], 4, 0.0, [Some(&people), Some(&teachers)])[0], [0.25, 0.625, 0.125, 0.0]);
        sample.soft = Some([0.25, 0.75, 0.0, 0.0].into());
        close(&targets(&[&sample], 4, 0.2, [None; 2])[0], [0.25, 0.65, 0.05, 0.05]);
    }
}
