//! `bundle.toml`: what a bundle says about itself. Schema 1.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::manifest_check::check;
use crate::{Alignment, BundleError, GateConfig, InputSpec, LabelSet, ModelChoice};

/// The schema that this program reads and writes.
pub const SCHEMA: u32 = 1;

/// The whole manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    /// Version of this file's form: 1.
    pub schema: u32,
    /// Name of the bundle, for people.
    pub name: String,
    /// Labels in the order of the models' outputs.
    pub labels: LabelSet,
    /// Below this probability the best score counts as "unsure"; 0 to 1.
    pub unsure_below: f32,
    /// What the models take.
    pub input: InputSpec,
    /// How faces are framed.
    pub align: Alignment,
    /// When a crop goes to the robust model.
    pub gate: GateConfig,
    /// The detector that the crops were framed for.
    pub detector: DetectorEntry,
    /// The golden pairs.
    pub golden: FileEntry,
    /// Where the models come from.
    pub provenance: Provenance,
    /// One clear and one robust model.
    pub models: Vec<ModelEntry>,
}

/// One model of a bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ModelEntry {
    /// What it is for.
    pub role: ModelChoice,
    /// File name inside the bundle.
    pub file: String,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// The logits are divided by it before softmax; above 0, 1 changes nothing.
    pub temperature: f32,
    /// Data set and treatment, for people.
    pub trained_on: String,
    /// Name of the network.
    pub network: String,
    /// Trained parameters.
    pub parameters: u64,
    /// Range of the gate's measure that it is meant for: from, to.
    pub blur_band: [f32; 2],
    /// What was measured, by name: `accuracy`, `macro-f1`, ...
    pub metrics: BTreeMap<String, f32>,
}

/// The detector of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum DetectorEntry {
    /// The one that the program carries.
    // Not a unit variant: those let unknown keys pass.
    Rustface {},
    /// A YuNet-format ONNX network.
    Yunet {
        /// File name inside the bundle.
        file: String,
        /// SHA-256 of the file, 64 hexadecimal digits.
        sha256: String,
    },
}

/// A file of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FileEntry {
    /// File name inside the bundle.
    pub file: String,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
}

/// How the models came to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Provenance {
    /// Seed of the training; at most 2^63 - 1, as TOML has no larger number.
    pub seed: u64,
    /// Name of the data set.
    pub data: String,
    /// SHA-256 of the data as read.
    pub data_sha256: String,
    /// The command line.
    pub command: String,
    /// Commit of this project.
    pub commit: String,
    /// Day of the training, `YYYY-MM-DD`.
    pub date: String,
}

impl Manifest {
    /// Reads and checks the text of a `bundle.toml`; `path` is for messages.
    ///
    /// # Errors
    /// No TOML, another schema, an unknown or missing key, or a value out of its range;
    /// each with the place or the key.
    pub fn parse(text: &str, path: &Path) -> Result<Self, BundleError> {
        let syntax = |e: toml::de::Error| BundleError::Syntax {
            path: path.to_owned(),
            place: e.span().map_or_else(String::new, |span| place(text, span.start)),
            cause: e.message().to_owned(),
        };
        // The schema first: of another one nothing else can be told.
        let table: toml::Table = text.parse().map_err(syntax)?;
        let schema = table.get("schema").cloned();
        if schema != Some(toml::Value::Integer(SCHEMA.into())) {
            return Err(BundleError::Schema {
                path: path.to_owned(),
                found: schema.map_or_else(|| "none".into(), |s| s.to_string()),
                expected: SCHEMA,
            });
        }
        let manifest: Self = toml::from_str(text).map_err(syntax)?;
        check(&manifest, path)?;
        Ok(manifest)
    }

    /// The text of the `bundle.toml`.
    ///
    /// # Errors
    /// None for a manifest that [`Manifest::parse`] would take.
    pub fn to_toml(&self) -> Result<String, BundleError> {
        toml::to_string(self).map_err(|e| BundleError::Syntax {
            path: "bundle.toml".into(),
            place: String::new(),
            cause: e.to_string(),
        })
    }

    /// The model of a role; `None` only in a manifest that was not checked.
    pub fn model(&self, role: ModelChoice) -> Option<&ModelEntry> {
        self.models.iter().find(|m| m.role == role)
    }

