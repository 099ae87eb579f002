//! What ten people said about a face of FER-2013 (FER+), and what becomes of it: E. Barsoum et al., "Training deep
//! networks for facial expression recognition with crowd-sourced label distribution", ICMI 2016, with the details of the
//! program that its authors published.

use std::sync::Arc;

use clap::ValueEnum;
use models::{Expression, LabelSet};
use serde::Serialize;

/// Votes of a face: the expressions of [`LabelSet::ferplus`] in its order, then unknown, then no face.
pub const COLUMNS: usize = 10;
const UNKNOWN: usize = 8;
/// Votes for one thing that count as none.
const OUTLIER: u32 = 1;

/// What votes become.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum VoteMode {
    /// One label: what more than half said.
    #[default]
    Majority,
    /// A share for each label, by which training draws one label in every epoch.
    Probability,
    /// A share for each label; training aims at all of them at once.
    CrossEntropy,
}

/// What a face is taken for.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The likeliest label.
    pub label: usize,
    /// The share of each, 1 in all; None for a majority.
    pub soft: Option<Arc<[f32]>>,
}

/// Votes of one face.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Votes(pub [u32; COLUMNS]);

impl Votes {
    /// The share of each answer, 1 in all, or 0 where nobody was asked.
    pub fn shares(&self) -> [f32; COLUMNS] {
        let sum: u32 = self.0.iter().sum();
        self.0.map(|count| count as f32 / sum.max(1) as f32)
    }

    /// What the votes say in terms of `labels`.
    ///
    /// # Errors
    /// Why the face is left out: people did not agree, did not know, or saw no face.
    pub fn target(mut self, labels: &LabelSet, mode: VoteMode) -> Result<Target, &'static str> {
        for count in &mut self.0 {
            if *count <= OUTLIER {
                *count = 0;
            }
        }
        let said = match mode {
            VoteMode::Majority => self.majority(),
            VoteMode::Probability | VoteMode::CrossEntropy => self.main_part(),
        }
        .ok_or("no agreement")?;
        let first = first_maximum(&said);
        if first >= UNKNOWN {
            return Err(if first == UNKNOWN { "unknown" } else { "no face" });
        }
        let order = LabelSet::ferplus();
        let shares: Vec<f32> = labels.iter().map(|label| share(&said, &order, label)).collect();
        let sum: f32 = shares.iter().sum();
        let index = labels.index_of(order.as_slice()[first]).ok_or("a label that is not asked for")?;
        let soft = (mode != VoteMode::Majority).then(|| shares.iter().map(|share| share / sum).collect());
        Ok(Target { label: index, soft })
    }

    /// What more than half said.
    fn majority(&self) -> Option<[u32; COLUMNS]> {
        let (first, sum) = (first_maximum(&self.0), self.0.iter().sum::<u32>());
        let mut said = [0; COLUMNS];
        said[first] = self.0[first];
        (2 * said[first] > sum).then_some(said)
    }

    /// The most frequent answers, until they make up three quarters: at most three, and of the two that are no
    /// expression only one that comes first.
    fn main_part(&self) -> Option<[u32; COLUMNS]> {
        let sum: u32 = self.0.iter().sum();
        let (mut left, mut said) = (self.0, [0; COLUMNS]);
        let (mut taken, mut answers, mut is_expression) = (0, 0, true);
        while 4 * taken < 3 * sum && answers < 3 && is_expression {
            let most = left.iter().copied().max().unwrap_or(0);
            for index in 0..COLUMNS {
                if left[index] != most {
                    continue;
                }
                (said[index], left[index]) = (most, 0);
                taken += most;
                answers += 1;
                if index >= UNKNOWN {
                    is_expression = false;
                    if said.iter().sum::<u32>() > most {
                        said[index] = 0;
                        answers -= 1;
                    }
                    break;
                }
            }
        }
        (2 * said.iter().sum::<u32>() > sum && answers <= 3).then_some(said)
    }
}

fn first_maximum(counts: &[u32; COLUMNS]) -> usize {
    let most = counts.iter().copied().max().unwrap_or(0);
    counts.iter().position(|&count| count == most).unwrap_or(0)
}

