//! Writes a bundle whole or not at all.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::bundle::{MANIFEST_FILE, sha256};
use crate::manifest_check::{check, is_plain_name};
use crate::{Bundle, BundleError, Manifest};

/// Writes the bundle `dir`: `files` (names and contents) and the manifest with their
/// hashes filled in.
///
/// Everything goes to a folder beside `dir` first, is read back and checked, and then
/// takes the place of `dir` by renaming; on an error `dir` is as it was before.
///
/// # Errors
/// The manifest does not hold; `files` are not exactly the ones that it names; something
/// other than a bundle lies at `dir`; or the disk refuses.
pub fn write(dir: &Path, manifest: &Manifest, files: &[(String, Vec<u8>)]) -> Result<(), BundleError> {
    let mut manifest = manifest.clone();
    fill_hashes(dir, &mut manifest, files)?;
    check(&manifest, &dir.join(MANIFEST_FILE))?;
    let text = manifest.to_toml()?;

    let place = Place::of(dir)?;
    check_replaceable(&place.target)?;
    let fresh = place.make_sibling("new")?;
    let written =
        fill(&fresh, &text, files).and_then(|()| Bundle::open(&fresh).map(drop)).and_then(|()| place.put(&fresh));
    if written.is_err() {
        // What went wrong is told by `written`; that this fails as well adds nothing.
        let _ = fs::remove_dir_all(&fresh);
    }
    written
}

/// Takes the hashes of `files` into the manifest, which must name exactly those.
fn fill_hashes(dir: &Path, manifest: &mut Manifest, files: &[(String, Vec<u8>)]) -> Result<(), BundleError> {
    let incomplete = |cause: String| BundleError::Files { path: dir.to_owned(), cause };
    let mut unused: BTreeSet<&str> = BTreeSet::new();
    for (name, _) in files {
        if !is_plain_name(name) {
            return Err(incomplete(format!("`{name}` is no plain file name")));
        }
        if !unused.insert(name) {
            return Err(incomplete(format!("`{name}` is given twice")));
        }
    }
    for (name, hash) in manifest.files_mut() {
        let Some((_, bytes)) = files.iter().find(|(n, _)| n == name) else {
            return Err(incomplete(format!("the manifest names `{name}`, which was not given")));
        };
        *hash = sha256(bytes);
        unused.remove(name);
    }
    match unused.first() {
        None => Ok(()),
        Some(name) => Err(incomplete(format!("`{name}` is not named by the manifest"))),
    }
}

/// Where the bundle goes: its folder and the one that this lies in.
struct Place {
    parent: PathBuf,
    name: String,
    target: PathBuf,
}

impl Place {
    /// Follows links and makes the parent folder.
    fn of(dir: &Path) -> Result<Self, BundleError> {
        let failed = |cause| unwritable(dir, cause);
        let dir = match dir.canonicalize() {
            Ok(existing) => existing,
            Err(e) if e.kind() == io::ErrorKind::NotFound => dir.to_owned(),
            Err(e) => return Err(failed(e)),
        };
        let Some(name) = dir.file_name() else {
            return Err(failed(io::Error::other("it has no folder name")));
        };
        let parent = dir.parent().filter(|p| !p.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new(".")).to_owned();
        fs::create_dir_all(&parent).map_err(failed)?;
        Ok(Self { name: name.to_string_lossy().into_owned(), target: parent.join(name), parent })
    }

    /// Makes a new folder beside the target; hidden, so that nobody takes it for a bundle.
    fn make_sibling(&self, purpose: &str) -> Result<PathBuf, BundleError> {
        for attempt in 0..100 {
            let process = std::process::id();
            let name = format!(".{}.{purpose}-{process}-{attempt}", self.name);
            let path = self.parent.join(name);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(path),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(unwritable(&path, e)),
            }
        }
        let cause = io::Error::other("its temporary folders are all taken");
        Err(unwritable(&self.target, cause))
    }

    /// Puts `fresh` where the target is; the old one comes back if that fails.
    fn put(&self, fresh: &Path) -> Result<(), BundleError> {
        let failed = |cause| unwritable(&self.target, cause);
        if !self.target.exists() {
            return fs::rename(fresh, &self.target).map_err(failed);
        }
        // Into a folder of its own: a name that is free now could be taken by then.
        let aside = self.make_sibling("old")?;
        let old = aside.join("bundle");
        let swapped = fs::rename(&self.target, &old).and_then(|()| {
            fs::rename(fresh, &self.target).inspect_err(|_| {
                // If even this fails the old bundle still lies in the hidden folder.
                let _ = fs::rename(&old, &self.target);
            })
        });
        match swapped {
            // The new bundle is in place: an old one that cannot be removed only takes room.
            Ok(()) => drop(fs::remove_dir_all(&aside)),
            Err(e) => {
                let _ = fs::remove_dir(&aside);
                return Err(failed(e));
            }
        }
        Ok(())
    }
}

