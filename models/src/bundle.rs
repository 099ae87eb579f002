//! Opens and verifies a bundle: a folder with a `bundle.toml` and the files it names.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::golden::to_hex;
use crate::{BundleError, Classifier, GoldenSet, Manifest, ModelChoice, Recognizer};

/// Name of the manifest inside a bundle.
pub(crate) const MANIFEST_FILE: &str = "bundle.toml";

/// No file of a bundle is larger, in bytes. The largest network that the trainer has, ResNet-50, takes 94 MB.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// How far a golden logit may be off: other processors round otherwise, and nothing
/// else may differ.
const GOLDEN_TOLERANCE: f32 = 1e-3;

/// A bundle in memory whose hashes hold.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// What it says about itself.
    pub manifest: Manifest,
    origin: PathBuf,
    files: BTreeMap<String, Vec<u8>>,
    golden: GoldenSet,
}

impl Bundle {
    /// Reads the bundle in the folder `dir`.
    ///
    /// # Errors
    /// A file that is missing, unreadable, too large or not the one that the manifest
    /// was written for; a manifest or golden set that does not hold.
    pub fn open(dir: &Path) -> Result<Self, BundleError> {
        Self::load(dir, |name| read_limited(&dir.join(name)))
    }

    /// The same from memory: `files` are names and contents, `bundle.toml` among them;
    /// `name` stands for the folder in messages.
    ///
    /// # Errors
    /// As [`Bundle::open`].
    pub fn from_files(name: &str, files: &[(&str, &[u8])]) -> Result<Self, BundleError> {
        let origin = Path::new(name);
        Self::load(origin, |wanted| {
            let found = files.iter().find(|(name, _)| *name == wanted);
            let (_, bytes) = found.ok_or_else(|| BundleError::Read {
                path: origin.join(wanted),
                cause: io::ErrorKind::NotFound.into(),
            })?;
            Ok(bytes.to_vec())
        })
    }

    fn load(origin: &Path, read: impl Fn(&str) -> Result<Vec<u8>, BundleError>) -> Result<Self, BundleError> {
        let path = origin.join(MANIFEST_FILE);
        let text = read(MANIFEST_FILE)?;
        let manifest = match std::str::from_utf8(&text) {
            Ok(text) => Manifest::parse(text, &path)?,
            Err(e) => {
                return Err(BundleError::Syntax { path, place: String::new(), cause: format!("it is no text: {e}") });
            }
        };
        let mut files = BTreeMap::new();
        for (name, expected) in manifest.files() {
            let bytes = read(name)?;
            let found = sha256(&bytes);
            if found != expected {
                return Err(BundleError::Hash { path: origin.join(name), found, expected: expected.to_owned() });
            }
            files.insert(name.to_owned(), bytes);
        }
        let golden = &manifest.golden.file;
        let golden = GoldenSet::parse(&files[golden], &origin.join(golden))?;
        files.insert(MANIFEST_FILE.to_owned(), text);
        Ok(Self { manifest, origin: origin.to_owned(), files, golden })
    }

    /// Loads both models and repeats the golden pairs with them.
    ///
    /// # Errors
    /// A model that cannot be loaded or has other shapes than labels and side ask for,
    /// or that answers a golden crop otherwise than where it was made.
    pub fn recognizer(&self) -> Result<Recognizer, BundleError> {
        let clear = self.classifier(ModelChoice::Clear)?;
        let robust = self.classifier(ModelChoice::Robust)?;
        let recognizer = Recognizer::new(&self.manifest, clear, robust);
        let path = self.origin.join(&self.manifest.golden.file);
        self.golden.check_as(&path, &recognizer, GOLDEN_TOLERANCE)?;
        Ok(recognizer)
    }

    fn classifier(&self, role: ModelChoice) -> Result<Classifier, BundleError> {
        // The manifest is public, so it may have been changed since it was checked.
        let file = self.manifest.model(role).map(|m| m.file.as_str());
        let file = file.unwrap_or_default();
        let bytes = self
            .file(file)
            .ok_or_else(|| BundleError::Read { path: self.origin.join(file), cause: io::ErrorKind::NotFound.into() })?;
        let (side, classes) = (self.manifest.input.side, self.manifest.labels.len());
        Classifier::from_onnx(bytes, file, side, classes)
            .map_err(|cause| BundleError::Model { path: self.origin.clone(), cause })
    }

    /// The contents of a file of the bundle; `bundle.toml` is one of them.
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// Names and contents of all files but the manifest, as [`crate::write`] takes them.
    pub fn parts(&self) -> Vec<(String, Vec<u8>)> {
        let parts = self.files.iter().filter(|(name, _)| *name != MANIFEST_FILE);
        parts.map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
    }

    /// The golden pairs.
    pub fn golden(&self) -> &GoldenSet {
        &self.golden
    }
}