fn share(said: &[u32; COLUMNS], order: &LabelSet, label: Expression) -> f32 {
    order.index_of(label).map_or(0.0, |index| said[index] as f32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn label(votes: [u32; COLUMNS], mode: VoteMode) -> Result<Expression, &'static str> {
        let labels = LabelSet::ferplus();
        Votes(votes).target(&labels, mode).map(|target| labels.get(target.label).unwrap())
    }

    #[test]
    fn a_majority_is_more_than_half_without_lone_votes() {
        assert_eq!(label([6, 0, 1, 1, 0, 0, 0, 0, 2, 0], VoteMode::Majority), Ok(Expression::Neutral));
        // The lone vote for sadness does not count: 4 of 9.
        assert_eq!(label([4, 0, 0, 1, 3, 2, 0, 0, 0, 0], VoteMode::Majority), Err("no agreement"));
        assert_eq!(label([0, 0, 0, 0, 2, 0, 0, 0, 8, 0], VoteMode::Majority), Err("unknown"));
        assert_eq!(label([0, 0, 0, 0, 0, 0, 0, 0, 0, 10], VoteMode::Majority), Err("no face"));
        assert_eq!(label([0; COLUMNS], VoteMode::Majority), Err("no agreement"));
        assert_eq!(label([1; COLUMNS], VoteMode::Probability), Err("no agreement"));
    }

    #[test]
    fn shares_are_those_of_the_main_answers() {
        let labels = LabelSet::ferplus();
        let shares = |votes| Votes(votes).target(&labels, VoteMode::CrossEntropy).map(|target| target.soft.unwrap());
        // Neutral 4 and anger 3 are not three quarters of 10; disgust 3 makes them all of it. The lone vote never counts.
        let soft = shares([4, 0, 0, 1, 3, 3, 0, 0, 0, 0]).unwrap();
        let expected = [4.0, 0.0, 0.0, 0.0, 3.0, 3.0, 0.0, 0.0].map(|votes: f32| votes / 10.0);
        assert!(soft.iter().zip(expected).all(|(found, wanted)| (found - wanted).abs() < 1e-6), "{soft:?}");
        // Unknown comes second: it ends the list, but has no share.
        let soft = shares([0, 6, 0, 0, 0, 0, 0, 0, 4, 0]).unwrap();
        assert_eq!(soft[1], 1.0);
        // Four answers are too many.
        assert!(shares([3, 3, 2, 2, 0, 0, 0, 0, 0, 0]).is_err());
    }

    #[test]
    fn answers_beyond_three_quarters_do_not_count() {
        let labels = LabelSet::ferplus();
        let target = Votes([4, 0, 0, 0, 3, 2, 0, 0, 0, 0]).target(&labels, VoteMode::Probability).unwrap();
        let soft = target.soft.unwrap();
        assert!((soft[0] - 4.0 / 7.0).abs() < 1e-6 && soft[5] == 0.0, "{soft:?}");
    }

    #[test]
    fn seven_classes_leave_contempt_out() {
        let target = |votes| Votes(votes).target(&LabelSet::fer2013(), VoteMode::Probability);
        assert!(target([0, 0, 0, 0, 2, 0, 0, 8, 0, 0]).is_err());
        let soft = target([0, 0, 0, 0, 6, 0, 0, 4, 0, 0]).unwrap().soft.unwrap();
        assert_eq!(soft.as_ref(), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }

    proptest! {
        #[test]
        fn shares_sum_to_one_and_the_label_has_the_greatest(votes in prop::array::uniform10(0u32..11)) {
            for mode in [VoteMode::Majority, VoteMode::Probability] {
                for labels in [LabelSet::ferplus(), LabelSet::fer2013()] {
                    let Ok(target) = Votes(votes).target(&labels, mode) else { continue };
                    prop_assert_eq!(target.soft.is_some(), mode == VoteMode::Probability);
                    let Some(soft) = target.soft else { continue };
                    prop_assert!((soft.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                    prop_assert!(soft.iter().all(|share| *share <= soft[target.label]));
                }
            }
        }
    }
}
