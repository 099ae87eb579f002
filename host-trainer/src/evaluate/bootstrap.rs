//! How much a measured figure depends on which faces happened to be in the test: the percentile bootstrap (Efron 1979).

use serde::{Deserialize, Serialize};

/// Resamples behind an interval.
pub const RESAMPLES: usize = 1000;

/// The middle 95 % of a figure over resampled data.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The 2.5 % quantile.
    pub low: f64,
    /// The 97.5 % quantile.
    pub high: f64,
}

impl Interval {
    /// The middle 95 % of values; of none 0 to 0.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let last = values.len().saturating_sub(1) as f64;
        let quantile = |share: f64| values.get((last * share).round() as usize).copied().unwrap_or(0.0);
        Self { low: quantile(0.025), high: quantile(0.975) }
    }
}

/// A seed for every resample.
pub fn seeds(seed: u64) -> Vec<u64> {
    let mut random = SplitMix64(seed);
    (0..RESAMPLES).map(|_| random.next()).collect()
}

/// How many times each of `count` things is drawn in `count` draws with replacement.
pub fn resample(count: usize, seed: u64) -> Vec<u32> {
    let mut random = SplitMix64(seed);
    let mut counts = vec![0; count];
    for _ in 0..count {
        counts[random.below(count as u64) as usize] += 1;
    }
    counts
}

/// The generator of Steele, Lea and Flood (2014). Written out here because the sequences of the rand crate's generators
/// may change with its version, and a report must not.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0..count; the bias is below count / 2^64.
    fn below(&mut self, count: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(count)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gives_the_published_sequence() {
        // First outputs for seed 1234567 of the authors' C code.
        let mut random = SplitMix64(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_resample_has_as_many_as_there_are() {
        let counts = resample(1000, 3);
        assert_eq!(counts.iter().sum::<u32>(), 1000);
        // 1 - 1/e of them at least once.
        let drawn = counts.iter().filter(|&&count| count > 0).count();
        assert!((600..665).contains(&drawn), "{drawn}");
        assert!(resample(0, 3).is_empty());
    }

    #[test]
    fn the_interval_is_the_middle_of_the_values() {
        let interval = Interval::of((0..=1000).rev().map(f64::from).collect());
        assert_eq!(interval, Interval { low: 25.0, high: 975.0 });
        assert_eq!(Interval::of(vec![3.0]), Interval { low: 3.0, high: 3.0 });
        assert_eq!(Interval::of(Vec::new()), Interval { low: 0.0, high: 0.0 });
    }
}
