//! One labelled face and the data set it belongs to.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
#[cfg(test)]
use models::GrayImage;
use models::{Expression, LabelSet};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::face::Face;
use crate::failure::bad_input;

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
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
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
    pub face: Face,
}

impl Sample {
    /// A sample with one label and no known subject.
    #[cfg(test)]
    pub fn new(row: u64, usage: Usage, label: usize, face: GrayImage) -> Self {
        Sample { row, usage, label, soft: None, subject: None, face: face.into() }
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
    /// Whether training draws one label of every face in every epoch, by how likely it is, instead of aiming at all at once.
    pub draws_labels: bool,
    /// The samples.
    pub samples: Vec<Sample>,
}

impl Sample {
    /// How likely each of so many labels is: what people said, or all for the one label.
    pub fn distribution(&self, classes: usize) -> Vec<f32> {
        match &self.soft {
            Some(soft) => soft.to_vec(),
            None => (0..classes).map(|label| if label == self.label { 1.0 } else { 0.0 }).collect(),
        }
    }
}

impl DataSet {
    /// The samples of the wanted usage, in order; empty if there are none.
    pub fn select(&self, filter: UsageFilter) -> Vec<&Sample> {
        self.samples.iter().filter(|sample| filter.accepts(sample.usage)).collect()
    }

    /// Leaves the first few faces of every expression in every part.
    pub fn keep_few(&mut self) {
        const OF_EACH: usize = 8;
        let mut kept: BTreeMap<(Usage, usize), usize> = BTreeMap::new();
        self.samples.retain(|sample| {
            let count = kept.entry((sample.usage, sample.label)).or_default();
            *count += 1;
            *count <= OF_EACH
        });
    }

    /// The data set without the faces of some expressions; the other labels keep their order.
    ///
    /// # Errors
    /// An expression that the data does not have, or fewer than two that are left.
    pub fn without(mut self, dropped: &[Expression]) -> anyhow::Result<Self> {
        if let Some(unknown) = dropped.iter().find(|&&expression| self.labels.index_of(expression).is_none()) {
            return Err(bad_input(format!("drop-classes: {} has no `{unknown}`", self.path.display())));
        }
        let kept: Vec<Expression> = self.labels.iter().filter(|label| !dropped.contains(label)).collect();
        let labels = LabelSet::new(kept).map_err(|error| bad_input(format!("drop-classes: {error}")))?;
        let old: Vec<Option<usize>> = labels.iter().map(|label| self.labels.index_of(label)).collect();
        self.samples.retain_mut(|sample| {
            let Some(label) = old.iter().position(|&index| index == Some(sample.label)) else { return false };
            sample.label = label;
            if let Some(soft) = &mut sample.soft {
                let share = |index: &Option<usize>| index.and_then(|index| soft.get(index)).copied().unwrap_or(0.0);
                let kept: Vec<f32> = old.iter().map(share).collect();
                let sum: f32 = kept.iter().sum();
                // Where nobody said anything that is left, there is only the label.
                sample.soft = (sum > 0.0).then(|| kept.iter().map(|share| share / sum).collect());
            }
            true
        });
        self.labels = labels;
        Ok(self)
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

    #[test]
    fn dropped_expressions_leave_the_others_in_order() {
        let sample = |label| Sample::new(2, Usage::Training, label, GrayImage::new(2, 2));
        let mut data = DataSet {
            path: "faces.csv".into(),
            sha256: String::new(),
            labels: LabelSet::fer2013(),
            side: 2,
            draws_labels: false,
            samples: (0..7).map(sample).collect(),
        };
        data.samples[0].soft = Some([0.5, 0.2, 0.3, 0.0, 0.0, 0.0, 0.0].into());
        let kept = data.clone().without(&[Expression::Disgust, Expression::Neutral]).unwrap();
        assert_eq!(kept.samples[0].distribution(5), [0.625, 0.375, 0.0, 0.0, 0.0]);
        assert_eq!(kept.samples[2].distribution(5), [0.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(
            kept.labels.iter().map(Expression::name).collect::<Vec<_>>(),
            ["angry", "fear", "happy", "sad", "surprise"]
        );
        assert_eq!(kept.samples.iter().map(|sample| sample.label).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert!(data.clone().without(&[Expression::Contempt]).is_err());
        assert!(data.without(&Expression::ALL[..6]).is_err());
    }
}
