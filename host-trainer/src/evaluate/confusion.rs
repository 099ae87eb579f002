//! Counts of right and wrong answers, and the figures that follow from them alone.

use super::answer::Answer;

/// Counts of answers; row = right label, column = answer.
pub struct Confusion {
    counts: Vec<Vec<u64>>,
}

impl Confusion {
    /// Counts answers over so many labels, each as often as is said.
    pub fn of<'a>(classes: usize, answers: impl Iterator<Item = (&'a Answer, u32)>) -> Self {
        let mut counts = vec![vec![0; classes]; classes];
        for (answer, count) in answers {
            if let Some(cell) =
                counts.get_mut(answer.truth).and_then(|row: &mut Vec<u64>| row.get_mut(answer.predicted))
            {
                *cell += u64::from(count);
            }
        }
        Self { counts }
    }

    /// The counts; row = right label, column = answer.
    pub fn into_counts(self) -> Vec<Vec<u64>> {
        self.counts
    }

    /// Share of the answers that are right.
    pub fn accuracy(&self) -> f64 {
        let right: u64 = (0..self.counts.len()).map(|class| self.counts[class][class]).sum();
        ratio(right, self.total())
    }

    /// Mean F1 of the labels that occur.
    pub fn macro_f1(&self) -> f64 {
        self.mean(Self::f1, |class| self.support(class) + self.answered(class) > 0)
    }

    /// Mean of a figure of the labels, weighted by their faces.
    pub fn weighted(&self, figure: fn(&Self, usize) -> f64) -> f64 {
        let sum: f64 = (0..self.counts.len()).map(|class| figure(self, class) * self.support(class) as f64).sum();
        if self.total() > 0 { sum / self.total() as f64 } else { 0.0 }
    }

    /// Mean recall of the labels that have faces.
    pub fn true_positive_rate(&self) -> f64 {
        self.mean(Self::recall, |class| self.support(class) > 0)
    }

    /// Mean share of other faces that are given a label, over the labels that other faces have.
    pub fn false_positive_rate_mean(&self) -> f64 {
        self.mean(Self::false_positive_rate, |class| self.support(class) < self.total())
    }

    /// Share of the answers with a label that are right.
    pub fn precision(&self, class: usize) -> f64 {
        ratio(self.counts[class][class], self.answered(class))
    }

    /// Share of the faces of a label that were answered right.
    pub fn recall(&self, class: usize) -> f64 {
        ratio(self.counts[class][class], self.support(class))
    }

    /// Share of the other faces that were given a label.
    pub fn false_positive_rate(&self, class: usize) -> f64 {
        ratio(self.answered(class) - self.counts[class][class], self.total() - self.support(class))
    }

    /// Harmonic mean of precision and recall of a label.
    pub fn f1(&self, class: usize) -> f64 {
        ratio(2 * self.counts[class][class], self.support(class) + self.answered(class))
    }

    /// Faces of a label.
    pub fn support(&self, class: usize) -> u64 {
        self.counts[class].iter().sum()
    }

    /// Answers with a label.
    fn answered(&self, class: usize) -> u64 {
        self.counts.iter().map(|row| row[class]).sum()
    }

    fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    fn mean(&self, figure: fn(&Self, usize) -> f64, counts: impl Fn(usize) -> bool) -> f64 {
        let values: Vec<f64> =
            (0..self.counts.len()).filter(|&class| counts(class)).map(|class| figure(self, class)).collect();
        values.iter().sum::<f64>() / values.len().max(1) as f64
    }
}

fn ratio(numerator: u64, denominator: u64) -> f64 {
    if denominator > 0 { numerator as f64 / denominator as f64 } else { 0.0 }
}
