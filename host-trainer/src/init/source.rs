//! Reads the tensors of a file of weights, whatever wrote it.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use burn::store::burn_pack::Tensor;
use burn::store::{BurnpackStore, ModuleStore, PytorchStore, SafetensorsStore};
use models::ModelChoice;

use super::folded;
use crate::checkpoint::{BEST, DETECTOR};
use crate::failure::bad_input;
use crate::reader::unreadable;

/// All tensors of a file, by the names that they have there.
pub struct Source {
    /// In order of their names.
    pub tensors: Vec<Tensor>,
    /// How they lie.
    pub layout: Layout,
    /// Whether the kind of network stands before every name, as in what this program writes of a classifier.
    pub kind_first: bool,
}

/// How weights lie in a file.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// PyTorch's names and shapes.
    Torch,
    /// A checkpoint of this program.
    Mien,
    /// The same with normalisations folded into their convolutions: a bundle.
    Folded,
}

/// The file that makes a folder a bundle.
const BUNDLE: &str = "bundle.toml";

/// Reads what `init` names: see [`crate::init`]. Of a bundle and of a training's work folder it is the network of `role`.
///
/// # Errors
/// Nothing there, another kind of file, a damaged one, a bundle that does not hold.
pub fn read(path: &Path, role: ModelChoice) -> anyhow::Result<Source> {
    let file = match best_of(path, role) {
        Some(best) => best,
        None if path.join(BUNDLE).is_file() => {
            return Ok(Source { tensors: folded::read(path, role)?, layout: Layout::Folded, kind_first: true });
        }
        None if path.is_dir() => {
            return Err(bad_input(format!(
                "init = {}: neither a bundle nor a work folder: no {BUNDLE} in it, and no {BEST} in it or in its folder `{}`",
                path.display(),
                role.name()
            )));
        }
        None => path.to_owned(),
    };
    must_exist(&file, path)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let (tensors, layout) = match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("pth" | "pt") => (pytorch(&file)?, Layout::Torch),
        Some("safetensors") => (all(&file, SafetensorsStore::from_file(&file))?, Layout::Torch),
        Some("bpk") => (all(&file, BurnpackStore::from_file(&file))?, Layout::Mien),
        _ => {
            return Err(bad_input(format!(
                "init = {}: not a .safetensors, .pth, .pt or .bpk file, nor a folder of a training",
                path.display()
            )));
        }
    };
    Ok(Source { tensors, layout, kind_first: layout == Layout::Mien })
}

/// Reads what the `init` of a detector names: an ONNX file of ours, a work folder of its training, or a `.bpk` file.
///
/// # Errors
/// Nothing there, another kind of file, a damaged one.
pub fn read_detector(path: &Path) -> anyhow::Result<Source> {
    let candidates = [path.join(BEST), path.join(DETECTOR).join(BEST)];
    let file = candidates.iter().find(|file| file.is_file()).map_or(path, PathBuf::as_path);
    if !path.is_dir() {
        must_exist(file, path)?;
    }
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("onnx") => {
            let onnx = std::fs::read(file).map_err(|error| unreadable(file, &error))?;
            Ok(Source { tensors: folded::weights(&onnx, file)?, layout: Layout::Folded, kind_first: false })
        }
        Some("bpk") => {
            let tensors = all(file, BurnpackStore::from_file(file))?;
            Ok(Source { tensors, layout: Layout::Mien, kind_first: false })
        }
        _ => Err(bad_input(format!(
            "init = {}: neither an .onnx file of a detector, nor a .bpk file, nor the work folder of a detector's training",
            path.display()
        ))),
    }
}

/// Refuses what `init` names, `path`, if the file that it comes to is not there.
fn must_exist(file: &Path, path: &Path) -> anyhow::Result<()> {
    if file.is_file() {
        return Ok(());
    }
    Err(bad_input(format!("init = {}: there is no such file or folder", path.display())))
}

/// The best weights of a work folder, of one of its stages, or of the training of a bundle, where they are still
/// there: they have what a bundle's own files have lost.
fn best_of(folder: &Path, role: ModelChoice) -> Option<PathBuf> {
    if !folder.is_dir() {
        return None;
    }
    let stage = Path::new(role.name()).join(BEST);
    let candidates = [folder.join(BEST), folder.join(&stage), folder.with_extension("work").join(&stage)];
    candidates.into_iter().find(|path| path.is_file())
}

/// The tensors of a PyTorch file, at its root or below the key that training scripts put a model's weights under.
fn pytorch(file: &Path) -> anyhow::Result<Vec<Tensor>> {
    const KEYS: [&str; 4] = ["state_dict", "model_state_dict", "model", "net"];
    let store = || PytorchStore::from_file(file).map_indices_contiguous(false);
    // At the root, names below a key begin with it.
    let tensors = all(file, store())?;
    let is_key = |key: &&&str| {
        let prefix = format!("{key}.");
        tensors.iter().any(|tensor| tensor.name.starts_with(&prefix))
    };
    match KEYS.iter().find(is_key) {
        Some(key) => all(file, store().with_top_level_key(*key)),
        None => Ok(tensors),
    }
}

/// Every tensor of a store; `DataParallel` puts `module.` before every name.
fn all<S: ModuleStore>(file: &Path, mut store: S) -> anyhow::Result<Vec<Tensor>>
where
    S::Error: Display,
{
    let tensors = store
        .get_all_tensors()
        .map_err(|error| bad_input(format!("{}: cannot read the weights: {error}", file.display())))?;
    Ok(tensors
        .values()
        .map(|tensor| {
            let mut tensor = tensor.clone();
            if let Some(name) = tensor.name.strip_prefix("module.") {
                tensor.name = name.to_owned();
            }
            tensor
        })
        .collect())
}
