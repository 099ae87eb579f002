//! What is kept of a data set and what is dropped, each with its reason. One file a reason.

pub mod balance;
pub mod blank;
pub mod duplicates;
mod exact;
pub mod facts;
pub mod fingerprint;
mod near;

use serde::{Deserialize, Serialize};

pub use self::exact::drop_duplicates;
pub use self::fingerprint::{PictureHash, picture_hash};

/// Why a picture is dropped.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It is no whole picture, or its line or shard is bad.
    Unreadable,
    /// It is of one shade.
    Blank,
    /// No face was found in it.
    NoFace,
    /// The same pixels occur under another label: nobody knows which is right, so that all copies are dropped.
    ConflictingLabels,
    /// An earlier picture has the same pixels and the same label.
    ExactDuplicate,
    /// It is all but the same as an earlier picture of the same label.
    NearDuplicate,
    /// It is for training, but the same as a picture of the data set's own test part, or all but the same.
    InTestPart,
    /// Its label has more pictures than were asked for.
    Balance,
}

/// Why a picture is dropped, and the number of the picture that it is like.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    /// Why.
    pub reason: Reason,
    /// The other one.
    pub same_as: u32,
}

impl Reason {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Unreadable => "unreadable",
            Reason::Blank => "blank",
            Reason::NoFace => "no-face",
            Reason::ConflictingLabels => "conflicting-labels",
            Reason::ExactDuplicate => "exact-duplicate",
            Reason::NearDuplicate => "near-duplicate",
            Reason::InTestPart => "in-test-part",
            Reason::Balance => "balance",
        }
    }
}
