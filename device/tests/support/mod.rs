//! What the tests of the command line share.

#[path = "../../src/testing.rs"]
mod bundle;

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// A folder of its own with a bundle in it.
pub struct Place {
    folder: TempDir,
    bundle: PathBuf,
}

impl Place {
    /// An empty one.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bundle = bundle::write_bundle(folder.path());
        Self { folder, bundle }
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The bundle's folder.
    pub fn bundle(&self) -> &Path {
        &self.bundle
    }

    /// Writes a file into it.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes a picture without a face.
    #[allow(dead_code, reason = "each test program uses its own part of the support")]
    pub fn flat_picture(&self, name: &str) -> PathBuf {
        let path = self.write(name, "");
        image::RgbImage::from_pixel(160, 120, image::Rgb([90, 90, 90])).save(&path).unwrap();
        path
    }

    /// `mien` with these arguments, run in the folder.
    pub fn mien<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mien"));
        command.current_dir(self.folder.path()).args(args);
        command
    }

    /// `mien run` on a source with the bundle of this place.
    pub fn run(&self, source: &Path) -> Command {
        let mut command = self.mien(["run", "--bundle"]);
        command.arg(&self.bundle).arg("--source").arg(source);
        command
    }

    /// Names of all that lies in a folder.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap();
        let name = |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<_> = entries.map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    }
}
