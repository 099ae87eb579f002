//! What a model said about a face.

/// What a model said about one face.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The right label, an index into the model's labels.
    pub truth: usize,
    /// The most probable label, an index into the model's labels.
    pub predicted: usize,
    /// The probability the model gave it, 0..=1.
    pub confidence: f32,
    /// The probability of every label.
    pub scores: Vec<f32>,
}

impl Answer {
    /// An answer by its probabilities; of equals the first label is the answer.
    pub fn new(truth: usize, scores: &[f32]) -> Self {
        let mut best = (0, f32::NEG_INFINITY);
        for (index, &score) in scores.iter().enumerate() {
            if score > best.1 {
                best = (index, score);
            }
        }
        Self { truth, predicted: best.0, confidence: best.1, scores: scores.to_vec() }
    }

    /// Whether the most probable label is the right one.
    pub fn is_right(&self) -> bool {
        self.truth == self.predicted
    }

    /// The probability of a label.
    pub fn score(&self, class: usize) -> f32 {
        self.scores.get(class).copied().unwrap_or(0.0)
    }
}