/// An empty folder or a bundle may be replaced; nothing else, and no bundle with things
/// in it that are not its own.
fn check_replaceable(dir: &Path) -> Result<(), BundleError> {
    let occupied = |cause: String| BundleError::Occupied { path: dir.to_owned(), cause };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
            return Err(occupied("is a file, no folder".into()));
        }
        Err(e) => return Err(unwritable(dir, e)),
    };
    let mut own: Option<BTreeSet<String>> = None;
    for entry in entries {
        let entry = entry.map_err(|e| unwritable(dir, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let own = own.get_or_insert_with(|| files_named(&dir.join(MANIFEST_FILE)));
        if !own.contains(&name) {
            return Err(occupied(format!("holds `{name}`, which is of no bundle")));
        }
    }
    Ok(())
}

/// What is told of a bundle to people, beside its manifest; it goes with the bundle that it is about.
const CARD_FILE: &str = "CARD.md";

/// The files that a manifest of whatever schema names, itself and the card included.
fn files_named(manifest: &Path) -> BTreeSet<String> {
    fn collect(value: &toml::Value, names: &mut BTreeSet<String>) {
        match value {
            toml::Value::Table(table) => {
                if let Some(toml::Value::String(name)) = table.get("file") {
                    names.insert(name.clone());
                }
                table.values().for_each(|v| collect(v, names));
            }
            toml::Value::Array(values) => values.iter().for_each(|v| collect(v, names)),
            _ => {}
        }
    }
    let mut names = BTreeSet::new();
    let table = fs::read_to_string(manifest).ok().and_then(|t| t.parse::<toml::Table>().ok());
    if let Some(table) = table.filter(|t| t.contains_key("schema")) {
        names.extend([MANIFEST_FILE, CARD_FILE].map(str::to_owned));
        collect(&toml::Value::Table(table), &mut names);
    }
    names
}

fn fill(dir: &Path, manifest: &str, files: &[(String, Vec<u8>)]) -> Result<(), BundleError> {
    let files = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    for (name, bytes) in files.chain([(MANIFEST_FILE, manifest.as_bytes())]) {
        let path = dir.join(name);
        // On the disk before the rename is: a power cut must not leave empty files.
        File::create(&path)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .map_err(|e| unwritable(&path, e))?;
    }
    Ok(())
}

fn unwritable(path: &Path, cause: io::Error) -> BundleError {
    BundleError::Write { path: path.to_owned(), cause }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::test_bundle::{manifest, model_files, write_to};

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_bundle_is_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = write_to(dir.path());
        fs::write(path.join("CARD.md"), "of the first").unwrap();
        let mut second = manifest();
        second.name = "second".into();
        // The same folder, written with a slash at its end and from a nested place.
        write(&path.join(""), &second, &model_files()).unwrap();
        assert_eq!(Bundle::open(&path).unwrap().manifest.name, "second");
        assert!(!path.join("CARD.md").exists(), "the card was of the bundle before");
        assert_eq!(names(dir.path()), ["bundle"], "nothing is left beside it");
        write(&dir.path().join("deep/er/b"), &second, &model_files()).unwrap();
        fs::create_dir(dir.path().join("empty")).unwrap();
        write(&dir.path().join("empty"), &second, &model_files()).unwrap();
        assert_eq!(names(dir.path()), ["bundle", "deep", "empty"]);
    }

    #[test]
    fn what_is_no_bundle_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |path: &Path| write(path, &manifest(), &model_files()).unwrap_err().to_string();
        let folder = dir.path().join("photos");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("cat.png"), "x").unwrap();
        assert!(refused(&folder).contains("cat.png"));
        let file = dir.path().join("file");
        fs::write(&file, "x").unwrap();
        assert!(refused(&file).contains("is a file"));
        let bundle = write_to(dir.path());
        fs::write(bundle.join("notes.txt"), "x").unwrap();
        assert!(refused(&bundle).contains("notes.txt"));
        assert!(bundle.join("notes.txt").exists() && Bundle::open(&bundle).is_ok());
        assert_eq!(names(dir.path()), ["bundle", "file", "photos"]);
    }

    #[test]
    fn files_and_manifest_must_agree() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b");
        let refused = |files: &[(String, Vec<u8>)]| {
            let error = write(&path, &manifest(), files).unwrap_err().to_string();
            assert_eq!(names(dir.path()), [""; 0]);
            error
        };
        let mut files = model_files();
        let last = files.pop().unwrap();
        assert!(refused(&files).contains(&last.0));
        files.push(last.clone());
        files.push(last);
        assert!(refused(&files).contains("twice"));
        files.pop();
        files.push(("extra.bin".into(), vec![]));
        assert!(refused(&files).contains("extra.bin"));
        files.pop();
        files.push(("../extra.bin".into(), vec![]));
        assert!(refused(&files).contains("no plain file name"));
    }

    #[test]
    fn an_error_leaves_the_old_bundle_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = write_to(dir.path());
        let mut files = model_files();
        for (name, bytes) in &mut files {
            if name == "golden.json" {
                *bytes = b"{}".to_vec();
            }
        }
        let error = write(&path, &manifest(), &files).unwrap_err().to_string();
        assert!(error.contains("golden.json"), "{error}");
        assert_eq!(names(dir.path()), ["bundle"]);
        Bundle::open(&path).unwrap().recognizer().unwrap();

        let blocked = dir.path().join("bundle/bundle.toml/b");
        assert!(matches!(write(&blocked, &manifest(), &model_files()), Err(BundleError::Write { .. })));
    }
}
