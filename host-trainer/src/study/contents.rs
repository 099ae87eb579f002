//! What the report of a study says: report.json, and what its page is made of.

use serde::Serialize;

use super::compare::Row;
use super::record::Record;

/// All of it.
#[derive(Serialize)]
pub struct Report<'a> {
    /// Name of the study's folder.
    pub study: &'a str,
    /// What it is called.
    pub title: &'a str,
    /// Where the published figures are from.
    pub source: Option<&'a str>,
    /// What has to be known to compare them.
    pub note: Option<&'a str>,
    /// Whether a figure of ours is of a quick run, and worth nothing.
    pub quick: bool,
    /// Our figures beside the published ones.
    pub rows: Vec<Row>,
    /// Every trial.
    pub trials: Vec<TrialPart<'a>>,
    /// The command line.
    pub command: String,
    /// Commit of the trainer that made the report.
    pub commit: &'static str,
}

/// A trial and what it reached.
#[derive(Serialize)]
pub struct TrialPart<'a> {
    /// Name of its file.
    pub id: &'a str,
    /// What it reached; none where it is not done.
    pub record: Option<&'a Record>,
    /// Why it is not.
    pub why: Option<&'a str>,
    /// The sheets of samples beside the report: test and file.
    pub sheets: Vec<(String, String)>,
}
