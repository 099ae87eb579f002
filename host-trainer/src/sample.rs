//! One labelled face and the data set it belongs to.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use models::{GrayImage, LabelSet};
use rand::RngExt;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The part of a data set that a sample belongs to, by FER-2013's names. A data set without parts is all `Training`;
/// the only test part of one counts as `PublicTest`, of two the validation part does.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Usage {
    /// For training; the validation set is split out of it.
    Training,
    /// For reporting while the work goes on; never for tuning.
    PublicTest,
    /// For the final figure only.
    PrivateTest,
}

impl Usage {
    /// All parts.
    pub const ALL: [Usage; 3] = [Usage::Training, Usage::PublicTest, Usage::PrivateTest];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Usage::Training => "training",
            Usage::PublicTest => "public-test",
            Usage::PrivateTest => "private-test",
        }
    }
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
    /// How likely each label is, in the order of [`DataSet::labels`] and 1 in all, where several people were asked and
    /// training is to learn that.
    pub soft: Option<Arc<[f32]>>,
    /// Whom it shows, or the video it is from, where that is known: samples of one subject are never split.
    pub subject: Option<Arc<str>>,
    /// The picture, [`DataSet::side`] px wide and high.
    pub face: GrayImage,
}

impl Sample {
    /// A sample with one label and no known subject.
    #[cfg(test)]
    pub fn new(row: u64, usage: Usage, label: usize, face: GrayImage) -> Self {
        Sample { row, usage, label, soft: None, subject: None, face }
    }
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

impl Sample {
    /// The label that training shows this time: the sample's, or one drawn by how likely each is. Over the epochs that
    /// aims at all of them (Barsoum et al. 2016, probabilistic label drawing).
    pub fn lesson(&self, rng: &mut StdRng) -> usize {
        let Some(soft) = &self.soft else { return self.label };
        let mut left: f32 = rng.random();
        for (label, share) in soft.iter().enumerate() {
            left -= share;
            if left < 0.0 {
                return label;
            }
        }
        // The shares sum to 1 but for rounding.
        self.label
    }
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
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn the_hash_is_sha256() {
        // The first test vector of FIPS 180-2.
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn lessons_are_drawn_by_their_shares() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut sample = Sample::new(2, Usage::Training, 3, GrayImage::new(2, 2));
        assert_eq!(sample.lesson(&mut rng), 3);
        sample.soft = Some([0.0, 0.25, 0.0, 0.75].into());
        let drawn: Vec<usize> = (0..4000).map(|_| sample.lesson(&mut rng)).collect();
        let count = |label| drawn.iter().filter(|&&drawn| drawn == label).count();
        assert_eq!(count(1) + count(3), 4000);
        assert!((900..1100).contains(&count(1)), "{}", count(1));
    }

    #[test]
    fn filters_know_their_usages() {
        assert!(UsageFilter::All.accepts(Usage::PrivateTest));
        assert!(UsageFilter::PublicTest.accepts(Usage::PublicTest));
        assert!(!UsageFilter::PublicTest.accepts(Usage::Training));
    }
}
