//! All that is kept in memory of each picture of a data set: with its name and what finds its like some 200 bytes, however
//! large the picture is.

use std::collections::HashMap;
use std::sync::Arc;

use super::fingerprint::Fingerprint;
use crate::sample::Usage;

/// What a decision about a picture depends on.
#[derive(Copy, Clone, Debug)]
pub struct Fact {
    /// What it looks like.
    pub fingerprint: Fingerprint,
    /// Its label, an index into the data set's.
    pub label: u8,
    /// Its part of the data set.
    pub usage: Usage,
    /// Whom it shows: a number for each subject; None where that is not known.
    pub subject: Option<u32>,
}

/// The facts of all pictures in their order, with their names.
#[derive(Default)]
pub struct Facts {
    /// One a picture.
    pub list: Vec<Fact>,
    /// The places, one after another, and where each ends.
    names: String,
    ends: Vec<usize>,
    subjects: HashMap<Arc<str>, u32>,
    subject_names: Vec<Arc<str>>,
}

impl Facts {
    /// Takes the facts of the next picture.
    pub fn push(&mut self, place: &str, subject: Option<&Arc<str>>, label: u8, usage: Usage, fingerprint: Fingerprint) {
        let subject = subject.map(|subject| {
            *self.subjects.entry(subject.clone()).or_insert_with(|| {
                self.subject_names.push(subject.clone());
                self.subject_names.len() as u32 - 1
            })
        });
        self.names.push_str(place);
        self.ends.push(self.names.len());
        self.list.push(Fact { fingerprint, label, usage, subject });
    }

    /// What reports call picture `index`.
    pub fn name(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.names[start..self.ends[index]]
    }

    /// The name of a subject.
    pub fn subject(&self, number: u32) -> &str {
        &self.subject_names[number as usize]
    }

    /// How many subjects are known.
    pub fn subjects(&self) -> usize {
        self.subject_names.len()
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A fingerprint of a picture that is told by three numbers.
    pub fn print(exact: u8, across: u64, down: u64) -> Fingerprint {
        Fingerprint { exact: [exact; 16], across, down }
    }

    #[test]
    fn names_and_subjects_are_found_again() {
        let mut facts = Facts::default();
        let (one, two): (Arc<str>, Arc<str>) = ("S1".into(), "S2".into());
        for (place, subject) in [("a/1", Some(&one)), ("", None), ("b/22", Some(&two)), ("c", Some(&one))] {
            facts.push(place, subject, 0, Usage::Training, print(0, 0, 0));
        }
        assert_eq!([0, 1, 2, 3].map(|index| facts.name(index)), ["a/1", "", "b/22", "c"]);
        assert_eq!(facts.list.iter().map(|fact| fact.subject).collect::<Vec<_>>(), [Some(0), None, Some(1), Some(0)]);
        assert_eq!((facts.subjects(), facts.subject(1)), (2, "S2"));
    }
}
