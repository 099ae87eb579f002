//! Which model gets a crop: the gate between *clear* and *robust*. Pure, so that the
//! trainer scores the very routing that the device runs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{BlurEstimate, BlurMeasure};

/// The role of a model in a bundle.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Ord, PartialOrd, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelChoice {
    /// Trained on sharp faces.
    Clear,
    /// Trained on blurred faces as well.
    Robust,
}

impl ModelChoice {
    /// Both roles.
    pub const ALL: [ModelChoice; 2] = [ModelChoice::Clear, ModelChoice::Robust];

    /// `clear` or `robust`.
    pub fn name(self) -> &'static str {
        match self {
            ModelChoice::Clear => "clear",
            ModelChoice::Robust => "robust",
        }
    }
}

impl fmt::Display for ModelChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// When a crop counts as blurred: `[gate]` in the manifest.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GateConfig {
    /// The figure that is compared.
    pub measure: BlurMeasure,
    /// Below it a crop goes to the robust model; in the unit of the measure.
    pub threshold: f32,
    /// Share of the threshold (0 to 1) that a face must go beyond it to change models,
    /// so that one at the edge does not flicker between the two.
    pub hysteresis: f32,
}

impl GateConfig {
    /// The model for a crop, given the one that the same face had last (`None` for a
    /// single picture or a new face).
    pub fn choose(&self, blur: BlurEstimate, previous: Option<ModelChoice>) -> ModelChoice {
        let limit = match previous {
            None => self.threshold,
            Some(ModelChoice::Clear) => self.threshold * (1.0 - self.hysteresis),
            Some(ModelChoice::Robust) => self.threshold * (1.0 + self.hysteresis),
        };
        if blur.value(self.measure) >= limit { ModelChoice::Clear } else { ModelChoice::Robust }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gate(threshold: f32, hysteresis: f32) -> GateConfig {
        GateConfig { measure: BlurMeasure::NormalisedLaplacianVariance, threshold, hysteresis }
    }

    fn blur(normalised: f32) -> BlurEstimate {
        BlurEstimate { laplacian_variance: f32::NAN, normalised, noise_corrected: f32::NAN }
    }

    #[test]
    fn blurred_goes_to_robust() {
        let gate = gate(0.2, 0.25);
        assert_eq!(gate.choose(blur(0.19), None), ModelChoice::Robust);
        assert_eq!(gate.choose(blur(0.2), None), ModelChoice::Clear);
    }

    const PREVIOUS: [Option<ModelChoice>; 3] = [None, Some(ModelChoice::Clear), Some(ModelChoice::Robust)];

    proptest! {
        #[test]
        fn never_switches_inside_the_band(
            threshold in 0.01f32..100.0, hysteresis in 0.01f32..0.9, place in -0.99f32..0.99,
        ) {
            let value = threshold * (1.0 + place * hysteresis);
            for previous in ModelChoice::ALL {
                prop_assert_eq!(gate(threshold, hysteresis).choose(blur(value), Some(previous)), previous);
            }
        }

        #[test]
        fn always_switches_outside_the_band(
            threshold in 0.01f32..100.0, hysteresis in 0.0f32..0.9, beyond in 1.01f32..9.0,
        ) {
            let gate = gate(threshold, hysteresis);
            for previous in PREVIOUS {
                let sharp = blur(threshold * (1.0 + hysteresis) * beyond);
                let soft = blur(threshold * (1.0 - hysteresis) / beyond);
                prop_assert_eq!(gate.choose(sharp, previous), ModelChoice::Clear);
                prop_assert_eq!(gate.choose(soft, previous), ModelChoice::Robust);
            }
        }

        #[test]
        fn sharper_never_means_more_robust(
            threshold in 0.0f32..100.0, hysteresis in 0.0f32..1.0,
            a in 0.0f32..300.0, b in 0.0f32..300.0,
        ) {
            let gate = gate(threshold, hysteresis);
            for previous in PREVIOUS {
                let low = gate.choose(blur(a.min(b)), previous);
                let high = gate.choose(blur(a.max(b)), previous);
                prop_assert!(high <= low, "{high} at the sharper, {low} at the softer");
            }
        }
    }
}
