//! The first stage: pictures -> faces with fingerprints, a part at a time.

use std::path::PathBuf;

use rayon::prelude::*;

use super::face::FaceCutter;
use super::plan::Plan;
use super::work::{Work, get_shard, put_shard};
use crate::clean::Reason;
use crate::clean::fingerprint::Fingerprint;
use crate::failure::bad_input;
use crate::progress::Counter;
use crate::reader::{Entry, Fault, Reader, Tolerance};
use crate::shard::{Dropped, Header, Range, Record, SCHEMA, Shard};

/// Pictures that are decoded and fingerprinted before the progress is told again.
const STEP: usize = 512;

/// How many parts there are, and what was bad.
pub struct Gathered {
    /// Parts that are on the disk.
    pub parts: usize,
    /// Entries in all of them.
    pub entries: u64,
}

/// What becomes of an entry.
enum Outcome {
    Record(Record),
    Dropped(Dropped),
    Bad(anyhow::Error),
}

/// Makes all parts that are not there yet. One is written while the next one is made.
///
/// # Errors
/// Bad input: too much that is bad, no picture at all, data that has changed since the work began. A failure: the disk or
/// the detector.
pub fn gather(
    work: &Work,
    plan: &Plan,
    reader: &mut dyn Reader,
    cutter: &FaceCutter,
    tolerance: &mut Tolerance,
) -> anyhow::Result<Gathered> {
    let mut meter = Counter::new("gather", "pictures");
    let mut gathered = Gathered { parts: 0, entries: 0 };
    let mut made: Option<(PathBuf, Shard)> = None;
    loop {
        let entries = next_entries(reader, plan.part_pictures())?;
        if entries.is_empty() {
            break;
        }
        gathered.entries += entries.len() as u64;
        let path = work.part(gathered.parts);
        gathered.parts += 1;
        if path.exists() {
            meter.pass(entries.len());
            tolerance.bad += bad_in_finished(&path, &entries)?;
            continue;
        }
        let (written, shard) =
            rayon::join(|| write(made.take()), || make(plan, entries, cutter, tolerance, &mut meter));
        written?;
        made = Some((path, shard?));
    }
    write(made)?;
    meter.finish();
    if gathered.entries == 0 {
        return Err(bad_input(format!("{}: there is no picture in it; check the path", plan.data.display())));
    }
    Ok(gathered)
}

fn next_entries(reader: &mut dyn Reader, count: usize) -> anyhow::Result<Vec<Result<Entry, anyhow::Error>>> {
    let mut entries = Vec::new();
    for entry in reader.take(count) {
        match entry {
            Ok(entry) => entries.push(Ok(entry)),
            Err(Fault::One(error)) => entries.push(Err(error)),
            Err(Fault::All(error)) => return Err(error),
        }
    }
    Ok(entries)
}

fn write(made: Option<(PathBuf, Shard)>) -> anyhow::Result<()> {
    if let Some((path, shard)) = made {
        put_shard(&path, &shard)?;
    }
    Ok(())
}

/// Checks that a finished part was made of these entries; gives how many of them were bad.
fn bad_in_finished(path: &std::path::Path, entries: &[Result<Entry, anyhow::Error>]) -> anyhow::Result<u64> {
    let (shard, _) = get_shard(path)?;
    if shard.header.range != range(entries) {
        let cure = "the data has changed since this preparation began; remove its folder and begin anew";
        return Err(bad_input(format!("{}: was made of other pictures: {cure}", path.display())));
    }
    let is_bad = |dropped: &&Dropped| dropped.reason == Reason::Unreadable;
    Ok(shard.header.dropped.iter().filter(is_bad).count() as u64)
}

fn range(entries: &[Result<Entry, anyhow::Error>]) -> Range {
    let place = |entry: Option<&Result<Entry, anyhow::Error>>| match entry {
        Some(Ok(entry)) => entry.place.clone(),
        Some(Err(error)) => error.to_string(),
        None => String::new(),
    };
    Range { entries: entries.len(), first: place(entries.first()), last: place(entries.last()) }
}

/// Makes a part, on all cores.
fn make(
    plan: &Plan,
    entries: Vec<Result<Entry, anyhow::Error>>,
    cutter: &FaceCutter,
    tolerance: &mut Tolerance,
    meter: &mut Counter,
) -> anyhow::Result<Shard> {
    let range = range(&entries);
    let (mut records, mut dropped) = (Vec::with_capacity(entries.len()), Vec::new());
    let mut entries = entries.into_iter();
    loop {
        let step: Vec<_> = entries.by_ref().take(STEP).collect();
        if step.is_empty() {
            break;
        }
        let count = step.len();
        let outcomes: Vec<_> = step.into_par_iter().with_min_len(4).map(|entry| outcome(entry, cutter)).collect();
        for outcome in outcomes {
            match outcome? {
                Outcome::Record(record) => records.push(record),
                Outcome::Dropped(picture) => dropped.push(picture),
                Outcome::Bad(error) => {
                    dropped.push(Dropped { place: error.to_string(), reason: Reason::Unreadable });
                    tolerance.pass(error)?;
                }
            }
        }
        meter.add(count);
    }
    let (side, labels) = (plan.side, plan.labels.clone());
    Ok(Shard { header: Header { schema: SCHEMA, side, labels, records: records.len(), range, dropped }, records })
}

fn outcome(entry: Result<Entry, anyhow::Error>, cutter: &FaceCutter) -> anyhow::Result<Outcome> {
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => return Ok(Outcome::Bad(error)),
    };
    let picture = match entry.picture.content().and_then(|content| content.decode()) {
        Ok(picture) => picture,
        Err(error) => return Ok(Outcome::Bad(error)),
    };
    let face = match cutter.cut(&picture)? {
        Ok(face) => face,
        Err(reason) => return Ok(Outcome::Dropped(Dropped { place: entry.place, reason })),
    };
    Ok(Outcome::Record(Record {
        row: entry.row,
        place: entry.place,
        usage: entry.usage,
        label: entry.label as u8,
        soft: entry.soft.map(|soft| soft.to_vec()),
        subject: entry.subject.map(|subject| subject.to_string()),
        fingerprint: Fingerprint::of(&face),
        pixels: face.pixels().to_vec(),
    }))
}
