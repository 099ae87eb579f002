//! The area under the ROC curve: how well a figure tells two kinds apart, whatever the threshold.

/// The chance that, of one positive and one negative, the positive has the higher score; a tie counts half (the
/// statistic of Mann and Whitney 1947). `scored` has score and kind; None unless both kinds are there.
pub fn auc(scored: impl IntoIterator<Item = (f32, bool)>) -> Option<f64> {
    let mut sorted: Vec<(f32, bool)> = scored.into_iter().collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    auc_of_sorted(sorted.into_iter().map(|(score, positive)| (score, positive, 1.0)))
}

/// The same of scores in ascending order, each with its kind and with how many times it counts.
pub fn auc_of_sorted(sorted: impl Iterator<Item = (f32, bool, f64)>) -> Option<f64> {
    let (mut negatives, mut positives, mut wins) = (0.0, 0.0, 0.0);
    let (mut level, mut tied_negatives, mut tied_positives) = (f32::NAN, 0.0, 0.0);
    // One more at the end closes the last group of equals.
    for (score, is_positive, count) in sorted.chain([(f32::NAN, true, 0.0)]) {
        if score != level {
            wins += tied_positives * (negatives + 0.5 * tied_negatives);
            negatives += tied_negatives;
            positives += tied_positives;
            (level, tied_negatives, tied_positives) = (score, 0.0, 0.0);
        }
        *(if is_positive { &mut tied_positives } else { &mut tied_negatives }) += count;
    }
    (negatives > 0.0 && positives > 0.0).then(|| wins / (negatives * positives))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_pairs_as_scikit_learn_does() {
        let kinds = [false, false, false, true, true, true];
        let scores = [-5.0, -3.0, -3.0, -4.0, -3.0, -1.0];
        // roc_auc_score of scikit-learn 1.9.1: 0.6666666666666667.
        let found = auc(scores.into_iter().zip(kinds));
        assert!(found.is_some_and(|found| (found - 2.0 / 3.0).abs() < 1e-12), "{found:?}");
    }

    #[test]
    fn perfect_reversed_and_one_sided() {
        assert_eq!(auc([(1.0, false), (2.0, true)]), Some(1.0));
        assert_eq!(auc([(2.0, false), (1.0, true)]), Some(0.0));
        assert_eq!(auc([(2.0, true), (1.0, true)]), None);
        assert_eq!(auc([]), None);
    }
}
