//! Near duplicates: pictures whose fingerprints differ in few bits, found without comparing all with all.

use std::collections::HashMap;

use super::fingerprint::Fingerprint;

/// An index of fingerprints by multi-index hashing (M. Norouzi, A. Punjani and D. Fleet, CVPR 2012): 64 bits are cut into
/// one block more than bits may differ, so that two that are near share at least one whole block.
pub struct NearIndex {
    distance: u32,
    /// For each block, what is known by its value.
    blocks: Vec<HashMap<u64, Vec<u32>>>,
    prints: Vec<Fingerprint>,
}

impl NearIndex {
    /// An empty index that finds what differs in up to `distance` bits (0..=16).
    pub fn new(distance: u32) -> Self {
        let distance = distance.min(16);
        Self { distance, blocks: vec![HashMap::new(); distance as usize + 1], prints: Vec::new() }
    }

    /// The earliest fingerprint near to `print` that `accept` takes by its number.
    pub fn find(&self, print: &Fingerprint, accept: impl Fn(u32) -> bool) -> Option<u32> {
        let near = |&number: &u32| self.prints[number as usize].distance(print) <= self.distance && accept(number);
        let candidates = |block: usize| self.blocks[block].get(&self.block(print, block));
        (0..self.blocks.len()).filter_map(|block| candidates(block)?.iter().copied().find(near)).min()
    }

    /// Adds a fingerprint; they are numbered from 0.
    pub fn insert(&mut self, print: Fingerprint) {
        let number = self.prints.len() as u32;
        for block in 0..self.blocks.len() {
            let value = self.block(&print, block);
            self.blocks[block].entry(value).or_default().push(number);
        }
        self.prints.push(print);
    }

    /// The bits of one block.
    fn block(&self, print: &Fingerprint, block: usize) -> u64 {
        let count = self.blocks.len();
        let (start, end) = (64 * block / count, 64 * (block + 1) / count);
        // A single block is all 64 bits, which a shift by 64 could not cut.
        (print.across >> start) & (u64::MAX >> (64 - (end - start)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clean::facts::tests::print;

    #[test]
    fn the_earliest_that_is_accepted_is_found() {
        let mut index = NearIndex::new(2);
        for across in [0b111, 0b0, 0b1] {
            index.insert(print(0, across, 0));
        }
        assert_eq!(index.find(&print(1, 0b11, 0), |_| true), Some(0));
        assert_eq!(index.find(&print(1, 0b11, 0), |number| number != 0), Some(1));
        assert_eq!(index.find(&print(1, 0b11, 0b111), |_| true), None);
        assert_eq!(index.find(&print(1, 0xff00, 0), |_| true), None);
    }

    proptest! {
        #[test]
        fn finds_what_comparing_all_with_all_finds(
            known in prop::collection::vec((any::<u64>(), 0u64..4), 0..40),
            flips in prop::collection::vec(0u32..64, 0..10),
            distance in 0u32..=8,
        ) {
            let mut index = NearIndex::new(distance);
            let prints: Vec<_> = known.iter().map(|&(across, down)| print(0, across, down)).collect();
            prints.iter().for_each(|print| index.insert(*print));
            let start = known.first().map_or(0, |known| known.0);
            let wanted = print(0, flips.iter().fold(start, |bits, flip| bits ^ (1 << flip)), 1);
            let expected = prints.iter().position(|print| print.distance(&wanted) <= distance);
            prop_assert_eq!(index.find(&wanted, |_| true), expected.map(|index| index as u32));
        }
    }
}
