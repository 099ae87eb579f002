//! The third stage: parts -> shards without what is dropped.

use std::fs;

use anyhow::Context;

use super::decisions::{Decisions, Verdict};
use super::work::{Work, get_shard, put_shard, shard_name};
use crate::progress::Counter;
use crate::sample::Usage;
use crate::shard::Record;
use crate::shard::index::ShardFile;

/// Makes a shard of every part whose shard is not there yet, and removes the part.
///
/// # Errors
/// A part or shard that does not hold, a disk that refuses.
pub fn write(work: &Work, decisions: &Decisions) -> anyhow::Result<Vec<ShardFile>> {
    let mut meter = Counter::new("write", "shards");
    let mut shards = Vec::with_capacity(decisions.parts.len());
    for (number, verdicts) in decisions.parts.iter().enumerate() {
        let (part, path) = (work.part(number), work.shard(number));
        let (records, sha256) = if path.exists() {
            let (shard, sha256) = get_shard(&path)?;
            meter.pass(1);
            (shard.records.len(), sha256)
        } else {
            let (mut shard, _) = get_shard(&part)?;
            shard.records = shard.records.into_iter().zip(verdicts).filter_map(carried_out).collect();
            shard.header.records = shard.records.len();
            shard.header.dropped.clear();
            let sha256 = put_shard(&path, &shard)?;
            meter.add(1);
            (shard.records.len(), sha256)
        };
        if part.exists() {
            fs::remove_file(&part).with_context(|| format!("cannot remove {}", part.display()))?;
        }
        shards.push(ShardFile { file: shard_name(number), records, sha256 });
    }
    meter.finish();
    Ok(shards)
}

/// What a verdict makes of a face.
fn carried_out((record, verdict): (Record, &Verdict)) -> Option<Record> {
    match verdict {
        Verdict::Keep => Some(record),
        Verdict::Test => Some(Record { usage: Usage::PublicTest, ..record }),
        Verdict::Drop => None,
    }
}
