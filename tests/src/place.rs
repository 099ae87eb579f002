//! A folder of its own for a test.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder that is removed with all that is in it when the test ends.
pub struct Place(TempDir);

impl Default for Place {
    fn default() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Place {
    /// The folder, or something in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and the folders it lies in.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes a picture without a face; the name says in which format.
    pub fn flat_picture(&self, name: &str) -> PathBuf {
        let path = self.write(name, "");
        image::RgbImage::from_pixel(160, 120, image::Rgb([90, 90, 90])).save(&path).unwrap();
        path
    }

    /// The names of all that lies in the folder, sorted, hidden ones too.
    pub fn names(&self) -> Vec<String> {
        names_in(self.0.path())
    }
}

/// The names of all that lies in a folder, sorted, hidden ones too.
pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
