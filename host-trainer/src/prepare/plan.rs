//! Everything that decides what comes out of a preparation. It is kept beside the work, so that a run with other settings
//! does not go on with it.

use std::path::{Path, PathBuf};

use anyhow::Context;
use models::LabelSet;
use serde::{Deserialize, Serialize};

use super::PrepareArgs;
use crate::clean::balance::Balance;
use crate::failure::bad_input;
use crate::reader::Reader;
use crate::sample::sha256_hex;
use crate::shard::SCHEMA;

/// Bytes of pixels in a part at most, so that memory stays bounded.
const PART_BYTES: usize = 64 << 20;
/// Pictures in a part at most.
const PART_PICTURES: usize = 8192;

/// The settings of a preparation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The form of the shards.
    pub schema: u32,
    /// The data set.
    pub data: PathBuf,
    /// The options that say how it is read.
    pub read_as: String,
    /// What the labels mean.
    pub labels: LabelSet,
    /// Width and height of the faces, px.
    pub side: usize,
    /// Whether the faces were cut out already.
    pub aligned: bool,
    /// SHA-256 of the detector's network; None for the one that is built in.
    pub detector: Option<String>,
    /// Bits in which near duplicates differ at most; None keeps them.
    pub near: Option<u32>,
    /// How labels are balanced.
    pub balance: Balance,
    /// To which number.
    pub per_class: Option<u64>,
    /// Share of the test part.
    pub test_share: f32,
    /// Seed of the split and of the balance.
    pub seed: u64,
}

impl Plan {
    /// From the command line.
    ///
    /// # Errors
    /// Bad input: a path that cannot be used.
    pub fn of(args: &PrepareArgs, reader: &dyn Reader) -> anyhow::Result<Self> {
        let data = absolute(&args.data)?;
        if args.per_class.is_some() && args.balance == Balance::None {
            return Err(bad_input("--per-class: says nothing without --balance down or --balance up"));
        }
        Ok(Self {
            schema: SCHEMA,
            data,
            read_as: format!("{:?} {:?} {:?}", args.options.format, args.options.labels, args.options.votes),
            labels: reader.labels().clone(),
            side: args.side,
            aligned: args.aligned || (reader.side().is_some() && args.detector.is_none()),
            detector: args.detector.as_deref().map(hash).transpose()?,
            near: (!args.keep_near).then_some(args.near),
            balance: args.balance,
            per_class: args.per_class,
            test_share: args.test_share,
            seed: args.seed,
        })
    }

    /// Pictures that become one part.
    pub fn part_pictures(&self) -> usize {
        (PART_BYTES / (self.side * self.side)).min(PART_PICTURES)
    }
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    path.canonicalize().with_context(|| format!("cannot use {}", path.display()))
}

fn hash(path: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(path).map_err(|error| bad_input(format!("cannot read {}: {error}", path.display())))?;
    Ok(sha256_hex(&bytes))
}
