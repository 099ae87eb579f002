//! What was found: report.json, and the summary on the terminal.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use models::LabelSet;
use serde::Serialize;

use super::compare::Comparison;
use super::scan::Scan;
use crate::COMMIT;
use crate::clean::Reason;
use crate::clean::duplicates::{self, Duplicates, NEAR_DISTANCE};
use crate::reader::Reader;
use crate::report::histogram::Histogram;
use crate::report::settings::command_line;

/// Sizes and duplicates that are named; all are counted.
const NAMED: usize = 20;

/// All findings.
#[derive(Serialize)]
pub struct Findings {
    /// The command line.
    pub command: String,
    /// Version of the trainer.
    pub version: &'static str,
    /// Commit it was built from.
    pub commit: &'static str,
    /// The data set.
    pub data: PathBuf,
    /// SHA-256 of a data set that is one file.
    pub sha256: Option<String>,
    /// Pictures that could be read.
    pub pictures: u64,
    /// Bad ones that were passed over.
    pub bad: u64,
    /// Pictures that the data set itself says are of no use, by what it says.
    pub left_out: BTreeMap<&'static str, u64>,
    /// Pictures of one shade.
    pub blank: u64,
    /// People or videos that are known.
    pub subjects: usize,
    /// What the labels mean.
    pub labels: LabelSet,
    /// Pictures by part of the data set, one number for each label.
    pub classes: BTreeMap<&'static str, Vec<u64>>,
    /// The most frequent sizes.
    pub sizes: Vec<Size>,
    /// How many sizes there are.
    pub size_count: usize,
    /// What is there more than once.
    pub duplicates: DuplicateFindings,
    /// Variance of the Laplacian at 48 px.
    pub sharpness: Histogram,
    /// Mean brightness, 0..=255.
    pub brightness: Histogram,
    /// The labels against other ones.
    pub comparison: Option<Comparison>,
}

/// Pictures of one size.
#[derive(Serialize)]
pub struct Size {
    /// Width, px.
    pub width: usize,
    /// Height, px.
    pub height: usize,
    /// How many there are.
    pub pictures: u64,
}

/// What is there more than once. Every picture counts once, in the first of the cases that it is.
#[derive(Serialize)]
pub struct DuplicateFindings {
    /// Training pictures that are the same as a picture of a test part, or all but the same.
    pub in_test_part: u64,
    /// Training pictures whose pixels occur under another label too.
    pub conflicting_labels: u64,
    /// Training pictures that an earlier one is the same as.
    pub exact: u64,
    /// Training pictures that an earlier one of the same label is all but the same as.
    pub near: u64,
    /// Training pictures that an earlier one of another label is all but the same as.
    pub near_other_label: u64,
    /// Bits of 64 that near ones differ in at most.
    pub near_distance: u32,
    /// The first of each case.
    pub examples: Vec<Example>,
}

/// A picture and another one that it is like.
#[derive(Serialize)]
pub struct Example {
    /// The case.
    pub reason: &'static str,
    /// The picture.
    pub place: String,
    /// The other one.
    pub same_as: String,
}

impl Findings {
    /// Puts together what a scan saw.
    pub fn of(data: &Path, reader: &dyn Reader, scan: &Scan, comparison: Option<Comparison>) -> Self {
        let labels = reader.labels().clone();
        let mut classes: BTreeMap<&'static str, Vec<u64>> = BTreeMap::new();
        for fact in &scan.facts.list {
            classes.entry(fact.usage.name()).or_insert_with(|| vec![0; labels.len()])[usize::from(fact.label)] += 1;
        }
        let mut sizes: Vec<Size> =
            scan.sizes.iter().map(|(&(width, height), &pictures)| Size { width, height, pictures }).collect();
        sizes.sort_by_key(|size| std::cmp::Reverse(size.pictures));
        sizes.truncate(NAMED);
        Self {
            command: command_line(),
            version: env!("CARGO_PKG_VERSION"),
            commit: COMMIT,
            data: data.to_owned(),
            sha256: reader.file_sha256(),
            pictures: scan.rows.len() as u64,
            bad: scan.bad,
            left_out: reader.left_out(),
            blank: scan.blank,
            subjects: scan.facts.subjects(),
            labels,
            classes,
            sizes,
            size_count: scan.sizes.len(),
            duplicates: DuplicateFindings::of(scan, &duplicates::find(&scan.facts.list, Some(NEAR_DISTANCE))),
            sharpness: Histogram::of(&scan.sharpness, (0..=14).map(|power| f64::from(1_u32 << power)).collect()),
            brightness: Histogram::of(&scan.brightness, (0..=16).map(|step| f64::from(step) * 16.0).collect()),
            comparison,
        }
    }
}

impl DuplicateFindings {
    fn of(scan: &Scan, found: &Duplicates) -> Self {
        let mut counts: BTreeMap<Reason, u64> = BTreeMap::new();
        let mut examples = Vec::new();
        let example = |reason, number: u32, same_as: u32| Example {
            reason,
            place: scan.facts.name(number as usize).to_owned(),
            same_as: scan.facts.name(same_as as usize).to_owned(),
        };
        for (number, twin) in found.twins.iter().enumerate() {
            let Some(twin) = twin else { continue };
            let count = counts.entry(twin.reason).or_default();
            *count += 1;
            if *count <= NAMED as u64 {
                examples.push(example(twin.reason.name(), number as u32, twin.same_as));
            }
        }
        let others = found.near_other_label.iter().take(NAMED);
        examples.extend(others.map(|&(number, other)| example("near-other-label", number, other)));
        examples.sort_by_key(|example| example.reason);
        let count = |reason| counts.get(&reason).copied().unwrap_or(0);
        Self {
            in_test_part: count(Reason::InTestPart),
            conflicting_labels: count(Reason::ConflictingLabels),
            exact: count(Reason::ExactDuplicate),
            near: count(Reason::NearDuplicate),
            near_other_label: found.near_other_label.len() as u64,
            near_distance: NEAR_DISTANCE,
            examples,
        }
    }

    /// Each case with its count.
    pub fn cases(&self) -> [(&'static str, u64); 5] {
        [
            ("same as in a test part", self.in_test_part),
            ("same pixels, other label", self.conflicting_labels),
            ("exact duplicate", self.exact),
            ("near duplicate", self.near),
            ("near, other label", self.near_other_label),
        ]
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} pictures, {} bad, {} of one shade, {} sizes",
            self.pictures, self.bad, self.blank, self.size_count
        )?;
        for (why, count) in &self.left_out {
            writeln!(f, "  left out: {count} {why}")?;
        }
        for (usage, counts) in &self.classes {
            let counts: Vec<String> =
                self.labels.iter().zip(counts).map(|(label, count)| format!("{label} {count}")).collect();
            writeln!(f, "  {usage}: {}", counts.join(", "))?;
        }
        for (case, count) in self.duplicates.cases() {
            writeln!(f, "  {case}: {count}")?;
        }
        writeln!(
            f,
            "  median sharpness {:.0}, median brightness {:.0}",
            self.sharpness.median, self.brightness.median
        )?;
        if let Some(comparison) = &self.comparison {
            let Comparison { rows_name, columns_name, agreement, .. } = comparison;
            writeln!(f, "  labels {rows_name} and {columns_name} agree on {:.1} %", 100.0 * agreement)?;
        }
        Ok(())
    }
}
