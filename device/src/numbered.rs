//! Devices as the kernel numbers them: `/dev/fb0`, `/dev/dri/card1`.

use std::fs;
use std::path::{Path, PathBuf};

/// What is in `folder`, in no order; nothing where it cannot be read.
pub fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// What is in `folder` under this name and a number, by number.
pub fn paths(folder: &Path, name: &str) -> Vec<PathBuf> {
    let number = |path: &PathBuf| path.file_name()?.to_str()?.strip_prefix(name)?.parse::<u32>().ok();
    let mut paths: Vec<PathBuf> = entries(folder).filter(|path| number(path).is_some()).collect();
    paths.sort_by_key(number);
    paths
}
