//! Chooses the gate between the clear and the robust model by measurement on degraded faces.

use std::fmt;

use models::{BlurEstimate, BlurLevel, BlurMeasure, GateConfig, ModelChoice};
use serde::Serialize;

use super::roc::auc;

/// Accuracy that a threshold may lack of the best one's, some standard error of the difference on 2,000 faces: over such a
/// plateau luck would decide, and the lowest threshold leaves sharp faces to the model that was made for them.
const PLATEAU: f64 = 0.001;

/// What was done to a face before a gate saw it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It was blurred, or not.
    Blurred(BlurLevel),
    /// It was sharp, with a bad camera's noise in it.
    Noisy,
}

impl State {
    /// How many there are.
    const COUNT: usize = BlurLevel::ALL.len() + 1;

    fn index(self) -> usize {
        match self {
            State::Blurred(level) => level as usize,
            State::Noisy => BlurLevel::ALL.len(),
        }
    }
}

/// What both models made of one face in one state.
#[derive(Copy, Clone, Debug)]
pub struct GateSample {
    /// What was done to the face.
    pub state: State,
    /// What the estimates say about it.
    pub blur: BlurEstimate,
    /// What the clear model made of it.
    pub clear: Outcome,
    /// What the robust model made of it.
    pub robust: Outcome,
}

/// One model's success on one face.
#[derive(Copy, Clone, Debug)]
pub struct Outcome {
    /// Whether its most probable label is the right one.
    pub right: bool,
    /// Logarithm of the probability it gave the right label, nats.
    pub log_likelihood: f32,
}

/// A gate by one measure. All figures weigh the states equally.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct GateFit {
    /// What is compared with the threshold.
    pub measure: BlurMeasure,
    /// Faces with less of the measure go to the robust model.
    pub threshold: f32,
    /// Accuracy when every face goes to the model that the gate says.
    pub routed_accuracy: f64,
    /// Mean log-likelihood of the right labels then, nats.
    pub routed_log_likelihood: f64,
    /// Share of the faces that go to the robust model.
    pub robust_share: f64,
    /// How well the measure tells blurred from sharp.
    pub auc: Separation,
}

/// Areas under the ROC curve of a measure of blur; None where only one of the two kinds is there.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct Separation {
    /// Of telling faces blurred at all from those that are not.
    pub any: Option<f64>,
    /// Of telling faces blurred `medium` or more from the others.
    pub medium: Option<f64>,
}

/// Accuracy without a gate and with a perfect one. The states weigh equally.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct Alone {
    /// Accuracy of the clear model alone.
    pub always_clear: f64,
    /// Accuracy of the robust model alone.
    pub always_robust: f64,
    /// Accuracy if every face went to a model that is right, where one is.
    pub oracle: f64,
}

/// What a gate makes of the faces. The states weigh equally.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct Routed {
    /// Accuracy when every face goes to the model that the gate says.
    pub accuracy: f64,
    /// Share of the faces that go to the robust model.
    pub robust_share: f64,
}

/// The best gates by each measure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GateComparison {
    /// One for each of [`BlurMeasure::ALL`].
    pub fits: [GateFit; BlurMeasure::ALL.len()],
    /// What they are measured against.
    pub alone: Alone,
    /// A gate that learned from all measures together, where that was measured.
    pub learnt: Option<Routed>,
    /// The gate of another bundle, where that is kept whatever was fitted.
    pub kept: Option<GateFit>,
}

impl GateComparison {
    /// The gate to ship: the one that is kept, or the one with the highest routed accuracy, of equals the first.
    pub fn chosen(&self) -> &GateFit {
        let [first, others @ ..] = &self.fits;
        let fitted =
            others.iter().fold(first, |best, fit| if fit.routed_accuracy > best.routed_accuracy { fit } else { best });
        self.kept.as_ref().unwrap_or(fitted)
    }
}

