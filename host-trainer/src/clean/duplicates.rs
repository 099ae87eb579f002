//! Pictures that a data set has more than once, exactly or nearly.
//!
//! The data set's own test parts are left as they are, so that figures on them stay comparable; they decide what training
//! may not hold. Of equal pictures for training the first is kept, or none if their labels differ. Near ones are dropped
//! only if their labels agree: what little differs may be the expression. Those that are near under different labels are
//! kept and counted.

use super::facts::Fact;
use super::near::NearIndex;
use super::{Reason, Twin, exact};
use crate::sample::Usage;

/// Bits of 64 in which two pictures may differ and still be all but the same, unless asked for otherwise.
///
/// Of the pairs that FER-2013 has within this distance, 137 of 139 are the same photograph (their pixels correlate by more
/// than 0.9); of those that differ in one bit more, 95 of 110; in two more, 157 of 185.
pub const NEAR_DISTANCE: u32 = 2;

/// What is double in a data set.
pub struct Duplicates {
    /// One for each picture; None for those that are kept.
    pub twins: Vec<Option<Twin>>,
    /// Kept pictures that are near to an earlier kept one of another label, with that one.
    pub near_other_label: Vec<(u32, u32)>,
}

/// Looks for exact duplicates, and for near ones of up to `near` bits; None leaves those alone.
pub fn find(facts: &[Fact], near: Option<u32>) -> Duplicates {
    let mut found = Duplicates { twins: exact::twins(facts), near_other_label: Vec::new() };
    let Some(distance) = near else { return found };
    let mut index = NearIndex::new(distance);
    // What stands in the index under which number.
    let mut numbers: Vec<u32> = Vec::new();
    let is_test = |fact: &Fact| fact.usage != Usage::Training;
    for (number, fact) in facts.iter().enumerate().filter(|(_, fact)| is_test(fact)) {
        numbers.push(number as u32);
        index.insert(fact.fingerprint);
    }
    for (number, fact) in facts.iter().enumerate().filter(|(_, fact)| !is_test(fact)) {
        if found.twins[number].is_some() {
            continue;
        }
        let known = |entry: u32| &facts[numbers[entry as usize] as usize];
        let agrees = |entry| is_test(known(entry)) || known(entry).label == fact.label;
        if let Some(entry) = index.find(&fact.fingerprint, agrees) {
            let reason = if is_test(known(entry)) { Reason::InTestPart } else { Reason::NearDuplicate };
            found.twins[number] = Some(Twin { reason, same_as: numbers[entry as usize] });
            continue;
        }
        if let Some(entry) = index.find(&fact.fingerprint, |_| true) {
            found.near_other_label.push((number as u32, numbers[entry as usize]));
        }
        numbers.push(number as u32);
        index.insert(fact.fingerprint);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::facts::tests::print;

    #[test]
    fn near_pictures_are_dropped_where_labels_agree() {
        let fact = |picture, across, label, usage| Fact {
            fingerprint: print(picture, across, 0),
            label,
            usage,
            subject: None,
        };
        let train = |picture, across, label| fact(picture, across, label, Usage::Training);
        let facts = [
            train(1, 0b0, 0),
            train(2, 0b1, 0),
            train(3, 0b11, 1),
            train(4, 0b111, 1),
            fact(5, 0xff0000, 0, Usage::PublicTest),
            fact(6, 0xff0000, 0, Usage::PublicTest),
            train(7, 0xfe0000, 1),
            train(8, 0b1111 << 40, 0),
        ];
        let found = find(&facts, Some(2));
        let twin = |reason, same_as| Some(Twin { reason, same_as });
        let expected = [
            None,
            twin(Reason::NearDuplicate, 0),
            None,
            twin(Reason::NearDuplicate, 2),
            None,
            None,
            twin(Reason::InTestPart, 4),
            None,
        ];
        assert_eq!(found.twins, expected);
        assert_eq!(found.near_other_label, [(2, 0)]);
        assert!(find(&facts, None).twins.iter().all(Option::is_none));
    }
}
