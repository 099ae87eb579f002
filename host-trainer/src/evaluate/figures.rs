//! The figures that sum a model up, and how much they depend on which faces happened to be in the test.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::bootstrap::{self, Interval};
use super::calibration::calibration_error;
use super::confusion::Confusion;
use super::roc::auc_of_sorted;

/// One number, or one interval, for each figure. Shares are 0..=1; names in brackets are scikit-learn's.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures<T> {
    /// Share of right answers.
    pub accuracy: T,
    /// Mean F1 of the labels that occur among the truths or the answers (`average="macro"`).
    pub macro_f1: T,
    /// Mean F1 weighted by the faces of each label (`average="weighted"`).
    pub weighted_f1: T,
    /// Mean precision weighted by the faces of each label (`average="weighted"`).
    pub weighted_precision: T,
    /// Mean recall of the labels that have faces (`balanced_accuracy_score`).
    pub true_positive_rate: T,
    /// Mean over the labels of the share of other faces that are given the label.
    pub false_positive_rate: T,
    /// Mean over the labels of the area under the ROC curve of its probability, one against the rest
    /// (`roc_auc_score(multi_class="ovr", average="macro")`); labels without faces, or without others, do not count.
    pub roc_auc: Option<T>,
    /// Mean distance between confidence and accuracy, 15 bins of equal width.
    pub expected_calibration_error: T,
}

/// Answers with what any number of resamples needs, made once.
pub struct Measured<'a> {
    answers: &'a [Answer],
    classes: usize,
    /// For each label, the answers in order of the probability they give it.
    ascending: Vec<Vec<usize>>,
}

impl<'a> Measured<'a> {
    /// Prepares answers over so many labels.
    pub fn new(answers: &'a [Answer], classes: usize) -> Self {
        let ascending = |class: usize| {
            let mut order: Vec<usize> = (0..answers.len()).collect();
            order.sort_by(|&a, &b| answers[a].score(class).total_cmp(&answers[b].score(class)));
            order
        };
        Self { answers, classes, ascending: (0..classes).into_par_iter().map(ascending).collect() }
    }

    /// The figures where each answer counts so many times.
    pub fn figures(&self, counts: &[u32]) -> Figures<f64> {
        let confusion = Confusion::of(self.classes, self.answers.iter().zip(counts.iter().copied()));
        let aucs: Vec<f64> = (0..self.classes).filter_map(|class| self.auc(class, counts)).collect();
        Figures {
            accuracy: confusion.accuracy(),
            macro_f1: confusion.macro_f1(),
            weighted_f1: confusion.weighted(Confusion::f1),
            weighted_precision: confusion.weighted(Confusion::precision),
            true_positive_rate: confusion.true_positive_rate(),
            false_positive_rate: confusion.false_positive_rate_mean(),
            roc_auc: (!aucs.is_empty()).then(|| aucs.iter().sum::<f64>() / aucs.len() as f64),
            expected_calibration_error: calibration_error(self.answers.iter().zip(counts.iter().copied())),
        }
    }

    /// The area under the ROC curve of the probability of one label, one against the rest.
    pub fn auc(&self, class: usize, counts: &[u32]) -> Option<f64> {
        let scored = self.ascending[class].iter().map(|&index| {
            let answer = &self.answers[index];
            (answer.score(class), answer.truth == class, f64::from(counts[index]))
        });
        auc_of_sorted(scored)
    }

    /// The middle 95 % of every figure over resampled answers (Efron 1979). Equal seeds give equal intervals, however
    /// many threads there are.
    pub fn intervals(&self, seed: u64) -> Figures<Interval> {
        let resampled: Vec<Figures<f64>> = bootstrap::seeds(seed)
            .into_par_iter()
            .map(|seed| self.figures(&bootstrap::resample(self.answers.len(), seed)))
            .collect();
        let of = |figure: fn(&Figures<f64>) -> f64| Interval::of(resampled.iter().map(figure).collect());
        let aucs: Vec<f64> = resampled.iter().filter_map(|figures| figures.roc_auc).collect();
        Figures {
            accuracy: of(|figures| figures.accuracy),
            macro_f1: of(|figures| figures.macro_f1),
            weighted_f1: of(|figures| figures.weighted_f1),
            weighted_precision: of(|figures| figures.weighted_precision),
            true_positive_rate: of(|figures| figures.true_positive_rate),
            false_positive_rate: of(|figures| figures.false_positive_rate),
            roc_auc: (!aucs.is_empty()).then(|| Interval::of(aucs)),
            expected_calibration_error: of(|figures| figures.expected_calibration_error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_the_accuracy_is_that_of_a_binomial_share() {
        let answer = |index: usize| Answer {
            truth: 0,
            predicted: usize::from(index.is_multiple_of(3)),
            confidence: 0.5,
            scores: vec![0.5, 0.5],
        };
        let answers: Vec<Answer> = (0..3_600).map(answer).collect();
        let measured = Measured::new(&answers, 2);
        let interval = measured.intervals(7).accuracy;
        // Normal approximation: 2/3 -+ 1.96 * sqrt(2/9 / 3600).
        assert!((interval.low - 0.6513).abs() < 0.003, "{interval:?}");
        assert!((interval.high - 0.6821).abs() < 0.003, "{interval:?}");
        assert_eq!(interval, measured.intervals(7).accuracy);
        assert_ne!(interval, measured.intervals(8).accuracy);
    }

    #[test]
    fn counting_an_answer_twice_is_having_it_twice() {
        let answer = |truth, scores: [f32; 3]| Answer::new(truth, &scores);
        let answers = [
            answer(0, [0.5, 0.3, 0.2]),
            answer(1, [0.5, 0.4, 0.1]),
            answer(1, [0.2, 0.7, 0.1]),
            answer(2, [0.3, 0.3, 0.4]),
        ];
        let doubled: Vec<Answer> = [0, 1, 1, 3].map(|index: usize| answers[index].clone()).into();
        let counted = Measured::new(&answers, 3).figures(&[1, 2, 0, 1]);
        assert_eq!(counted, Measured::new(&doubled, 3).figures(&[1; 4]));
    }
}