impl fmt::Display for GateComparison {
    /// A table for the terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<30} {:>10} {:>8} {:>8} {:>8} {:>10}",
            "gate (states weigh equally)", "threshold", "accuracy", "robust", "AUC any", "AUC medium"
        )?;
        let kept = self.kept.iter().map(|fit| (fit, "kept: "));
        for (fit, how) in self.fits.iter().map(|fit| (fit, "")).chain(kept) {
            writeln!(
                f,
                "{:<30} {:>10.4} {:>8} {:>8} {:>8} {:>10}",
                format!("{how}{}", fit.measure.name()),
                fit.threshold,
                percent(fit.routed_accuracy),
                percent(fit.robust_share),
                area(fit.auc.any),
                area(fit.auc.medium)
            )?;
        }
        let alone = [
            ("learnt from all of them", self.learnt),
            ("always clear", Some(Routed { accuracy: self.alone.always_clear, robust_share: 0.0 })),
            ("always robust", Some(Routed { accuracy: self.alone.always_robust, robust_share: 1.0 })),
        ];
        for (name, routed) in alone.into_iter().filter_map(|(name, routed)| Some((name, routed?))) {
            writeln!(f, "{name:<30} {:>10} {:>8} {:>8}", "", percent(routed.accuracy), percent(routed.robust_share))?;
        }
        write!(f, "{:<30} {:>10} {:>8}", "oracle", "", percent(self.alone.oracle))
    }
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

fn area(auc: Option<f64>) -> String {
    auc.map_or_else(|| "-".to_owned(), |auc| format!("{auc:.4}"))
}

/// Fits a threshold for each measure; None without samples. Nothing is learnt.
///
/// The threshold is the lowest whose routed accuracy is within [`PLATEAU`] of the highest.
pub fn compare(samples: &[GateSample]) -> Option<GateComparison> {
    if samples.is_empty() {
        return None;
    }
    let fits = BlurMeasure::ALL.map(|measure| assess(samples, measure, best_threshold(samples, measure)));
    Some(GateComparison { fits, alone: Alone::of(samples), learnt: None, kept: None })
}

impl Alone {
    /// Measures the models without a gate.
    pub fn of(samples: &[GateSample]) -> Self {
        Alone {
            always_clear: weighted_mean(samples, |sample| share(sample.clear.right)),
            always_robust: weighted_mean(samples, |sample| share(sample.robust.right)),
            oracle: weighted_mean(samples, |sample| share(sample.clear.right || sample.robust.right)),
        }
    }
}

impl Separation {
    /// Measures how well little of `measure` means blur; noisy faces are left out.
    pub fn of(samples: &[GateSample], measure: BlurMeasure) -> Self {
        let blurred = |sample: &GateSample| match sample.state {
            State::Blurred(level) => Some((-sample.blur.value(measure), level)),
            State::Noisy => None,
        };
        let of = |from| auc(samples.iter().filter_map(blurred).map(|(value, level)| (value, level >= from)));
        Separation { any: of(BlurLevel::Low), medium: of(BlurLevel::Medium) }
    }
}

/// The figures of a given gate.
pub fn assess(samples: &[GateSample], measure: BlurMeasure, threshold: f32) -> GateFit {
    let gate = GateConfig { measure, threshold, hysteresis: 0.0 };
    let is_robust = |sample: &GateSample| gate.choose(sample.blur, None) == ModelChoice::Robust;
    let routed = |sample: &GateSample| if is_robust(sample) { sample.robust } else { sample.clear };
    GateFit {
        measure,
        threshold,
        routed_accuracy: weighted_mean(samples, |sample| share(routed(sample).right)),
        routed_log_likelihood: weighted_mean(samples, |sample| f64::from(routed(sample).log_likelihood)),
        robust_share: weighted_mean(samples, |sample| share(is_robust(sample))),
        auc: Separation::of(samples, measure),
    }
}

