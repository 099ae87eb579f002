//! Figures of a set of answers: accuracy, macro F1, precision and recall of each label, confusion matrix.

use models::{Expression, LabelSet};
use serde::Serialize;

use super::bootstrap::{Interval, accuracy_interval};
use super::calibration::expected_calibration_error;

/// What a model said about one face.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Answer {
    /// The right label, an index into the model's labels.
    pub truth: usize,
    /// The most probable label, an index into the model's labels.
    pub predicted: usize,
    /// The probability the model gave it, 0..=1.
    pub confidence: f32,
}

impl Answer {
    /// Whether the most probable label is the right one.
    pub fn is_right(&self) -> bool {
        self.truth == self.predicted
    }
}

/// All figures of one model on one set of faces.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metrics {
    /// Share of right answers, 0..=1.
    pub accuracy: f64,
    /// 95 % bootstrap interval of the accuracy.
    pub accuracy_interval: Interval,
    /// Mean F1 of the labels that occur among the truths or the answers (as scikit-learn's `average="macro"`).
    pub macro_f1: f64,
    /// Mean distance between confidence and accuracy, 15 bins of equal width.
    pub expected_calibration_error: f64,
    /// Figures of each label, in the model's order.
    pub per_class: Vec<ClassMetrics>,
    /// Counts; row = right label, column = answer, both in the model's order.
    pub confusion: Vec<Vec<u64>>,
}

/// Figures of one label. A ratio whose denominator is 0 is given as 0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassMetrics {
    /// The label.
    pub label: Expression,
    /// Share of the answers with this label that are right.
    pub precision: f64,
    /// Share of the faces of this label that were answered right.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Faces of this label.
    pub support: u64,
}

impl Metrics {
    /// Measures `answers`, whose indices are into `labels`; others are left out of the matrix. No answers give zeros.
    pub fn of(labels: &LabelSet, answers: &[Answer], seed: u64) -> Self {
        let confusion = confusion(labels.len(), answers);
        let per_class: Vec<ClassMetrics> =
            labels.iter().enumerate().map(|(index, label)| class_metrics(label, index, &confusion)).collect();
        let occurring = |index: &usize| confusion[*index].iter().any(|&n| n > 0) || column(&confusion, *index) > 0;
        let occurring: Vec<usize> = (0..labels.len()).filter(occurring).collect();
        let macro_f1 = ratio(occurring.iter().map(|&index| per_class[index].f1).sum(), occurring.len() as f64);
        let right: Vec<bool> = answers.iter().map(Answer::is_right).collect();
        Metrics {
            accuracy: accuracy(&right),
            accuracy_interval: accuracy_interval(&right, seed),
            macro_f1,
            expected_calibration_error: expected_calibration_error(answers),
            per_class,
            confusion,
        }
    }
}

/// Share of true values; 0 if there are none at all.
pub fn accuracy(right: &[bool]) -> f64 {
    ratio(right.iter().filter(|&&right| right).count() as f64, right.len() as f64)
}

fn confusion(classes: usize, answers: &[Answer]) -> Vec<Vec<u64>> {
    let mut matrix = vec![vec![0; classes]; classes];
    for answer in answers {
        if let Some(cell) = matrix.get_mut(answer.truth).and_then(|row| row.get_mut(answer.predicted)) {
            *cell += 1;
        }
    }
    matrix
}

fn column(confusion: &[Vec<u64>], index: usize) -> u64 {
    confusion.iter().map(|row| row[index]).sum()
}

fn class_metrics(label: Expression, index: usize, confusion: &[Vec<u64>]) -> ClassMetrics {
    let right = confusion[index][index] as f64;
    let support: u64 = confusion[index].iter().sum();
    let answered = column(confusion, index);
    ClassMetrics {
        label,
        precision: ratio(right, answered as f64),
        recall: ratio(right, support as f64),
        f1: ratio(2.0 * right, (support + answered) as f64),
        support,
    }
}

fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator > 0.0 { numerator / denominator } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(pairs: &[(usize, usize)]) -> Vec<Answer> {
        pairs.iter().map(|&(truth, predicted)| Answer { truth, predicted, confidence: 0.5 }).collect()
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
    }

    // Figures of scikit-learn 1.9.1 (precision_recall_fscore_support, f1_score with average="macro", zero_division=0).
    // Label 4 never occurs, label 3 is only answered, label 5 is never answered.
    #[test]
    fn agrees_with_scikit_learn() {
        let truths = [0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 2, 6, 6, 5];
        let predicted = [0, 0, 1, 2, 1, 1, 2, 2, 2, 3, 0, 6, 2, 6];
        let pairs: Vec<_> = truths.into_iter().zip(predicted).collect();
        let metrics = Metrics::of(&LabelSet::fer2013(), &answers(&pairs), 1);
        close(metrics.accuracy, ACCURACY);
        close(metrics.macro_f1, MACRO_F1);
        for (class, expected) in metrics.per_class.iter().zip(PER_CLASS) {
            close(class.precision, expected.0);
            close(class.recall, expected.1);
            close(class.f1, expected.2);
            assert_eq!(class.support, expected.3);
        }
        assert_eq!(metrics.confusion[2], [1, 0, 3, 1, 0, 0, 0]);
    }

    const ACCURACY: f64 = 8.0 / 14.0;
    const MACRO_F1: f64 = 0.411_904_761_904_761_94;
    const PER_CLASS: [(f64, f64, f64, u64); 7] = [
        (0.666_666_666_666_666_6, 0.5, 0.571_428_571_428_571_4, 4),
        (0.666_666_666_666_666_6, 1.0, 0.8, 2),
        (0.6, 0.6, 0.6, 5),
        (0.0, 0.0, 0.0, 0),
        (0.0, 0.0, 0.0, 0),
        (0.0, 0.0, 0.0, 1),
        (0.5, 0.5, 0.5, 2),
    ];

    #[test]
    fn nothing_to_measure_gives_zeros() {
        let metrics = Metrics::of(&LabelSet::basic6(), &[], 1);
        close(metrics.accuracy, 0.0);
        close(metrics.macro_f1, 0.0);
        assert!(metrics.per_class.iter().all(|class| class.support == 0));
    }
}
