//! Which cameras there are, and by what name one is found again after it was unplugged.

use std::fs;
use std::path::{Path, PathBuf};

use super::v4l2::{About, about};

/// Where udev puts names that stay when the numbers change, best first.
const STABLE_NAMES: [&str; 2] = ["/dev/v4l/by-id", "/dev/v4l/by-path"];

/// A video node of this machine.
#[derive(Debug)]
pub struct Node {
    /// `/dev/videoN`.
    pub path: PathBuf,
    /// A name that stays, where udev made one.
    pub stable: Option<PathBuf>,
    /// What it says of itself, or why it says nothing.
    pub about: std::io::Result<About>,
}

/// All video nodes, by number.
pub fn nodes() -> Vec<Node> {
    let number = |path: &PathBuf| -> Option<u32> { path.to_str()?.strip_prefix("/dev/video")?.parse().ok() };
    let mut paths: Vec<PathBuf> = entries(Path::new("/dev")).filter(|path| number(path).is_some()).collect();
    paths.sort_by_key(number);
    paths.into_iter().map(|path| Node { stable: stable_name(&path), about: about(&path), path }).collect()
}

/// The name of a node that stays when it is unplugged and plugged in again.
pub fn stable_name(node: &Path) -> Option<PathBuf> {
    STABLE_NAMES.iter().find_map(|folder| name_in(Path::new(folder), node))
}

/// The link in `folder` that leads to `node`, first by name.
fn name_in(folder: &Path, node: &Path) -> Option<PathBuf> {
    let node = fs::canonicalize(node).ok()?;
    let mut links: Vec<PathBuf> = entries(folder).collect();
    links.sort();
    links.into_iter().find(|link| fs::canonicalize(link).is_ok_and(|target| target == node))
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_link_gives_the_stable_name() {
        let folder = tempfile::tempdir().unwrap();
        let (node, other) = (folder.path().join("video3"), folder.path().join("video4"));
        fs::write(&node, "").unwrap();
        fs::write(&other, "").unwrap();
        let links = folder.path().join("by-id");
        fs::create_dir(&links).unwrap();
        std::os::unix::fs::symlink("../video3", links.join("usb-cam-index0")).unwrap();
        assert_eq!(name_in(&links, &node), Some(links.join("usb-cam-index0")));
        assert_eq!(name_in(&links, &other), None);
        assert_eq!(name_in(&folder.path().join("none"), &node), None);
    }
}
