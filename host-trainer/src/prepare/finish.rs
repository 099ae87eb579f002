//! The end: the report and the index, without which the folder is no data set.

use std::fmt;

use super::decisions::{Decisions, Summary};
use super::plan::Plan;
use super::work::{Work, put};
use crate::shard::SCHEMA;
use crate::shard::index::{FILE, Index, ShardFile};

/// Name of the report.
const REPORT: &str = "report.json";

/// Writes report and index and removes what only the work needed.
///
/// # Errors
/// The disk refuses.
pub fn finish(work: Work, plan: &Plan, decisions: &Decisions, shards: Vec<ShardFile>) -> anyhow::Result<Index> {
    let summary = &decisions.summary;
    let index = Index {
        schema: SCHEMA,
        labels: plan.labels.clone(),
        side: plan.side,
        records: summary.kept,
        classes: summary.classes.clone(),
        repeats: summary.repeats.clone(),
        plan: serde_json::to_value(plan)?,
        shards,
    };
    put(&work.result(REPORT), &json(summary)?)?;
    put(&work.result(FILE), &json(&index)?)?;
    work.clear()?;
    Ok(index)
}

fn json(value: &impl serde::Serialize) -> anyhow::Result<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(value)?;
    json.push(b'\n');
    Ok(json)
}

/// The figures for the terminal.
pub struct Table<'a> {
    /// The data set.
    pub index: &'a Index,
    /// What became of all pictures.
    pub summary: &'a Summary,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { pictures, kept, dropped, left_out, near_with_other_label, classes, subjects, .. } = self.summary;
        writeln!(f, "{pictures} pictures, {kept} faces kept in {} shards", self.index.shards.len())?;
        for (reason, count) in dropped {
            writeln!(f, "  dropped    {count:>9} {reason}")?;
        }
        for (why, count) in left_out {
            writeln!(f, "  left out   {count:>9} {why}")?;
        }
        if *near_with_other_label > 0 {
            writeln!(f, "  kept though {near_with_other_label:>8} are near to one of another label")?;
        }
        if *subjects > 0 {
            writeln!(f, "  subjects   {subjects:>9}")?;
        }
        for (usage, labels) in classes {
            let labels: Vec<String> = labels.iter().map(|(label, count)| format!("{label} {count}")).collect();
            writeln!(f, "  {usage:<12} {}", labels.join(", "))?;
        }
        Ok(())
    }
}
