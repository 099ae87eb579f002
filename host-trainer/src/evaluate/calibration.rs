//! Whether a model's probabilities mean what they say, and the temperature that makes them.

use serde::Serialize;

use super::metrics::Answer;

/// Bins of the calibration error.
pub const BINS: usize = 15;
/// The temperatures searched.
const LOWEST: f64 = 0.05;
const HIGHEST: f64 = 20.0;

/// Expected calibration error (Guo et al. 2017): the distance between mean confidence and accuracy, weighted over 15
/// bins of equal width of the confidence. Each answer counts as often as is said; 0 without answers.
pub fn calibration_error<'a>(answers: impl Iterator<Item = (&'a Answer, u32)>) -> f64 {
    let mut bins = [(0.0_f64, 0.0_f64); BINS];
    let mut total = 0.0;
    for (answer, count) in answers {
        let (confidence, count) = (f64::from(answer.confidence), f64::from(count));
        // Bins are closed above, as in the paper.
        let bin = ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
        bins[bin].0 += confidence * count;
        bins[bin].1 += f64::from(u8::from(answer.is_right())) * count;
        total += count;
    }
    let distance: f64 = bins.iter().map(|(confidence, right)| (confidence - right).abs()).sum();
    distance / f64::max(total, 1.0)
}

/// The temperature that fits best, with the loss before and after.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct TemperatureFit {
    /// What the logits are divided by before the softmax; above 1 the model was too sure of itself.
    pub temperature: f32,
    /// Mean negative log-likelihood at temperature 1, nats.
    pub loss_before: f64,
    /// The same at the fitted temperature.
    pub loss_after: f64,
}

/// Temperature scaling (Guo et al. 2017): the temperature of 0.05..=20 with the least negative log-likelihood, by golden
/// section search on its logarithm. `logits` has a row a face, `labels` the right column of each. No faces give 1.
pub fn fit_temperature(logits: &[Vec<f32>], labels: &[usize]) -> TemperatureFit {
    let loss = |log_temperature: f64| mean_negative_log_likelihood(logits, labels, log_temperature.exp());
    let log_temperature = if logits.is_empty() { 0.0 } else { golden_section(loss, LOWEST.ln(), HIGHEST.ln(), 1e-6) };
    TemperatureFit {
        temperature: log_temperature.exp() as f32,
        loss_before: loss(0.0),
        loss_after: loss(log_temperature),
    }
}

/// Mean negative log-likelihood of the right labels under softmax(logits / temperature), nats. Labels beyond a row are
/// passed over; no faces give 0.
pub fn mean_negative_log_likelihood(logits: &[Vec<f32>], labels: &[usize], temperature: f64) -> f64 {
    let losses = logits.iter().zip(labels).filter_map(|(row, &label)| {
        let right = f64::from(*row.get(label)?);
        let highest = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let sum: f64 = row.iter().map(|&logit| ((f64::from(logit) - highest) / temperature).exp()).sum();
        Some(sum.ln() - (right - highest) / temperature)
    });
    let (sum, count) = losses.fold((0.0, 0_usize), |(sum, count), loss| (sum + loss, count + 1));
    sum / count.max(1) as f64
}

/// The place of the minimum of a function with one valley, to within `tolerance` (Kiefer 1953).
fn golden_section(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64, tolerance: f64) -> f64 {
    let share = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut left, mut right) = (high - share * (high - low), low + share * (high - low));
    let (mut at_left, mut at_right) = (f(left), f(right));
    while high - low > tolerance {
        if at_left < at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - share * (high - low);
            at_left = f(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + share * (high - low);
            at_right = f(right);
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calibration_error_by_hand() {
        let answer = |confidence, right: bool| Answer {
            truth: 0,
            predicted: usize::from(!right),
            confidence,
            scores: Vec::new(),
        };
        let error = |answers: &[Answer]| calibration_error(answers.iter().map(|answer| (answer, 1)));
        // One bin of (.9, .92, .88 -> mean .9; 2 of 3 right), one of (.5; wrong): 3/4 * |.9 - 2/3| + 1/4 * .5.
        let answers = [answer(0.9, true), answer(0.92, true), answer(0.88, false), answer(0.5, false)];
        assert!((error(&answers) - (0.75 * (0.9 - 2.0 / 3.0) + 0.125)).abs() < 1e-6);
        assert_eq!(error(&[]), 0.0);
        assert_eq!(error(&[answer(0.0, false), answer(1.0, true)]), 0.0);
    }

    #[test]
    fn the_temperature_of_a_known_case_is_found() {
        // Two labels, logits 4 and 0, right three times of four: p = 3/4 = 1 / (1 + e^(-4/T)), so T = 4 / ln 3.
        let logits = vec![vec![4.0, 0.0]; 4];
        let fit = fit_temperature(&logits, &[0, 0, 0, 1]);
        assert!((fit.temperature - 4.0 / 3.0_f32.ln()).abs() < 1e-3, "{fit:?}");
        let entropy = -(0.75 * 0.75_f64.ln() + 0.25 * 0.25_f64.ln());
        assert!((fit.loss_after - entropy).abs() < 1e-9);
        assert!(fit.loss_after < fit.loss_before);
    }

    #[test]
    fn ends_are_handled() {
        assert_eq!(fit_temperature(&[], &[]).temperature, 1.0);
        // Always right: as sure as allowed.
        let fit = fit_temperature(&[vec![1.0, 0.0]], &[0]);
        assert!((fit.temperature - 0.05).abs() < 1e-3);
    }
}
