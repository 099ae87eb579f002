//! Devices as the kernel numbers them: `/dev/fb0`, `/dev/dri/card1`.

use std::fs;
use std::path::{Path, PathBuf};

/// What is in `folder` under this name and a number, by number.
pub fn paths(folder: &Path, name: &str) -> Vec<PathBuf> {
    let number = |path: &PathBuf| path.file_name()?.to_str()?.strip_prefix(name)?.parse::<u32>().ok();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| number(path).is_some()).collect();
    paths.sort_by_key(number);
    paths
}
