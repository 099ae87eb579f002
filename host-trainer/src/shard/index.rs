//! `shards.json`: what a folder of shards holds.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use models::LabelSet;
use serde::{Deserialize, Serialize};

use super::SCHEMA;
use crate::failure::bad_input;

/// Name of the file.
pub const FILE: &str = "shards.json";

/// A prepared data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What the labels mean.
    pub labels: LabelSet,
    /// Width and height of every face, px.
    pub side: usize,
    /// Faces in all shards.
    pub records: u64,
    /// Faces by part of the data set and label.
    pub classes: BTreeMap<String, BTreeMap<String, u64>>,
    /// How often the training faces of each label would have to be shown for equal numbers; only if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<BTreeMap<String, f64>>,
    /// The settings that it was prepared with.
    pub plan: serde_json::Value,
    /// The shards, in the order of the data set.
    pub shards: Vec<ShardFile>,
}

/// One shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardFile {
    /// Name of the file, beside the index.
    pub file: String,
    /// Faces in it.
    pub records: usize,
    /// SHA-256 of the file in lower-case hexadecimal.
    pub sha256: String,
}

impl Index {
    /// Reads the index of the folder; gives its bytes too.
    ///
    /// # Errors
    /// Bad input: it is not there, is no index, or of another schema.
    pub fn read(folder: &Path) -> anyhow::Result<(Self, Vec<u8>)> {
        let path = folder.join(FILE);
        let refuse = |what: String| bad_input(format!("{}: {what}", path.display()));
        let bytes = fs::read(&path).map_err(|error| refuse(format!("cannot be read: {error}")))?;
        let index: Index = serde_json::from_slice(&bytes).map_err(|error| refuse(format!("{error}; prepare again")))?;
        if index.schema != SCHEMA {
            let what = format!("is of schema {}, this program knows {SCHEMA}; prepare the data again", index.schema);
            return Err(refuse(what));
        }
        // A file of the folder and nothing else.
        let is_name =
            |shard: &ShardFile| Path::new(&shard.file).file_name().is_some_and(|name| name == shard.file.as_str());
        if let Some(shard) = index.shards.iter().find(|shard| !is_name(shard)) {
            return Err(refuse(format!("`{}` is not the name of a shard; prepare again", shard.file)));
        }
        Ok((index, bytes))
    }
}
