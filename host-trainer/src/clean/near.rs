//! Near duplicates: pictures whose fingerprints differ in few bits, found without comparing all with all.

use std::collections::HashMap;

use super::fingerprint::Fingerprint;

/// The end of a chain.
const NONE: u32 = u32::MAX;

/// An index of fingerprints by multi-index hashing (M. Norouzi, A. Punjani and D. Fleet, CVPR 2012): 64 bits are cut into
/// one block more than bits may differ, so that two that are near share at least one whole block.
pub struct NearIndex {
    distance: u32,
    blocks: Vec<Block>,
    prints: Vec<Fingerprint>,
}

/// What is known by the value of one block: chains, since a list for each value would take several times the memory.
#[derive(Clone, Default)]
struct Block {
    /// The latest fingerprint of a value.
    latest: HashMap<u64, u32>,
    /// For each fingerprint the one before it with the same value.
    before: Vec<u32>,
}

impl NearIndex {
    /// An empty index that finds what differs in up to `distance` bits (0..=16).
    pub fn new(distance: u32) -> Self {
        let distance = distance.min(16);
        Self { distance, blocks: vec![Block::default(); distance as usize + 1], prints: Vec::new() }
    }

    /// The earliest fingerprint near to `print` that `accept` takes by its number.
    pub fn find(&self, print: &Fingerprint, accept: impl Fn(u32) -> bool) -> Option<u32> {
        let is_near = |&number: &u32| self.prints[number as usize].distance(print) <= self.distance && accept(number);
        let chains = self.blocks.iter().enumerate().map(|(index, block)| block.chain(self.value(print, index)));
        chains.flatten().filter(is_near).min()
    }

    /// Adds a fingerprint; they are numbered from 0.
    pub fn insert(&mut self, print: Fingerprint) {
        let number = self.prints.len() as u32;
        for index in 0..self.blocks.len() {
            let value = self.value(&print, index);
            let block = &mut self.blocks[index];
            block.before.push(block.latest.insert(value, number).unwrap_or(NONE));
        }
        self.prints.push(print);
    }

    /// The bits of one block.
    fn value(&self, print: &Fingerprint, index: usize) -> u64 {
        let count = self.blocks.len();
        let (start, end) = (64 * index / count, 64 * (index + 1) / count);
        // A single block is all 64 bits, which a shift by 64 could not cut.
        (print.across >> start) & (u64::MAX >> (64 - (end - start)))
    }
}

impl Block {
    /// The fingerprints with this value, the latest first.
    fn chain(&self, value: u64) -> impl Iterator<Item = u32> {
        let latest = self.latest.get(&value).copied().unwrap_or(NONE);
        let known = |number: u32| (number != NONE).then_some(number);
        std::iter::successors(known(latest), move |&number| known(self.before[number as usize]))
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
