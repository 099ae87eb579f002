//! The default bundle and spoilt copies of it.

use std::path::PathBuf;

use models::{Bundle, DetectorEntry, Manifest};

use crate::place::Place;
use crate::project;

/// Name of the manifest in a bundle.
pub const MANIFEST: &str = "bundle.toml";

/// The default bundle; `mien` carries the same files.
pub fn default_bundle() -> Bundle {
    Bundle::open(&project("models/bundles/default")).unwrap_or_else(|error| panic!("the default bundle: {error}"))
}

/// The files that a bundle's manifest names, the models first.
pub fn file_names(manifest: &Manifest) -> Vec<String> {
    let models = manifest.models.iter().map(|model| model.file.clone());
    let detector = match &manifest.detector {
        DetectorEntry::Yunet { file, .. } => Some(file.clone()),
        DetectorEntry::Rustface {} => None,
    };
    models.chain([manifest.golden.file.clone()]).chain(detector).collect()
}

/// Writes an exact copy of the default bundle.
pub fn copy(place: &Place) -> PathBuf {
    let bundle = default_bundle();
    for name in file_names(&bundle.manifest).iter().map(String::as_str).chain([MANIFEST]) {
        place.write(&format!("bundle/{name}"), bundle.file(name).unwrap());
    }
    place.path("bundle")
}

/// Writes a copy that was changed by somebody who knows how to make the hashes hold.
pub fn forge(place: &Place, change: impl FnOnce(&mut Manifest, &mut [(String, Vec<u8>)])) -> PathBuf {
    let bundle = default_bundle();
    let mut manifest = bundle.manifest.clone();
    // In the manifest's order, the clear model first.
    let contents = |name: String| {
        let bytes = bundle.file(&name).unwrap().to_vec();
        (name, bytes)
    };
    let mut files: Vec<_> = file_names(&manifest).into_iter().map(contents).collect();
    change(&mut manifest, &mut files);
    let path = place.path("bundle");
    models::write(&path, &manifest, &files).unwrap();
    path
}
