//! As many pictures of each label: by leaving some out, or by saying how often each should be shown.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// How labels are brought to equal numbers.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Balance {
    /// Not at all.
    #[default]
    None,
    /// Pictures of frequent labels are left out.
    Down,
    /// Nothing is left out; how often pictures of rare labels would have to be repeated is written down. Training makes
    /// more of them by changing them at random.
    Up,
}

/// The number of pictures each label is brought to: `wanted`, or without it the number of the rarest label (down) or of
/// the most frequent one (up). None if there is nothing to balance.
pub fn target(balance: Balance, counts: &[u64], wanted: Option<u64>) -> Option<u64> {
    let present = counts.iter().copied().filter(|&count| count > 0);
    match balance {
        Balance::None => None,
        Balance::Down => wanted.or(present.min()),
        Balance::Up => wanted.or(present.max()),
    }
}

/// Of pictures of one label, given by a random but repeatable key, those that are too many: all but `target`.
pub fn surplus<K: Ord>(mut pictures: Vec<(K, u32)>, target: u64) -> Vec<u32> {
    pictures.sort_unstable();
    pictures.into_iter().skip(target as usize).map(|(_, number)| number).collect()
}

/// How often the pictures of each label have to be shown for `target` of it, at least once; 0 for a label without any.
pub fn repeats(counts: &[u64], target: u64) -> Vec<f64> {
    let repeat = |&count: &u64| if count == 0 { 0.0 } else { (target as f64 / count as f64).max(1.0) };
    counts.iter().map(repeat).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_the_rarest_and_the_most_frequent() {
        let counts = [40, 0, 10, 25];
        assert_eq!(target(Balance::Down, &counts, None), Some(10));
        assert_eq!(target(Balance::Up, &counts, None), Some(40));
        assert_eq!(target(Balance::Down, &counts, Some(20)), Some(20));
        assert_eq!(target(Balance::None, &counts, Some(20)), None);
        assert_eq!(target(Balance::Up, &[0, 0], None), None);
        assert_eq!(repeats(&counts, 40), [1.0, 0.0, 4.0, 1.6]);
    }

    #[test]
    fn the_surplus_depends_on_the_keys_alone() {
        assert_eq!(surplus(vec![(9, 0), (3, 1), (7, 2), (1, 3)], 2), [2, 0]);
        assert!(surplus(vec![(9, 0)], 2).is_empty());
    }
}