fn share(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

/// The weight of a sample of each state; all weights of all samples sum to 1.
fn state_weights(samples: &[GateSample]) -> [f64; State::COUNT] {
    let mut counts = [0_usize; State::COUNT];
    for sample in samples {
        counts[sample.state.index()] += 1;
    }
    let states = counts.iter().filter(|&&count| count > 0).count();
    counts.map(|count| if count > 0 { 1.0 / (states * count) as f64 } else { 0.0 })
}

/// The mean over the states of the means of their samples.
fn weighted_mean(samples: &[GateSample], value: impl Fn(&GateSample) -> f64) -> f64 {
    let mut sums = [0.0; State::COUNT];
    for sample in samples {
        sums[sample.state.index()] += value(sample);
    }
    sums.iter().zip(state_weights(samples)).map(|(sum, weight)| sum * weight).sum()
}

/// Every threshold between two neighbouring values, and one beyond either end, is tried.
fn best_threshold(samples: &[GateSample], measure: BlurMeasure) -> f32 {
    let weights = state_weights(samples);
    let mut sorted: Vec<(f32, &GateSample)> =
        samples.iter().map(|sample| (sample.blur.value(measure), sample)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));

    // Each with the accuracy that is gained over sending every face to the clear model.
    let mut tried = vec![(sorted.first().map_or(0.0, |first| first.0), 0.0)];
    let mut gained = 0.0;
    for (index, &(value, sample)) in sorted.iter().enumerate() {
        gained += weights[sample.state.index()] * (share(sample.robust.right) - share(sample.clear.right));
        let next = sorted.get(index + 1).map(|next| next.0);
        if next != Some(value) {
            tried.push((threshold_between(value, next), gained));
        }
    }
    let most = tried.iter().fold(0.0, |most: f64, &(_, gained)| most.max(gained));
    tried.iter().find(|&&(_, gained)| gained >= most - PLATEAU).map_or(0.0, |&(threshold, _)| threshold)
}

