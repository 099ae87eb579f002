//! One labelled face and the data set it belongs to.

use std::path::PathBuf;

use clap::ValueEnum;
use models::{GrayImage, LabelSet};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The part of FER-2013 that a sample belongs to. Folders of pictures are all `Training`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Usage {
    /// For training; the validation set is split out of it.
    Training,
    /// For reporting while the work goes on; never for tuning.
    PublicTest,
    /// For the final figure only.
    PrivateTest,
}

/// Which parts of a data set a command works on.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum UsageFilter {
    /// Only the training samples.
    Training,
    /// Only the public test samples.
    #[default]
    PublicTest,
    /// Only the private test samples.
    PrivateTest,
    /// Every sample.
    All,
}

impl UsageFilter {
    /// Whether samples of this usage are wanted.
    pub fn accepts(self, usage: Usage) -> bool {
        match self {
            UsageFilter::Training => usage == Usage::Training,
            UsageFilter::PublicTest => usage == Usage::PublicTest,
            UsageFilter::PrivateTest => usage == Usage::PrivateTest,
            UsageFilter::All => true,
        }
    }

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            UsageFilter::Training => "training",
            UsageFilter::PublicTest => "public-test",
            UsageFilter::PrivateTest => "private-test",
            UsageFilter::All => "all",
        }
    }
}

/// One labelled face.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Where it came from: the line of the file, 1-based and the header included; in a folder, the 1-based place of
    /// the picture among all pictures in order of their names.
    pub row: u64,
    /// The part of the data set it belongs to.
    pub usage: Usage,
    /// Its label, an index into [`DataSet::labels`].
    pub label: usize,
    /// The picture, [`DataSet::side`] px wide and high.
    pub face: GrayImage,
}

/// All samples of one file or folder, in its order.
#[derive(Clone, Debug)]
pub struct DataSet {
    /// The file or folder that was read.
    pub path: PathBuf,
    /// SHA-256 in lower-case hexadecimal: of the file's bytes, or of a folder's sorted names and contents.
    pub sha256: String,
    /// What the labels of the samples mean.
    pub labels: LabelSet,
    /// Width and height of every face, px.
    pub side: usize,
    /// The samples.
    pub samples: Vec<Sample>,
}

impl DataSet {
    /// The samples of the wanted usage, in order; empty if there are none.
    pub fn select(&self, filter: UsageFilter) -> Vec<&Sample> {
        self.samples.iter().filter(|sample| filter.accepts(sample.usage)).collect()
    }
}

/// SHA-256 of `bytes` in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_sha256() {
        // The first test vector of FIPS 180-2.
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn filters_know_their_usages() {
        assert!(UsageFilter::All.accepts(Usage::PrivateTest));
        assert!(UsageFilter::PublicTest.accepts(Usage::PublicTest));
        assert!(!UsageFilter::PublicTest.accepts(Usage::Training));
    }
}
