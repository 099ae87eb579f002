//! What a report says about how its figures came to be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use models::{BlurLevel, Bundle, DetectorEntry};
use serde::Serialize;

use crate::COMMIT;
use crate::sample::{DataSet, UsageFilter, sha256_hex};

/// All settings of an evaluation, and the hashes of what went into it.
#[derive(Serialize)]
pub struct Settings {
    /// What was measured on what.
    #[serde(flatten)]
    pub origin: Origin,
    /// How faces were blurred.
    pub degradation: &'static str,
    /// How much.
    pub levels: Vec<BlurLevel>,
    /// Resamples behind every interval.
    pub bootstrap_resamples: usize,
    /// Seed of the resampling.
    pub bootstrap_seed: u64,
    /// Bins of the expected calibration error.
    pub calibration_bins: usize,
}

/// Which program measured which bundle on which data.
#[derive(Serialize)]
pub struct Origin {
    /// The command line.
    pub command: String,
    /// Version of the trainer.
    pub version: String,
    /// Commit it was built from.
    pub commit: String,
    /// What was measured.
    pub bundle: BundleSettings,
    /// On what.
    pub data: DataSettings,
}

impl Origin {
    /// This program on a bundle, which lies at `path`, and a part of the data.
    pub fn of(path: &Path, bundle: &Bundle, data: &DataSet, usage: UsageFilter) -> Self {
        Origin {
            command: command_line(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: COMMIT.to_owned(),
            bundle: BundleSettings {
                path: path.to_owned(),
                name: bundle.manifest.name.clone(),
                sha256: bundle_hashes(bundle),
            },
            data: DataSettings { path: data.path.clone(), sha256: data.sha256.clone(), side_px: data.side, usage },
        }
    }
}

/// SHA-256 of every file of the bundle, the manifest too.
fn bundle_hashes(bundle: &Bundle) -> BTreeMap<String, String> {
    let manifest = &bundle.manifest;
    let mut names: Vec<&str> = manifest.models.iter().map(|model| model.file.as_str()).collect();
    names.extend(["bundle.toml", manifest.golden.file.as_str()]);
    if let DetectorEntry::Yunet { file, .. } = &manifest.detector {
        names.push(file);
    }
    let hash = |name: &str| bundle.file(name).map(|bytes| (name.to_owned(), sha256_hex(bytes)));
    names.into_iter().filter_map(hash).collect()
}

/// A bundle and its files.
#[derive(Serialize)]
pub struct BundleSettings {
    /// Where it lies.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// SHA-256 of each of its files.
    pub sha256: BTreeMap<String, String>,
}

/// A data set.
#[derive(Serialize)]
pub struct DataSettings {
    /// Where it lies.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Width and height of its pictures, px.
    pub side_px: usize,
    /// The part that was used.
    pub usage: UsageFilter,
}

/// The command line of this process, quoted for a shell where it must be. The program's folder is left out: it says
/// nothing about the result.
pub fn command_line() -> String {
    let arguments = std::env::args().skip(1).map(|argument| quoted(&argument));
    std::iter::once(env!("CARGO_BIN_NAME").to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// An argument as a shell reads it.
pub fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_for_a_shell() {
        assert_eq!(quoted("--out=a/b-1.csv"), "--out=a/b-1.csv");
        assert_eq!(quoted("my faces"), "'my faces'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
