//! The folder of a preparation while it is going on: `work/` in it holds the plan, a lock, finished parts and the
//! decisions. Every file appears whole or not at all.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::decisions::Decisions;
use super::plan::Plan;
use crate::failure::bad_input;
use crate::lock::lock;
use crate::sample::sha256_hex;
use crate::shard::index::{FILE, Index};
use crate::shard::{Shard, decode, encode};
use crate::whole;

const FOLDER: &str = "work";
const PLAN: &str = "plan.json";
const DECISIONS: &str = "decisions.json";

/// A preparation in its folder, which is locked.
pub struct Work {
    out: PathBuf,
    folder: PathBuf,
    _lock: File,
}

impl Work {
    /// Begins a preparation in `out`, or goes on with one. None if this very plan was carried out there before.
    ///
    /// # Errors
    /// Bad input: other things are there, another plan, another process. A failure: it cannot be written.
    pub fn begin(out: &Path, plan: &Plan) -> anyhow::Result<Option<Self>> {
        let folder = out.join(FOLDER);
        let other = |what: &str| bad_input(format!("{} {what}; name another folder with --out", out.display()));
        if out.join(FILE).exists() {
            let (index, _) = Index::read(out)?;
            return if index.plan == serde_json::to_value(plan)? {
                Ok(None)
            } else {
                Err(other("holds data that was prepared with other settings"))
            };
        }
        if !folder.exists() && !is_empty(out)? {
            return Err(other("holds other things"));
        }
        let lock = lock(&folder, "--out")?;
        let work = Self { out: out.to_path_buf(), folder, _lock: lock };
        match work.read_json::<Plan>(PLAN)? {
            Some(begun) if begun != *plan => {
                return Err(other("holds a preparation with other settings that is not finished"));
            }
            Some(_) => {}
            None => work.write_json(PLAN, plan)?,
        }
        Ok(Some(work))
    }

    /// The file of part `number`, from 0.
    pub fn part(&self, number: usize) -> PathBuf {
        self.folder.join(format!("part-{number:05}.bin"))
    }

    /// The file of the shard that part `number` becomes.
    pub fn shard(&self, number: usize) -> PathBuf {
        self.out.join(shard_name(number))
    }

    /// A file of the result.
    pub fn result(&self, name: &str) -> PathBuf {
        self.out.join(name)
    }

    /// What was decided, if it was.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn decisions(&self) -> anyhow::Result<Option<Decisions>> {
        self.read_json(DECISIONS)
    }

    /// Keeps what was decided.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn keep_decisions(&self, decisions: &Decisions) -> anyhow::Result<()> {
        self.write_json(DECISIONS, decisions)
    }

    /// Removes what only the work needed.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn clear(self) -> anyhow::Result<()> {
        fs::remove_dir_all(&self.folder).with_context(|| format!("cannot remove {}", self.folder.display()))
    }

    fn read_json<T: DeserializeOwned>(&self, name: &str) -> anyhow::Result<Option<T>> {
        let path = self.folder.join(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let cure = "it is not of this program's version or damaged; remove the folder and begin anew";
        let value = serde_json::from_slice(&bytes)
            .map_err(|error| bad_input(format!("{}: {error}; {cure}", path.display())))?;
        Ok(Some(value))
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> anyhow::Result<()> {
        put(&self.folder.join(name), &serde_json::to_vec(value)?)
    }
}

/// The name of a shard.
pub fn shard_name(number: usize) -> String {
    format!("shard-{number:05}.bin")
}

/// Writes a file that appears whole or not at all.
///
/// # Errors
/// The disk refuses; the error says that the same command goes on from here.
pub fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    whole::put(path, bytes).context("what was finished is kept, and the same command goes on from there")
}

/// Writes a shard; gives its SHA-256.
///
/// # Errors
/// The disk refuses.
pub fn put_shard(path: &Path, shard: &Shard) -> anyhow::Result<String> {
    let bytes = encode(shard)?;
    put(path, &bytes)?;
    Ok(sha256_hex(&bytes))
}

/// Reads a shard; gives its SHA-256 too.
///
/// # Errors
/// It cannot be read, or does not hold.
pub fn get_shard(path: &Path) -> anyhow::Result<(Shard, String)> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let shard = decode(&bytes).map_err(|what| {
        bad_input(format!("{}: {what}\n  remove this file, and the same command makes it anew", path.display()))
    })?;
    Ok((shard, sha256_hex(&bytes)))
}

fn is_empty(folder: &Path) -> anyhow::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", folder.display())),
    }
}
