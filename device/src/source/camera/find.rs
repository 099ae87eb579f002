//! Which cameras there are, what each gives, and by what name one is found again after it was unplugged.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::STALL;
use super::capture::{Capture, Fault};
use super::config::CameraConfig;
use super::v4l2::{About, Camera, NodeKind, about};
use crate::diagnostics::Problem;
use crate::numbered;

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
    let paths = numbered::paths(Path::new("/dev"), "video");
    paths.into_iter().map(|path| Node { stable: stable_name(&path), about: about(&path), path }).collect()
}

/// The first camera of this machine, if it has one. Where none answers, a video device that this
/// user may not open stands for it: opening it says so.
pub fn first() -> Option<PathBuf> {
    let nodes = nodes();
    let is_camera = |node: &&Node| node.about.as_ref().is_ok_and(|about| about.kind == NodeKind::Camera);
    let is_closed =
        |node: &&Node| node.about.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied);
    nodes.iter().find(is_camera).or_else(|| nodes.iter().find(is_closed)).map(|node| node.path.clone())
}

/// Takes one picture from every camera: what each gives, or what is wrong with it.
pub fn probe_all(config: &CameraConfig) -> Vec<(PathBuf, Result<String, Problem>)> {
    let is_candidate = |node: &Node| match &node.about {
        Ok(about) => matches!(about.kind, NodeKind::Camera | NodeKind::Csi),
        Err(_) => true,
    };
    let probe = |path: &PathBuf| -> Result<String, Fault> {
        let mut camera = Camera::open(path, config)?;
        let (about, layout) = (camera.describe(), camera.layout());
        let raw = camera.newest(STALL)?.ok_or(Fault::Stalled)?;
        layout.decode(raw.bytes, false).map_err(Fault::Driver)?;
        Ok(about)
    };
    let nodes = nodes().into_iter().filter(is_candidate).map(|node| node.path);
    nodes
        .map(|path| {
            let name = path.display().to_string();
            let probed = probe(&path).map_err(|fault| fault.into_problem(&name));
            (path, probed)
        })
        .collect()
}

/// What `mien list-cameras` prints: a line for each video node.
pub fn list() -> String {
    let nodes = nodes();
    if nodes.is_empty() {
        return "no video device; plug a camera in, and see `sudo dmesg | tail` if that does not help\n".into();
    }
    let mut text = String::new();
    for node in nodes {
        let _ = match &node.about {
            Ok(about) => {
                let use_of = match about.kind {
                    NodeKind::Camera => "camera",
                    NodeKind::Csi => "raw end of a CSI sensor: needs libcamera",
                    NodeKind::Metadata => "data about pictures: not the camera itself",
                    NodeKind::Other => "no camera",
                };
                writeln!(text, "{}: {} ({}), {use_of}", node.path.display(), about.card, about.driver)
            }
            Err(error) => writeln!(text, "{}: {}", node.path.display(), Fault::of_open(error)),
        };
        if let Some(stable) = &node.stable {
            let _ = writeln!(text, "    stays {}", stable.display());
        }
    }
    text
}

/// The name of a node that stays when it is unplugged and plugged in again.
pub fn stable_name(node: &Path) -> Option<PathBuf> {
    STABLE_NAMES.iter().find_map(|folder| name_in(Path::new(folder), node))
}

/// The link in `folder` that leads to `node`, first by name.
fn name_in(folder: &Path, node: &Path) -> Option<PathBuf> {
    let node = fs::canonicalize(node).ok()?;
    let mut links: Vec<PathBuf> = numbered::entries(folder).collect();
    links.sort();
    links.into_iter().find(|link| fs::canonicalize(link).is_ok_and(|target| target == node))
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
