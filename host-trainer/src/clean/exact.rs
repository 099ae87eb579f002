//! Exact duplicates: the same picture, pixel for pixel, more than once.

use std::collections::{HashMap, HashSet};

use super::facts::Fact;
use super::fingerprint::PictureHash;
use super::{Reason, Twin};
use crate::sample::{Sample, Usage};

/// Samples without exact duplicates.
pub struct Cleaned<'a> {
    /// The first sample of every picture, in order.
    pub kept: Vec<&'a Sample>,
    /// How many others there were.
    pub dropped: usize,
}

/// Keeps the first sample of every picture.
pub fn drop_duplicates<'a>(samples: &[&'a Sample]) -> Cleaned<'a> {
    let mut seen: HashSet<PictureHash> = HashSet::new();
    let kept: Vec<&Sample> = samples.iter().copied().filter(|sample| seen.insert(sample.face.salted_hash(0))).collect();
    Cleaned { dropped: samples.len() - kept.len(), kept }
}

/// What is known of all copies of a picture.
struct Copies {
    /// The first one for training.
    first: Option<u32>,
    /// The first one in a test part.
    in_test: Option<u32>,
    /// One for training whose label differs from the first one's.
    conflict: Option<u32>,
}

/// The twin of every picture for training that is dropped because of an equal one. Test parts stay as they are.
pub fn twins(facts: &[Fact]) -> Vec<Option<Twin>> {
    let mut pictures: HashMap<[u8; 16], Copies> = HashMap::new();
    for (index, fact) in facts.iter().enumerate() {
        let index = index as u32;
        let copies =
            pictures.entry(fact.fingerprint.exact).or_insert(Copies { first: None, in_test: None, conflict: None });
        if fact.usage != Usage::Training {
            copies.in_test.get_or_insert(index);
        } else if facts[*copies.first.get_or_insert(index) as usize].label != fact.label {
            copies.conflict.get_or_insert(index);
        }
    }
    let twin = |(index, fact): (usize, &Fact)| {
        let copies = &pictures[&fact.fingerprint.exact];
        let index = index as u32;
        if fact.usage != Usage::Training {
            return None;
        }
        match copies {
            Copies { in_test: Some(same_as), .. } => Some(Twin { reason: Reason::InTestPart, same_as: *same_as }),
            Copies { first: Some(first), conflict: Some(other), .. } => {
                let same_as = if *first == index { *other } else { *first };
                Some(Twin { reason: Reason::ConflictingLabels, same_as })
            }
            Copies { first: Some(first), .. } if *first != index => {
                Some(Twin { reason: Reason::ExactDuplicate, same_as: *first })
            }
            _ => None,
        }
    };
    facts.iter().enumerate().map(twin).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use models::GrayImage;

    use super::*;
    use crate::clean::facts::tests::print;

    #[test]
    fn the_first_of_each_picture_is_kept() {
        let sample = |row, label, value: u8| {
            Sample::new(row, Usage::Training, label, GrayImage::from_vec(vec![value; 4], 2, 2).unwrap())
        };
        let samples = [sample(2, 0, 1), sample(3, 1, 2), sample(4, 1, 1), sample(5, 1, 2)];
        let cleaned = drop_duplicates(&samples.iter().collect::<Vec<_>>());
        assert_eq!(cleaned.kept.iter().map(|s| s.row).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(cleaned.dropped, 2);
    }

    #[test]
    fn every_copy_has_its_reason() {
        let fact = |picture, label, usage| Fact { fingerprint: print(picture, 0, 0), label, usage, subject: None };
        let train = |picture, label| fact(picture, label, Usage::Training);
        let facts = [
            train(1, 0),
            train(1, 0),
            train(2, 0),
            train(2, 1),
            train(2, 0),
            train(3, 0),
            fact(3, 1, Usage::PublicTest),
            fact(3, 0, Usage::PrivateTest),
            train(4, 0),
        ];
        let twin = |reason, same_as| Some(Twin { reason, same_as });
        let expected = [
            None,
            twin(Reason::ExactDuplicate, 0),
            twin(Reason::ConflictingLabels, 3),
            twin(Reason::ConflictingLabels, 2),
            twin(Reason::ConflictingLabels, 2),
            twin(Reason::InTestPart, 6),
            None,
            None,
            None,
        ];
        assert_eq!(twins(&facts), expected);
    }
}
