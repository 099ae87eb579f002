//! Steadies the scores of one face over time, so that the shown expression does not
//! flicker.

use std::time::Duration;

/// How readings of a face are steadied.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct SmoothRule {
    /// Time after which 63 % of a change has come through; zero: no smoothing.
    pub time_constant: Duration,
    /// Another expression must lead the shown one by this probability to replace it.
    pub hold: f32,
    /// Below this probability of the shown expression the reading is unsure.
    pub unsure_below: f32,
    /// An unsure reading is sure again only this probability above `unsure_below`.
    pub unsure_band: f32,
}

/// What is shown for a face now; the probabilities are [`Smoother::scores`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Index of the expression in label order.
    pub index: usize,
    /// Its probability is too small to trust.
    pub unsure: bool,
}

/// The memory of one face: exponential smoothing by time, so that the result does not
/// depend on the frame rate, and hysteresis on what is shown.
#[derive(Clone, Debug)]
pub struct Smoother {
    scores: Vec<f32>,
    at: Duration,
    shown: Shown,
}

impl Smoother {
    /// Starts with a face's first scores (probabilities in label order, not empty).
    pub fn start(scores: &[f32], at: Duration, rule: &SmoothRule) -> Self {
        let index = best_of(scores);
        Self { scores: scores.to_vec(), at, shown: Shown { index, unsure: scores[index] < rule.unsure_below } }
    }

    /// Takes the scores of the frame at `at` and returns what to show from now on.
    /// A time before the last one counts as no time passed.
    pub fn update(&mut self, scores: &[f32], at: Duration, rule: &SmoothRule) -> Shown {
        let passed = at.saturating_sub(self.at).as_secs_f32();
        let constant = rule.time_constant.as_secs_f32();
        let share = if constant > 0.0 { -(-passed / constant).exp_m1() } else { 1.0 };
        for (smooth, new) in self.scores.iter_mut().zip(scores) {
            *smooth += share * (new - *smooth);
        }
        self.at = self.at.max(at);

        let best = best_of(&self.scores);
        if self.scores[best] > self.scores[self.shown.index] + rule.hold {
            self.shown.index = best;
        }
        let floor = if self.shown.unsure { rule.unsure_below + rule.unsure_band } else { rule.unsure_below };
        self.shown.unsure = self.scores[self.shown.index] < floor;
        self.shown
    }

    /// What is shown now.
    pub fn shown(&self) -> Shown {
        self.shown
    }

    /// The smoothed probabilities, in label order; they sum to 1 as the input does.
    pub fn scores(&self) -> &[f32] {
        &self.scores
    }
}

/// Index of the greatest score; the first of equals.
fn best_of(scores: &[f32]) -> usize {
    let mut best = 0;
    for (index, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: SmoothRule =
        SmoothRule { time_constant: Duration::from_millis(300), hold: 0.1, unsure_below: 0.4, unsure_band: 0.05 };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_result_does_not_depend_on_the_frame_rate() {
        let mut slow = Smoother::start(&[1.0, 0.0], ms(0), &RULE);
        let mut quick = slow.clone();
        slow.update(&[0.0, 1.0], ms(300), &RULE);
        for step in 1..=30 {
            quick.update(&[0.0, 1.0], ms(step * 10), &RULE);
        }
        assert!((slow.scores()[1] - quick.scores()[1]).abs() < 1e-4);
        assert!((slow.scores()[1] - 0.632).abs() < 1e-3);
        assert!((slow.scores().iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn one_wrong_frame_changes_nothing_that_is_shown() {
        let mut face = Smoother::start(&[0.8, 0.2], ms(0), &RULE);
        let shown = face.update(&[0.1, 0.9], ms(33), &RULE);
        assert_eq!(shown.index, 0);
        for frame in 2..40 {
            face.update(&[0.1, 0.9], ms(33 * frame), &RULE);
        }
        assert_eq!(face.shown().index, 1);
    }

    #[test]
    fn a_small_lead_does_not_replace_what_is_shown() {
        let rule = SmoothRule { time_constant: Duration::ZERO, ..RULE };
        let mut face = Smoother::start(&[0.55, 0.45], ms(0), &rule);
        assert_eq!(face.update(&[0.46, 0.54], ms(1), &rule).index, 0);
        assert_eq!(face.update(&[0.44, 0.56], ms(2), &rule).index, 1);
        assert_eq!(face.update(&[0.54, 0.46], ms(3), &rule).index, 1);
    }

    #[test]
    fn unsure_has_a_band_and_no_flicker() {
        let rule = SmoothRule { time_constant: Duration::ZERO, ..RULE };
        let mut face = Smoother::start(&[0.39, 0.31, 0.3], ms(0), &rule);
        assert!(face.shown().unsure);
        assert!(face.update(&[0.42, 0.3, 0.28], ms(1), &rule).unsure);
        assert!(!face.update(&[0.46, 0.3, 0.24], ms(2), &rule).unsure);
        assert!(!face.update(&[0.42, 0.3, 0.28], ms(3), &rule).unsure);
        assert!(face.update(&[0.38, 0.32, 0.3], ms(4), &rule).unsure);
    }

    #[test]
    fn time_that_runs_backwards_is_no_time() {
        let mut face = Smoother::start(&[1.0, 0.0], ms(500), &RULE);
        face.update(&[0.0, 1.0], ms(100), &RULE);
        assert_eq!(face.scores(), [1.0, 0.0]);
    }
}
