//! What is decided about the faces of a data set, as it stands in the folder of a preparation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What happens to a face.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It stays in its part of the data set.
    #[serde(rename = "k")]
    Keep,
    /// It becomes part of the public test.
    #[serde(rename = "t")]
    Test,
    /// It is dropped.
    #[serde(rename = "d")]
    Drop,
}

/// What was decided about all faces.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Decisions {
    /// A verdict for each record of each part.
    pub parts: Vec<Vec<Verdict>>,
    /// The figures.
    pub summary: Summary,
}

/// How many pictures there were, and what became of them: `report.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Pictures in the data set's list, bad ones included.
    pub pictures: u64,
    /// Faces that are kept.
    pub kept: u64,
    /// Pictures dropped, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Pictures that the data set itself says are of no use, by what it says.
    pub left_out: BTreeMap<String, u64>,
    /// Kept faces that are near to another kept one of another label.
    pub near_with_other_label: u64,
    /// Kept faces by part of the data set and label.
    pub classes: BTreeMap<String, BTreeMap<String, u64>>,
    /// How many people or videos are known to be in the data set.
    pub subjects: usize,
    /// How often the training faces of each label would have to be shown for equal numbers.
    pub repeats: Option<BTreeMap<String, f64>>,
}
