//! The second stage: which faces are dropped, and which become the test part. Only fingerprints and names are in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use models::LabelSet;
use sha2::{Digest, Sha256};

use super::decisions::{Decisions, Summary, Verdict};
use super::gather::Gathered;
use super::plan::Plan;
use super::work::{Work, get_shard, put};
use crate::clean::balance::{Balance, repeats, surplus, target};
use crate::clean::duplicates::{self, Duplicates};
use crate::clean::facts::{Fact, Facts};
use crate::clean::{PictureHash, Reason, Twin};
use crate::sample::Usage;
use crate::shard::Shard;
use crate::split::{Member, draw, subject_hash};

/// The list of all that is dropped, in the result.
const LIST: &str = "dropped.csv";

/// Decides, and writes the list of what is dropped.
///
/// # Errors
/// A part that does not hold, a disk that refuses.
pub fn decide(
    work: &Work,
    plan: &Plan,
    gathered: Gathered,
    left_out: BTreeMap<&'static str, u64>,
) -> anyhow::Result<Decisions> {
    let mut deciding = Deciding::new(plan)?;
    let mut sizes = Vec::with_capacity(gathered.parts);
    for number in 0..gathered.parts {
        let (shard, _) = get_shard(&work.part(number))?;
        sizes.push(shard.records.len());
        deciding.learn(&shard)?;
    }
    let near_with_other_label = deciding.drop_duplicates()?;
    if deciding.facts.list.iter().all(|fact| fact.usage == Usage::Training) {
        deciding.draw_test();
    }
    let repeats = deciding.balance()?;

    let Deciding { facts, verdicts, list, dropped, .. } = deciding;
    put(&work.result(LIST), &list.into_inner()?)?;
    let summary = Summary {
        pictures: gathered.entries,
        kept: verdicts.iter().filter(|verdict| **verdict != Verdict::Drop).count() as u64,
        dropped: dropped.into_iter().map(|(reason, count)| (reason.name().to_owned(), count)).collect(),
        left_out: left_out.into_iter().map(|(why, count)| (why.to_owned(), count)).collect(),
        near_with_other_label,
        classes: classes(&plan.labels, &facts, &verdicts),
        subjects: facts.subjects(),
        repeats,
    };
    let mut rest = verdicts.as_slice();
    let parts = sizes.into_iter().map(|size| {
        let (part, after) = rest.split_at(size);
        rest = after;
        part.to_vec()
    });
    let decisions = Decisions { parts: parts.collect(), summary };
    work.keep_decisions(&decisions)?;
    Ok(decisions)
}

/// What is known and decided so far.
struct Deciding<'a> {
    plan: &'a Plan,
    facts: Facts,
    /// One for each fact.
    verdicts: Vec<Verdict>,
    /// All that is dropped, as comma-separated values.
    list: csv::Writer<Vec<u8>>,
    dropped: BTreeMap<Reason, u64>,
}

impl<'a> Deciding<'a> {
    fn new(plan: &'a Plan) -> anyhow::Result<Self> {
        let mut list = csv::Writer::from_writer(Vec::new());
        list.write_record(["place", "label", "reason", "same_as"])?;
        Ok(Self { plan, facts: Facts::default(), verdicts: Vec::new(), list, dropped: BTreeMap::new() })
    }

    /// Takes up the faces of a part.
    fn learn(&mut self, shard: &Shard) -> anyhow::Result<()> {
        for record in &shard.records {
            let subject: Option<Arc<str>> = record.subject.as_deref().map(Into::into);
            self.facts.push(&record.place, subject.as_ref(), record.label, record.usage, record.fingerprint);
            self.verdicts.push(Verdict::Keep);
        }
        for picture in &shard.header.dropped {
            *self.dropped.entry(picture.reason).or_default() += 1;
            self.list.write_record([&picture.place, "", picture.reason.name(), ""])?;
        }
        Ok(())
    }

    fn drop(&mut self, number: usize, reason: Reason, same_as: Option<usize>) -> anyhow::Result<()> {
        self.verdicts[number] = Verdict::Drop;
        *self.dropped.entry(reason).or_default() += 1;
        let label = self.plan.labels.get(usize::from(self.facts.list[number].label)).map_or("", |label| label.name());
        let same_as = same_as.map_or("", |other| self.facts.name(other));
        self.list.write_record([self.facts.name(number), label, reason.name(), same_as])?;
        Ok(())
    }

    /// Gives how many faces are kept though they are near to one of another label.
    fn drop_duplicates(&mut self) -> anyhow::Result<u64> {
        let Duplicates { twins, near_other_label } = duplicates::find(&self.facts.list, self.plan.near);
        for (number, twin) in twins.into_iter().enumerate() {
            if let Some(Twin { reason, same_as }) = twin {
                self.drop(number, reason, Some(same_as as usize))?;
            }
        }
        Ok(near_other_label.len() as u64)
    }

    /// Draws the test part out of what is kept.
    fn draw_test(&mut self) {
        let (facts, seed) = (&self.facts, self.plan.seed);
        let kept: Vec<usize> = (0..facts.list.len()).filter(|&number| self.verdicts[number] == Verdict::Keep).collect();
        let member = |&number: &usize| -> Member {
            let fact = &facts.list[number];
            match fact.subject {
                Some(subject) => (subject_hash(facts.subject(subject), seed), None),
                None => (salted(fact, seed), Some(usize::from(fact.label))),
            }
        };
        let members: Vec<Member> = kept.iter().map(member).collect();
        for (number, is_test) in kept.into_iter().zip(draw(&members, self.plan.test_share)) {
            if is_test {
                self.verdicts[number] = Verdict::Test;
            }
        }
    }

    /// Balances the training part; gives how often its faces would have to be shown, if that was asked for.
    fn balance(&mut self) -> anyhow::Result<Option<BTreeMap<String, f64>>> {
        let mut numbers: Vec<Vec<u32>> = vec![Vec::new(); self.plan.labels.len()];
        for (number, (fact, verdict)) in self.facts.list.iter().zip(&self.verdicts).enumerate() {
            if *verdict == Verdict::Keep && fact.usage == Usage::Training {
                numbers[usize::from(fact.label)].push(number as u32);
            }
        }
        let counts: Vec<u64> = numbers.iter().map(|numbers| numbers.len() as u64).collect();
        let Some(target) = target(self.plan.balance, &counts, self.plan.per_class) else { return Ok(None) };
        if self.plan.balance == Balance::Up {
            let names = self.plan.labels.iter().map(|label| label.name().to_owned());
            return Ok(Some(names.zip(repeats(&counts, target)).collect()));
        }
        for numbers in numbers {
            let key = |number: u32| (salted(&self.facts.list[number as usize], self.plan.seed), number);
            for number in surplus(numbers.into_iter().map(key).collect(), target) {
                self.drop(number as usize, Reason::Balance, None)?;
            }
        }
        Ok(None)
    }
}

/// A random but repeatable number of a picture.
fn salted(fact: &Fact, seed: u64) -> PictureHash {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(fact.fingerprint.exact);
    hash.finalize().into()
}

fn classes(labels: &LabelSet, facts: &Facts, verdicts: &[Verdict]) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mut classes: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for (fact, verdict) in facts.list.iter().zip(verdicts) {
        let usage = match verdict {
            Verdict::Drop => continue,
            Verdict::Test => Usage::PublicTest,
            Verdict::Keep => fact.usage,
        };
        let label = labels.get(usize::from(fact.label)).map_or("", |label| label.name());
        *classes.entry(usage.name().to_owned()).or_default().entry(label.to_owned()).or_default() += 1;
    }
    classes
}
