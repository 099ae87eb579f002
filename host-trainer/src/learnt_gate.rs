//! A gate that learns from all measures of blur together, to hold the one that ships against: is a threshold on one of them
//! too simple?

use burn::tensor::Device;
use models::BlurMeasure;

use crate::evaluate::gate::{GateSample, Routed};
use crate::logistic::Table;

/// Parts of the faces. A gate decides about one part after it learned from the others, since it has enough freedom to learn
/// faces by heart, which one threshold has not.
const FOLDS: usize = 5;

/// Which model is right, by logistic regression from the logarithms of the measures, their squares and their products,
/// learned from those faces of which one model alone is right. The samples come state after state, so many `faces` in each,
/// in the same order. None where a part has nothing to learn from.
///
/// # Errors
/// A result that cannot be read back.
pub fn cross_validated(samples: &[GateSample], faces: usize) -> anyhow::Result<Option<Routed>> {
    let inputs = standardised(samples.iter().map(features).collect());
    let fold = |place: usize| place % faces.max(1) % FOLDS;
    let (mut right, mut robust) = (0_usize, 0_usize);
    for part in 0..FOLDS {
        let (there, here): (Vec<usize>, Vec<usize>) = (0..samples.len()).partition(|&place| fold(place) != part);
        let of = |places: &[usize]| -> Vec<Vec<f32>> { places.iter().map(|&place| inputs[place].clone()).collect() };
        let lessons: Vec<usize> =
            there.into_iter().filter(|&place| samples[place].clear.right != samples[place].robust.right).collect();
        if lessons.is_empty() || here.is_empty() {
            return Ok(None);
        }
        let classes: Vec<usize> = lessons.iter().map(|&place| usize::from(samples[place].robust.right)).collect();
        let said = Table::fit(&of(&lessons), &classes, 2, &Device::flex()).read(&of(&here))?;
        for (&place, said) in here.iter().zip(said) {
            let is_robust = said[1] > said[0];
            robust += usize::from(is_robust);
            right += usize::from(if is_robust { samples[place].robust.right } else { samples[place].clear.right });
        }
    }
    let share = |count: usize| count as f64 / samples.len() as f64;
    Ok(Some(Routed { accuracy: share(right), robust_share: share(robust) }))
}

/// What the gate sees of a face.
fn features(sample: &GateSample) -> Vec<f32> {
    // What is added keeps the logarithm of a flat crop finite, and is small beside the measures of faces, .01 to 1 and 10 to 5000.
    let logarithms = BlurMeasure::ALL.map(|measure| (sample.blur.value(measure) + 1e-3).ln());
    let products =
        (0..logarithms.len()).flat_map(|a| (a..logarithms.len()).map(move |b| logarithms[a] * logarithms[b]));
    logarithms.into_iter().chain(products).collect()
}

/// Each column with mean 0 and deviation 1.
fn standardised(mut rows: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    let count = rows.len().max(1) as f32;
    for column in 0..rows.first().map_or(0, Vec::len) {
        let mean = rows.iter().map(|row| row[column]).sum::<f32>() / count;
        let deviation = (rows.iter().map(|row| (row[column] - mean).powi(2)).sum::<f32>() / count).sqrt();
        for row in &mut rows {
            row[column] = (row[column] - mean) / deviation.max(f32::MIN_POSITIVE);
        }
    }
    rows
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use models::{BlurEstimate, BlurLevel};

    use super::*;
    use crate::evaluate::gate::{Outcome, State};

    const FACES: usize = 40;

    /// The robust model alone is right where `robust` says so of a value, and the clear one alone elsewhere.
    fn samples(robust: impl Fn(f32) -> bool) -> Vec<GateSample> {
        let outcome = |right| Outcome { right, log_likelihood: 0.0 };
        let states = [BlurLevel::None, BlurLevel::High].into_iter().enumerate();
        states
            .flat_map(|(state, level)| (0..FACES).map(move |face| (level, (state * FACES + face + 1) as f32)))
            .map(|(level, value)| GateSample {
                state: State::Blurred(level),
                blur: BlurEstimate { laplacian_variance: value, normalised: 0.5, noise_corrected: 0.0 },
                clear: outcome(!robust(value)),
                robust: outcome(robust(value)),
            })
            .collect()
    }

    #[test]
    fn it_learns_what_one_threshold_cannot_say() {
        let routed = cross_validated(&samples(|value| !(8.0..50.0).contains(&value)), FACES).unwrap().unwrap();
        assert!(routed.accuracy > 0.9, "{routed:?}");
        assert!((routed.robust_share - 38.0 / 80.0).abs() < 0.1, "{routed:?}");
    }

    #[test]
    fn a_face_is_not_learned_by_heart() {
        // What is right has nothing to do with the measures.
        let routed = cross_validated(&samples(|value| (value * 37.0) as usize % 5 < 2), FACES).unwrap().unwrap();
        assert!(routed.accuracy < 0.75, "{routed:?}");
    }

    #[test]
    fn where_both_models_are_always_right_there_is_nothing_to_learn() {
        let mut same = samples(|_| true);
        same.iter_mut().for_each(|sample| sample.clear.right = true);
        assert_eq!(cross_validated(&same, FACES).unwrap(), None);
        assert_eq!(cross_validated(&[], 0).unwrap(), None);
    }
}
