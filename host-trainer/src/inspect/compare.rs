//! Two sets of labels of the same pictures against each other.

use std::collections::HashMap;

use models::LabelSet;
use serde::Serialize;

use super::scan::Scan;
use crate::reader::{DataOptions, Fault, Labels, Reader, Tolerance};

/// How often which label of the one set meets which of the other.
#[derive(Serialize)]
pub struct Comparison {
    /// What the rows are called.
    pub rows_name: String,
    /// What the columns are called.
    pub columns_name: String,
    /// Labels of the rows: the set that is inspected.
    pub rows: LabelSet,
    /// Labels of the columns: the other set.
    pub columns: LabelSet,
    /// Pictures by row and column.
    pub counts: Vec<Vec<u64>>,
    /// Pictures of each row that have no label in the other set.
    pub without: Vec<u64>,
    /// Share of the pictures with both labels whose labels mean the same, 0..=1.
    pub agreement: f64,
}

/// Reads the labels of `other`, whose rows are those of the scan; its pictures are not decoded again.
///
/// # Errors
/// The other labels do not hold.
pub fn compare(
    scan: &Scan,
    rows: &LabelSet,
    other: Box<dyn Reader>,
    options: &DataOptions,
    labels: Labels,
) -> anyhow::Result<Comparison> {
    let columns = other.labels().clone();
    let mut known: HashMap<u64, usize> = HashMap::new();
    // What is bad was named when the pictures were scanned.
    let mut tolerance = Tolerance::new(options.max_bad, 0);
    for entry in other {
        match entry {
            Ok(entry) => {
                known.insert(entry.row, entry.label);
            }
            Err(Fault::One(error)) => tolerance.pass(error)?,
            Err(Fault::All(error)) => return Err(error),
        }
    }
    let mut counts = vec![vec![0; columns.len()]; rows.len()];
    let mut without = vec![0; rows.len()];
    let (mut both, mut same) = (0_u64, 0_u64);
    for (row, fact) in scan.rows.iter().zip(&scan.facts.list) {
        let label = usize::from(fact.label);
        let Some(&column) = known.get(row) else {
            without[label] += 1;
            continue;
        };
        counts[label][column] += 1;
        both += 1;
        same += u64::from(rows.get(label) == columns.get(column));
    }
    let agreement = if both > 0 { same as f64 / both as f64 } else { 0.0 };
    let (rows_name, columns_name) = (options.labels.name().to_owned(), labels.name().to_owned());
    Ok(Comparison { rows_name, columns_name, rows: rows.clone(), columns, counts, without, agreement })
}
