//! Whether a model's probabilities mean what they say, and the temperature that makes them.

use models::Scores;

use super::answer::Answer;

/// Bins of the calibration error.
pub const BINS: usize = 15;
/// The temperatures searched.
const LOWEST: f64 = 0.05;
const HIGHEST: f64 = 20.0;
/// How far off the logarithm of the one that is found may be.
const TOLERANCE: f64 = 1e-6;

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

/// The temperature at which a model is as sure as it is right: that of 0.05..=20 at which the mean confidence comes nearest to
/// the accuracy (Clarté et al. 2023, "Expectation consistency for calibration of neural networks"), by bisection of its
/// logarithm. `logits` has a row a face, `labels` the right column of each. No faces give 1.
///
/// The least negative log-likelihood (Guo et al. 2017) left the shipped models 1 to 3 points surer than right.
pub fn fit_temperature(logits: &[Vec<f32>], labels: &[usize]) -> f32 {
    let faces = logits.len().min(labels.len());
    if faces == 0 {
        return 1.0;
    }
    let is_right = |(row, &label): (&Vec<f32>, &usize)| Scores::softmax(row, 1.0).best().0 == label;
    let right = logits.iter().zip(labels).filter(|&pair| is_right(pair)).count();
    let accuracy = right as f64 / faces as f64;
    let confidence = |temperature: f64| {
        let sum: f64 = logits.iter().map(|row| f64::from(Scores::softmax(row, temperature as f32).best().1)).sum();
        sum / logits.len() as f64
    };
    let (mut low, mut high) = (LOWEST.ln(), HIGHEST.ln());
    while high - low > TOLERANCE {
        let middle = f64::midpoint(low, high);
        if confidence(middle.exp()) > accuracy { low = middle } else { high = middle }
    }
    f64::midpoint(low, high).exp() as f32
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
        // Two labels, logits 4 and 0, right three times of four: 3/4 = 1 / (1 + e^(-4/T)), so T = 4 / ln 3.
        let temperature = fit_temperature(&vec![vec![4.0, 0.0]; 4], &[0, 0, 0, 1]);
        assert!((temperature - 4.0 / 3.0_f32.ln()).abs() < 1e-3, "{temperature}");
    }

    #[test]
    fn ends_are_handled() {
        assert_eq!(fit_temperature(&[], &[]), 1.0);
        // Always right: as sure as allowed. Never right: as unsure.
        for (label, expected) in [(0, 0.05), (1, 20.0)] {
            let temperature = fit_temperature(&[vec![1.0, 0.0]], &[label]);
            assert!((temperature / expected - 1.0).abs() < 1e-2, "{temperature}");
        }
    }
}