    /// File name and hash of every file that belongs to the bundle.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let detector = match &self.detector {
            DetectorEntry::Rustface {} => None,
            DetectorEntry::Yunet { file, sha256 } => Some((file.as_str(), sha256.as_str())),
        };
        let golden = (self.golden.file.as_str(), self.golden.sha256.as_str());
        let models = self.models.iter();
        models.map(|m| (m.file.as_str(), m.sha256.as_str())).chain([golden]).chain(detector)
    }

    /// The same files, the hashes to be filled in.
    pub(crate) fn files_mut(&mut self) -> impl Iterator<Item = (&str, &mut String)> {
        let detector = match &mut self.detector {
            DetectorEntry::Rustface {} => None,
            DetectorEntry::Yunet { file, sha256 } => Some((file.as_str(), sha256)),
        };
        let golden = (self.golden.file.as_str(), &mut self.golden.sha256);
        let models = self.models.iter_mut();
        models.map(|m| (m.file.as_str(), &mut m.sha256)).chain([golden]).chain(detector)
    }
}

/// `:line:column` of a byte of `text`, both from 1.
fn place(text: &str, byte: usize) -> String {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!(":{line}:{column}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_bundle::manifest;

    fn parse(text: &str) -> Result<Manifest, BundleError> {
        Manifest::parse(text, Path::new("bundle.toml"))
    }

    #[test]
    fn mistakes_are_placed() {
        let text = manifest().to_toml().unwrap();
        let line = text.lines().position(|l| l.starts_with("threshold")).unwrap() + 1;
        let error = parse(&text.replace("threshold", "treshold")).unwrap_err();
        let start = format!("bundle.toml:{line}:1: unknown field `treshold`");
        assert!(error.to_string().starts_with(&start), "{error}");

        let error = parse("schema = 1\nname = \"open").unwrap_err().to_string();
        assert!(error.starts_with("bundle.toml:2:"), "{error}");
    }

    #[test]
    fn unknown_keys_are_refused_in_every_table() {
        let text = manifest().to_toml().unwrap();
        // In the table of metrics any name is a metric.
        let is_table = |l: &&str| l.starts_with('[') && !l.contains("metrics");
        for header in text.lines().filter(is_table) {
            let with = text.replace(header, &format!("{header}\nsurplus = 1"));
            let error = parse(&with).unwrap_err().to_string();
            assert!(error.contains("surplus"), "{header}: {error}");
        }
        assert!(parse(&format!("surplus = 1\n{text}")).is_err());
    }

    #[test]
    fn another_schema_is_told_before_anything_else() {
        let error = parse("schema = 2\nnew-key = 7").unwrap_err().to_string();
        assert!(error.contains("schema 2") && error.contains("schema 1"), "{error}");
        assert!(parse("").unwrap_err().to_string().contains("schema none"));
    }

    proptest! {
        #[test]
        fn the_text_is_read_back(
            seed in 0..=i64::MAX as u64, name in "\\PC{1,20}", command in any::<String>(),
            threshold in 0f32..1e6, hysteresis in 0f32..0.99, temperature in 1e-2f32..1e2,
            metrics in prop::collection::btree_map("[a-z.\"-]{1,9}", -1e6f32..1e6, 0..5),
            side in 8usize..512, yunet: bool,
        ) {
            let mut manifest = manifest();
            manifest.provenance.seed = seed;
            manifest.name = name;
            manifest.provenance.command = command;
            manifest.gate.threshold = threshold;
            manifest.gate.hysteresis = hysteresis;
            manifest.input.side = side;
            manifest.models[1].temperature = temperature;
            manifest.models[0].metrics = metrics;
            manifest.models[0].blur_band[1] = f32::INFINITY;
            if yunet {
                let (file, sha256) = ("d.onnx".into(), "0f".repeat(32));
                manifest.detector = DetectorEntry::Yunet { file, sha256 };
            }
            let text = manifest.to_toml().unwrap();
            prop_assert_eq!(parse(&text).unwrap(), manifest);
        }

        #[test]
        fn no_text_makes_it_panic(at: prop::sample::Index, byte: u8) {
            let text = manifest().to_toml().unwrap();
            let mut bytes = text.clone().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = parse(&String::from_utf8_lossy(&bytes));
            let _ = parse(&text[..at]);
        }
    }
}