fn read_limited(path: &Path) -> Result<Vec<u8>, BundleError> {
    let unreadable = |cause| BundleError::Read { path: path.to_owned(), cause };
    // Asked before opening: opening a pipe would wait for somebody to write to it.
    let found = std::fs::metadata(path).map_err(unreadable)?;
    if !found.is_file() {
        return Err(unreadable(io::Error::other("it is no plain file")));
    }
    let too_large = |found| BundleError::TooLarge { path: path.to_owned(), found, limit: MAX_FILE_BYTES };
    if found.len() > MAX_FILE_BYTES {
        return Err(too_large(found.len()));
    }
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(too_large(bytes.len() as u64));
    }
    Ok(bytes)
}

/// SHA-256 as 64 lower-case hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_bundle::{bundle_files, crop, recognizer, write_to};
    use crate::{Expression, LabelSet, write};

    fn open_files(files: &[(String, Vec<u8>)]) -> Result<Bundle, BundleError> {
        let files: Vec<_> = files.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
        Bundle::from_files("memory", &files)
    }

    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_bundle_is_the_same_from_folder_and_from_memory() {
        let dir = tempfile::tempdir().unwrap();
        let path = write_to(dir.path());
        let from_folder = Bundle::open(&path).unwrap();
        let from_memory = open_files(&bundle_files()).unwrap();
        assert_eq!(from_folder.manifest, from_memory.manifest);
        assert_eq!(from_folder.files, from_memory.files);
        let seen = from_folder.recognizer().unwrap().recognise(crop(3).view(), None);
        let expected = recognizer().recognise(crop(3).view(), None);
        assert_eq!(seen.unwrap(), expected.unwrap());
        assert_eq!(from_folder.golden().pairs.len(), 2);
        assert!(from_folder.file("bundle.toml").is_some());
        assert_eq!(from_folder.file("other"), None);
    }

    #[test]
    fn what_is_missing_or_no_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = Bundle::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains("bundle.toml"), "{error}");
        let path = write_to(dir.path());
        std::fs::remove_file(path.join("robust.onnx")).unwrap();
        let error = Bundle::open(&path).unwrap_err().to_string();
        assert!(error.contains("robust.onnx"), "{error}");
        std::fs::create_dir(path.join("robust.onnx")).unwrap();
        let error = Bundle::open(&path).unwrap_err().to_string();
        assert!(error.contains("robust.onnx") && error.contains("no plain file"), "{error}");
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = write_to(dir.path());
        let file = File::options().write(true).open(path.join("clear.onnx")).unwrap();
        file.set_len(1 << 40).unwrap();
        let error = Bundle::open(&path).unwrap_err();
        assert!(matches!(error, BundleError::TooLarge { .. }), "{error}");
    }

    #[test]
    fn labels_that_do_not_match_the_outputs_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut manifest = open_files(&bundle_files()).unwrap().manifest;
        manifest.labels = LabelSet::new(vec![Expression::Sad, Expression::Happy]).unwrap();
        let mut files = bundle_files();
        files.retain(|(name, _)| name != MANIFEST_FILE);
        let path = dir.path().join("b");
        write(&path, &manifest, &files).unwrap();
        let error = Bundle::open(&path).unwrap().recognizer().unwrap_err().to_string();
        for part in ["clear.onnx", "1,3,F32", "1,2,F32", "labels"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn exchanged_models_fail_the_golden_pairs() {
        let dir = tempfile::tempdir().unwrap();
        let mut manifest = open_files(&bundle_files()).unwrap().manifest;
        manifest.models[0].role = ModelChoice::Robust;
        manifest.models[1].role = ModelChoice::Clear;
        let mut files = bundle_files();
        files.retain(|(name, _)| name != MANIFEST_FILE);
        let path = dir.path().join("b");
        write(&path, &manifest, &files).unwrap();
        let error = Bundle::open(&path).unwrap().recognizer().unwrap_err().to_string();
        assert!(error.contains("golden.json") && error.contains("pair 0"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn one_flipped_bit_anywhere_is_noticed(
            file in 0usize..4, at: prop::sample::Index, bit in 0u32..8,
        ) {
            let mut files = bundle_files();
            let bytes = &mut files[file].1;
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let name = files[file].0.clone();
            match open_files(&files) {
                // Of the manifest's own bytes some are names for people.
                Ok(bundle) => {
                    prop_assert_eq!(name, MANIFEST_FILE);
                    let _ = bundle.recognizer();
                }
                Err(error) => prop_assert!(error.to_string().contains("memory"), "{}", error),
            }
        }

        #[test]
        fn a_file_cut_short_is_noticed(file in 0usize..4, at: prop::sample::Index) {
            let mut files = bundle_files();
            let bytes = &mut files[file].1;
            bytes.truncate(at.index(bytes.len()));
            let name = files[file].0.clone();
            if name != MANIFEST_FILE {
                let told = matches!(open_files(&files), Err(BundleError::Hash { .. }));
                prop_assert!(told, "{name}");
            } else {
                let _ = open_files(&files);
            }
        }
    }
}
