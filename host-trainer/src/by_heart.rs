//! Takes out of what teachers say of the faces that they learned from what they have by heart.
//!
//! A large network is right about far more of the faces that it learned from than of others, for it knows their labels,
//! wrong ones as well, and who learns from its answers learns that too. Of the faces that were kept for validation it knows
//! nothing but what it sees. The probability `p` of a class of a training face becomes `p^sharpness`, times `e^-leak` where
//! the class is the face's label, divided by the sum of all. Both numbers are chosen so that training faces are spoken of as
//! validation faces are: with the same mean logarithm of the label's probability, and as surely in the mean.

/// Halvings of an interval: more than single precision can tell apart.
const HALVINGS: usize = 24;
/// Within these limits the two numbers are sought.
const SHARPNESS: [f32; 2] = [0.25, 4.0];
const LEAK: [f32; 2] = [0.0, 8.0];
/// Smaller probabilities count as this one where logarithms are averaged.
const LEAST: f32 = 1e-3;

/// Probabilities of every class, a row a face, and each face's label.
#[derive(Copy, Clone)]
pub struct Said<'a> {
    /// Rows that sum to 1.
    pub rows: &'a [Vec<f32>],
    /// An index into each row.
    pub labels: &'a [usize],
}

/// What is known by heart.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct ByHeart {
    /// Power of the probabilities.
    pub sharpness: f32,
    /// What the label's logit has too much, nats.
    pub leak: f32,
}

impl ByHeart {
    /// Compares what was said of faces that were learned from with what was said of others; `None` if there are none of
    /// either.
    pub fn of(learned: Said<'_>, others: Said<'_>) -> Option<Self> {
        if learned.rows.is_empty() || others.rows.is_empty() {
            return None;
        }
        let nothing = Self { sharpness: 1.0, leak: 0.0 };
        let (wanted_likelihood, wanted_sureness) = nothing.figures(others);
        let with_leak = |sharpness| {
            let leak = halve(LEAK, |leak| Self { sharpness, leak }.figures(learned).0 <= wanted_likelihood);
            Self { sharpness, leak }
        };
        let is_too_sure = |sharpness| with_leak(sharpness).figures(learned).1 >= wanted_sureness;
        Some(with_leak(halve(SHARPNESS, is_too_sure)))
    }

    /// What would have been said of a face with this label without it.
    pub fn without(self, row: &[f32], label: usize) -> Vec<f32> {
        let mut row: Vec<f32> = row.iter().map(|likely| likely.powf(self.sharpness)).collect();
        if let Some(likely) = row.get_mut(label) {
            *likely *= (-self.leak).exp();
        }
        let total: f32 = row.iter().sum::<f32>().max(f32::MIN_POSITIVE);
        row.iter_mut().for_each(|likely| *likely /= total);
        row
    }

    /// Mean logarithm of the label's probability, and mean of the greatest one.
    fn figures(self, said: Said<'_>) -> (f64, f64) {
        let (mut likelihood, mut sureness) = (0.0, 0.0);
        for (row, &label) in said.rows.iter().zip(said.labels) {
            let row = self.without(row, label);
            likelihood += f64::from(row.get(label).copied().unwrap_or(0.0).max(LEAST).ln());
            sureness += f64::from(row.iter().copied().fold(0.0, f32::max));
        }
        let faces = said.rows.len() as f64;
        (likelihood / faces, sureness / faces)
    }
}

/// Where in the interval `is_above` turns from false to true.
fn halve([mut below, mut above]: [f32; 2], is_above: impl Fn(f32) -> bool) -> f32 {
    for _ in 0..HALVINGS {
        let middle = f32::midpoint(below, above);
        if is_above(middle) { above = middle } else { below = middle }
    }
    f32::midpoint(below, above)
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::augment::stream;

    /// Rows as a teacher would say them that knows no label, with labels drawn by them.
    fn honest(faces: usize, seed: u64) -> (Vec<Vec<f32>>, Vec<usize>) {
        let mut rng = stream(seed, 0, 0, 0);
        let mut face = || {
            let likely = 0.3 + 0.6 * rng.random::<f32>();
            let row = vec![likely, (1.0 - likely) * 0.7, (1.0 - likely) * 0.3];
            let at = rng.random::<f32>();
            let label = usize::from(at >= row[0]) + usize::from(at >= row[0] + row[1]);
            (row, label)
        };
        (0..faces).map(|_| face()).unzip()
    }

    #[test]
    fn what_was_said_with_the_label_in_mind_is_said_as_of_faces_that_nobody_knows() {
        let (others, other_labels) = honest(4000, 1);
        let (rows, labels) = honest(4000, 2);
        let leaked = ByHeart { sharpness: 1.0 / 1.3, leak: -1.0 };
        let learned: Vec<Vec<f32>> = rows.iter().zip(&labels).map(|(row, &label)| leaked.without(row, label)).collect();
        let found =
            ByHeart::of(Said { rows: &learned, labels: &labels }, Said { rows: &others, labels: &other_labels });
        let found = found.unwrap_or(leaked);
        // Both sets are drawn: their means differ by a hundredth or two.
        assert!((found.sharpness - 1.3).abs() < 0.1 && (found.leak - 1.3).abs() < 0.15, "{found:?}");
        let off = |(row, (said, &label)): (&Vec<f32>, (&Vec<f32>, &usize))| {
            let without = found.without(said, label);
            without.iter().zip(row).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        let worst = rows.iter().zip(learned.iter().zip(&labels)).map(off).fold(0.0, f32::max);
        assert!(worst < 0.06, "{worst}");
    }

    #[test]
    fn a_teacher_that_knows_nothing_by_heart_is_left_alone() {
        let (rows, labels) = honest(500, 3);
        let said = Said { rows: &rows, labels: &labels };
        let found = ByHeart::of(said, said).unwrap_or(ByHeart { sharpness: 0.0, leak: 9.0 });
        assert!((found.sharpness - 1.0).abs() < 1e-3 && found.leak < 1e-3, "{found:?}");
        assert_eq!(ByHeart::of(said, Said { rows: &[], labels: &[] }), None);
    }

    #[test]
    fn no_probabilities_at_all_stay_numbers() {
        let found = ByHeart { sharpness: 2.0, leak: 1.0 }.without(&[0.0, 0.0], 5);
        assert_eq!(found, [0.0, 0.0]);
    }
}
