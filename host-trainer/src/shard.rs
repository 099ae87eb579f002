//! Shards: files of some thousand faces ready for use, in a binary form of our own.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `MIENSHRD` |
//! | 4 | length of the header |
//! | | the header, JSON: [`Header`] |
//! | | the records, one after another |
//! | 32 | SHA-256 of all before |
//!
//! A record: row (8), part of the data set (1: 0 training, 1 public test, 2 private test), label (1), fingerprint (16 + 8 +
//! 8), place (2 for the length, then UTF-8), subject (the same; length 65535 means none), shares of the labels (1 for how
//! many, then 4 each as f32), pixels (side x side, row after row). All numbers are little-endian.

mod codec;
pub mod index;

use models::LabelSet;
use serde::{Deserialize, Serialize};

use crate::clean::Reason;
use crate::clean::fingerprint::Fingerprint;
use crate::sample::Usage;

pub use self::codec::{decode, encode, pixel_offsets};

/// The version of this form.
pub const SCHEMA: u32 = 1;
/// The largest faces, px.
pub const MAX_SIDE: usize = 1024;

/// What a shard holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Width and height of every face, px.
    pub side: usize,
    /// What the labels mean.
    pub labels: LabelSet,
    /// How many records there are.
    pub records: usize,
    /// What it was made of.
    pub range: Range,
    /// What did not become a record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<Dropped>,
}

/// A piece of a data set's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// How many entries it is long, bad ones included.
    pub entries: usize,
    /// Place of the first entry.
    pub first: String,
    /// Place of the last entry.
    pub last: String,
}

/// A picture that did not become a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dropped {
    /// Where it is.
    pub place: String,
    /// Why.
    pub reason: Reason,
}

/// One face.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its row in the data set that it comes from.
    pub row: u64,
    /// Its place there.
    pub place: String,
    /// Its part of the data set.
    pub usage: Usage,
    /// An index into the header's labels.
    pub label: u8,
    /// How likely each label is, where several people were asked.
    pub soft: Option<Vec<f32>>,
    /// Whom it shows, where that is known.
    pub subject: Option<String>,
    /// What it looks like.
    pub fingerprint: Fingerprint,
    /// Side x side gray pixels.
    pub pixels: Vec<u8>,
}

/// A shard in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Shard {
    /// What it holds.
    pub header: Header,
    /// The faces.
    pub records: Vec<Record>,
}