/// Above `value` and not above `next`.
fn threshold_between(value: f32, next: Option<f32>) -> f32 {
    match next {
        None => value.next_up(),
        Some(next) => {
            let middle = f32::midpoint(value, next);
            if middle > value { middle } else { next }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sample(level: BlurLevel, value: f32, clear: bool, robust: bool) -> GateSample {
        let outcome = |right: bool| Outcome { right, log_likelihood: if right { -0.1 } else { -2.0 } };
        let blur = BlurEstimate { laplacian_variance: value, normalised: -value, noise_corrected: 0.0 };
        GateSample { state: State::Blurred(level), blur, clear: outcome(clear), robust: outcome(robust) }
    }

    use BlurLevel::{High, Low, Medium, None as Sharp};

    #[test]
    fn finds_the_threshold_that_separates() {
        let samples = [
            sample(Sharp, 9.0, true, false),
            sample(Sharp, 8.0, true, false),
            sample(High, 2.0, false, true),
            sample(High, 4.0, false, true),
        ];
        let comparison = compare(&samples).unwrap();
        let best = comparison.chosen();
        assert_eq!(best.measure, BlurMeasure::LaplacianVariance);
        assert_eq!((best.threshold, best.routed_accuracy, best.robust_share), (6.0, 1.0, 0.5));
        assert_eq!(best.auc, Separation { any: Some(1.0), medium: Some(1.0) });
        assert_eq!(comparison.alone, Alone { always_clear: 0.5, always_robust: 0.5, oracle: 1.0 });
        // The other measure is upside down here.
        assert_eq!(comparison.fits[1].auc.any, Some(0.0));
        assert!(comparison.to_string().contains("laplacian-variance"));
    }

    #[test]
    fn states_weigh_equally_however_many_faces_they_have() {
        let mut samples = vec![sample(Sharp, 9.0, true, true); 30];
        samples.extend([sample(Low, 5.0, true, false), sample(High, 5.0, false, true)]);
        samples.push(sample(High, 5.0, false, true));
        let fit = assess(&samples, BlurMeasure::LaplacianVariance, 6.0);
        assert!((fit.routed_accuracy - 2.0 / 3.0).abs() < 1e-12);
        assert!((fit.robust_share - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn noisy_faces_weigh_as_much_as_a_level_and_decide_the_measure() {
        // Noise looks sharp by the first measure; by the last it does not.
        let noisy = GateSample {
            state: State::Noisy,
            blur: BlurEstimate { laplacian_variance: 20.0, normalised: 0.0, noise_corrected: 1.0 },
            ..sample(Sharp, 20.0, false, true)
        };
        let mut sharp = sample(Sharp, 9.0, true, false);
        sharp.blur.noise_corrected = 8.0;
        let samples = [sharp, sample(High, 2.0, false, true), noisy];
        let comparison = compare(&samples).unwrap();
        let best = comparison.chosen();
        assert_eq!(best.measure, BlurMeasure::NoiseCorrectedLaplacianVariance);
        assert_eq!((best.threshold, best.routed_accuracy), (4.5, 1.0));
        assert!((comparison.fits[0].routed_accuracy - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(best.auc.any, Some(1.0), "noise is no blur");
    }

    #[test]
    fn of_thresholds_that_are_as_good_the_lowest_is_taken() {
        let of = |gain: bool| {
            let tie = sample(Low, 3.0, true, true);
            compare(&[
                sample(Sharp, 9.0, true, false),
                tie,
                sample(Low, 5.0, !gain, gain),
                sample(High, 1.0, false, true),
            ])
            .unwrap()
            .fits[0]
        };
        // The face at 3 is right either way, the one at 5 with the one model or with the other.
        assert_eq!((of(false).threshold, of(true).threshold), (2.0, 7.0));
        // One gained face in two thousand does not move the threshold up.
        let mut samples = vec![sample(Low, 3.0, true, true); 2000];
        samples.push(sample(Low, 5.0, false, true));
        samples.extend([sample(Sharp, 9.0, true, false), sample(High, 1.0, false, true)]);
        assert_eq!(compare(&samples).unwrap().fits[0].threshold, 2.0);
    }

    #[test]
    fn a_gate_that_is_kept_is_the_chosen_one_however_good() {
        let samples = [sample(Sharp, 9.0, true, false), sample(High, 1.0, false, true)];
        let mut comparison = compare(&samples).unwrap();
        assert_eq!(comparison.chosen().routed_accuracy, 1.0);
        let kept = assess(&samples, BlurMeasure::NormalisedLaplacianVariance, 20.0);
        comparison.kept = Some(kept);
        assert_eq!((comparison.chosen(), kept.routed_accuracy), (&kept, 0.5));
        assert!(comparison.to_string().contains("kept: "), "{comparison}");
    }

    #[test]
    fn one_model_may_take_all() {
        let samples = [sample(Sharp, 9.0, true, false), sample(High, 1.0, true, false)];
        assert_eq!(compare(&samples).unwrap().fits[0].robust_share, 0.0);
        let samples = [sample(Sharp, 9.0, false, true), sample(High, 1.0, false, true)];
        assert_eq!(compare(&samples).unwrap().fits[0].robust_share, 1.0);
    }

    #[test]
    fn separation_counts_the_levels() {
        let at = |level, value| sample(level, value, true, true);
        let samples = [at(Sharp, 5.0), at(Low, 2.0), at(Medium, 3.0), at(High, 1.0)];
        let found = Separation::of(&samples, BlurMeasure::LaplacianVariance);
        assert_eq!(found, Separation { any: Some(1.0), medium: Some(0.75) });
        assert_eq!(Separation::of(&samples[..1], BlurMeasure::LaplacianVariance).any, None);
        assert!(compare(&[]).is_none());
    }
}
