//! How much a measured accuracy depends on which faces happened to be in the test.

use serde::Serialize;

/// Resamples behind an interval.
pub const RESAMPLES: usize = 1000;

/// The middle 95 % of a figure over resampled data.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The 2.5 % quantile.
    pub low: f64,
    /// The 97.5 % quantile.
    pub high: f64,
}

/// Percentile bootstrap (Efron 1979) of the share of true values. Equal seeds give equal intervals; no values give 0
/// to 0.
pub fn accuracy_interval(right: &[bool], seed: u64) -> Interval {
    if right.is_empty() {
        return Interval { low: 0.0, high: 0.0 };
    }
    let mut random = SplitMix64(seed);
    let count = right.len() as u64;
    let mut shares: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let hits = (0..count).filter(|_| right[random.below(count) as usize]).count();
            hits as f64 / count as f64
        })
        .collect();
    shares.sort_unstable_by(f64::total_cmp);
    let quantile = |share: f64| shares[((RESAMPLES - 1) as f64 * share).round() as usize];
    Interval { low: quantile(0.025), high: quantile(0.975) }
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
    fn the_interval_is_that_of_a_binomial_share() {
        let right: Vec<bool> = (0..3_600).map(|index| index % 3 != 0).collect();
        let interval = accuracy_interval(&right, 7);
        // Normal approximation: 2/3 -+ 1.96 * sqrt(2/9 / 3600).
        assert!((interval.low - 0.6513).abs() < 0.003, "{interval:?}");
        assert!((interval.high - 0.6821).abs() < 0.003, "{interval:?}");
        assert_eq!(interval, accuracy_interval(&right, 7));
    }

    #[test]
    fn ends_are_handled() {
        assert_eq!(accuracy_interval(&[], 1), Interval { low: 0.0, high: 0.0 });
        assert_eq!(accuracy_interval(&[true], 1), Interval { low: 1.0, high: 1.0 });
    }
}
