//! Splits data without tearing apart what belongs together: equal pictures, and pictures of one subject.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::clean::PictureHash;
use crate::sample::Sample;

/// Two sets of samples with no picture in common.
pub struct Split<'a> {
    /// For fitting the weights, in the order of the data set.
    pub train: Vec<&'a Sample>,
    /// For choosing: when to stop, temperatures, thresholds; in the order of the data set.
    pub validation: Vec<&'a Sample>,
}

/// Takes `share` (0..=1) of every label's samples for validation.
///
/// Which ones depends on the pictures and the seed alone: they are drawn in order of a salted hash of their pixels, so
/// that neither the order of the file nor other samples matter, and exact duplicates always fall on the same side. A
/// picture that occurs under several labels counts for the label it has first. Where the subject is known, whole subjects
/// are drawn, whatever their labels are.
pub fn validation_split<'a>(samples: &[&'a Sample], share: f32, seed: u64) -> Split<'a> {
    let member = |sample: &&Sample| match &sample.subject {
        Some(subject) => (subject_hash(subject, seed), None),
        None => (sample.face.salted_hash(seed), Some(sample.label)),
    };
    let members: Vec<Member> = samples.iter().map(member).collect();
    let mut split = Split { train: Vec::new(), validation: Vec::new() };
    for (&sample, chosen) in samples.iter().zip(draw(&members, share)) {
        if chosen { split.validation.push(sample) } else { split.train.push(sample) }
    }
    split
}

/// What a thing to be drawn belongs to: things with one hash stay together. The share is kept within each label; things
/// without one, of which a group may have several, are one lot.
pub type Member = (PictureHash, Option<usize>);

/// SHA-256 of `salt` and the name of a subject.
pub fn subject_hash(subject: &str, salt: u64) -> PictureHash {
    let mut hash = Sha256::new();
    hash.update(salt.to_le_bytes());
    hash.update(b"subject");
    hash.update(subject);
    hash.finalize().into()
}

/// Draws `share` (0..=1) of the things, whole groups in order of their hashes; whether each was drawn.
pub fn draw(members: &[Member], share: f32) -> Vec<bool> {
    let mut groups: BTreeMap<PictureHash, Group> = BTreeMap::new();
    for &(hash, label) in members {
        groups.entry(hash).or_insert(Group { label, size: 0, drawn: false }).size += 1;
    }
    let mut wanted: BTreeMap<Option<usize>, usize> = BTreeMap::new();
    for group in groups.values() {
        *wanted.entry(group.label).or_default() += group.size;
    }
    for count in wanted.values_mut() {
        *count = (*count as f64 * f64::from(share.clamp(0.0, 1.0))).round() as usize;
    }
    // In order of the hashes: a random but repeatable order.
    for group in groups.values_mut() {
        let left = wanted.entry(group.label).or_default();
        if *left > 0 {
            group.drawn = true;
            *left = left.saturating_sub(group.size);
        }
    }
    members.iter().map(|(hash, _)| groups.get(hash).is_some_and(|group| group.drawn)).collect()
}

/// What stays together.
struct Group {
    label: Option<usize>,
    size: usize,
    drawn: bool,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::sample::Usage;
    use models::GrayImage;

    /// 300 samples of label 0, 100 of label 1; every tenth picture is the one before it again.
    fn samples() -> Vec<Sample> {
        (0..400_u64)
            .map(|row| {
                let shown = if row % 10 == 9 { row - 1 } else { row };
                let face = GrayImage::from_vec(shown.to_le_bytes()[..4].to_vec(), 2, 2).unwrap();
                Sample::new(row, Usage::Training, usize::from(row >= 300), face)
            })
            .collect()
    }

    fn rows(samples: &[&Sample]) -> Vec<u64> {
        samples.iter().map(|sample| sample.row).collect()
    }

    #[test]
    fn is_a_stratified_partition_that_keeps_duplicates_together() {
        let all = samples();
        let all: Vec<_> = all.iter().collect();
        let split = validation_split(&all, 0.1, 7);
        let mut rows_seen = rows(&split.train);
        rows_seen.extend(rows(&split.validation));
        rows_seen.sort_unstable();
        assert_eq!(rows_seen, (0..400).collect::<Vec<_>>());

        let of_label = |label| split.validation.iter().filter(|s| s.label == label).count();
        assert!((30..=31).contains(&of_label(0)), "{}", of_label(0));
        assert!((10..=11).contains(&of_label(1)), "{}", of_label(1));
        for sample in &split.validation {
            assert!(split.train.iter().all(|other| other.face.salted_hash(0) != sample.face.salted_hash(0)));
        }
    }

    #[test]
    fn depends_on_the_seed_but_not_on_the_order() {
        let all = samples();
        let forward: Vec<_> = all.iter().collect();
        let backward: Vec<_> = all.iter().rev().collect();
        let first = rows(&validation_split(&forward, 0.2, 1).validation);
        let mut again = rows(&validation_split(&backward, 0.2, 1).validation);
        again.reverse();
        assert_eq!(first, again);
        assert_ne!(first, rows(&validation_split(&forward, 0.2, 2).validation));
    }

    #[test]
    fn the_ends_of_the_share_are_allowed() {
        let all = samples();
        let all: Vec<_> = all.iter().collect();
        assert!(validation_split(&all, 0.0, 1).validation.is_empty());
        assert!(validation_split(&all, 1.0, 1).train.is_empty());
        assert!(validation_split(&[], 0.5, 1).train.is_empty());
    }

    #[test]
    fn subjects_are_not_torn_apart() {
        let mut all = samples();
        for sample in &mut all {
            sample.subject = Some(format!("S{}", sample.row % 20).into());
        }
        let all: Vec<_> = all.iter().collect();
        let split = validation_split(&all, 0.2, 3);
        assert_eq!(split.validation.len(), 80);
        for sample in &split.validation {
            assert!(split.train.iter().all(|other| other.subject != sample.subject));
        }
    }
}
