//! Figures of a set of answers: those that sum it up, those of each label, and the confusion matrix.

use models::{Expression, LabelSet};
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::bootstrap::Interval;
use super::confusion::Confusion;
use super::figures::{Figures, Measured};

/// All figures of one model on one set of faces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Those that sum it up.
    #[serde(flatten)]
    pub figures: Figures<f64>,
    /// Their 95 % bootstrap intervals.
    pub intervals: Figures<Interval>,
    /// Figures of each label, in the model's order.
    pub per_class: Vec<ClassMetrics>,
    /// Counts; row = right label, column = answer, both in the model's order.
    pub confusion: Vec<Vec<u64>>,
}

/// Figures of one label. A ratio whose denominator is 0 is given as 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassMetrics {
    /// The label.
    pub label: Expression,
    /// Share of the answers with this label that are right.
    pub precision: f64,
    /// Share of the faces of this label that were answered right: the rate of true positives.
    pub recall: f64,
    /// Share of the other faces that were given this label.
    pub false_positive_rate: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Area under the ROC curve of the label's probability, one against the rest; none where all faces are of one kind.
    pub roc_auc: Option<f64>,
    /// Faces of this label.
    pub support: u64,
}

impl Metrics {
    /// Measures `answers`, whose indices are into `labels`; others are left out of the matrix. No answers give zeros.
    pub fn of(labels: &LabelSet, answers: &[Answer], seed: u64) -> Self {
        let measured = Measured::new(answers, labels.len());
        let once = vec![1; answers.len()];
        let confusion = Confusion::of(labels.len(), answers.iter().map(|answer| (answer, 1)));
        let per_class = labels.iter().enumerate().map(|(class, label)| ClassMetrics {
            label,
            precision: confusion.precision(class),
            recall: confusion.recall(class),
            false_positive_rate: confusion.false_positive_rate(class),
            f1: confusion.f1(class),
            roc_auc: measured.auc(class, &once),
            support: confusion.support(class),
        });
        Metrics {
            figures: measured.figures(&once),
            intervals: measured.intervals(seed),
            per_class: per_class.collect(),
            confusion: confusion.into_counts(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::{Command, Stdio};

    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};
    use serde_json::{Value, json};

    use super::*;

    fn answers(pairs: &[(usize, usize)]) -> Vec<Answer> {
        let answer = |&(truth, predicted)| Answer { truth, predicted, confidence: 0.5, scores: Vec::new() };
        pairs.iter().map(answer).collect()
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
        close(metrics.figures.accuracy, ACCURACY);
        close(metrics.figures.macro_f1, MACRO_F1);
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

    /// Random answers whose probabilities sum to 1; `steps` above 0 rounds them so that many tie.
    fn random_answers(seed: u64, steps: f32) -> Vec<Answer> {
        let mut rng = StdRng::seed_from_u64(seed);
        (0..400)
            .map(|_| {
                let truth = rng.random_range(0..7);
                let mut scores: Vec<f32> = (0..7).map(|_| rng.random::<f32>()).collect();
                scores[truth] += 0.3;
                if steps > 0.0 {
                    scores.iter_mut().for_each(|score| *score = (*score * steps).ceil());
                }
                let sum: f32 = scores.iter().sum();
                scores.iter_mut().for_each(|score| *score /= sum);
                Answer::new(truth, &scores)
            })
            .collect()
    }

    #[test]
    fn agrees_with_scikit_learn_of_today_on_random_and_tied_scores() {
        let Some(python) = std::env::var_os("MIEN_PYTHON").filter(|python| !python.is_empty()) else {
            println!("skipped: no MIEN_PYTHON");
            return;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/scikit_learn_metrics.py");
        for (seed, steps) in [(1, 0.0), (2, 3.0), (3, 1.0)] {
            let answers = random_answers(seed, steps);
            let ours = Metrics::of(&LabelSet::fer2013(), &answers, 1);
            let truths: Vec<usize> = answers.iter().map(|answer| answer.truth).collect();
            let predicted: Vec<usize> = answers.iter().map(|answer| answer.predicted).collect();
            let exact = |answer: &Answer| answer.scores.iter().copied().map(f64::from).collect::<Vec<f64>>();
            let scores: Vec<Vec<f64>> = answers.iter().map(exact).collect();
            let asked = json!({ "truths": truths, "predicted": predicted, "scores": scores });
            let mut run =
                Command::new(&python).arg(&script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            serde_json::to_writer(run.stdin.take().unwrap(), &asked).unwrap();
            let output = run.wait_with_output().unwrap();
            assert!(output.status.success(), "{} failed", script.display());
            let theirs: Value = serde_json::from_slice(&output.stdout).unwrap();
            let ours = serde_json::to_value(&ours).unwrap();
            let near = |ours: &Value, theirs: &Value, what: &str| {
                let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
                assert!((ours - theirs).abs() < 1e-9, "{what} (seed {seed}): {ours}, scikit-learn {theirs}");
            };
            for (name, value) in theirs["figures"].as_object().unwrap() {
                near(&ours[name], value, name);
                let interval = &ours["intervals"][name];
                let (low, high) = (interval["low"].as_f64().unwrap(), interval["high"].as_f64().unwrap());
                assert!((low..=high).contains(&value.as_f64().unwrap()), "{name}: {low}..{high}");
            }
            for (index, class) in theirs["per_class"].as_array().unwrap().iter().enumerate() {
                for (name, value) in class.as_object().unwrap() {
                    near(&ours["per_class"][index][name], value, name);
                }
            }
            assert_eq!(ours["confusion"], theirs["confusion"]);
        }
    }

    #[test]
    fn nothing_to_measure_gives_zeros() {
        let metrics = Metrics::of(&LabelSet::basic6(), &[], 1);
        close(metrics.figures.accuracy, 0.0);
        close(metrics.figures.macro_f1, 0.0);
        assert_eq!(metrics.figures.roc_auc, None);
        assert!(metrics.per_class.iter().all(|class| class.support == 0));
    }
}
