//! A folder with a picture for each frame.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Tape;
use crate::frame::Frame;
use crate::output::WholeFile;
use crate::panel::png::encode;
use crate::screen::canvas::Canvas;

/// Saves `000012.png`, or `000012-NAME.png` where the frame has a name: the number keeps
/// two pictures of one name apart, and results from overwriting what they were read from.
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder if it is not there.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let named = || format!("the folder {} cannot be written", path.display());
        fs::create_dir_all(path).with_context(named)?;
        // Better now than after the first frame.
        drop(WholeFile::create(&path.join("probe"))?);
        Ok(Self { path: path.to_path_buf() })
    }
}

impl Tape for Folder {
    fn add(&mut self, canvas: &Canvas, frame: &Frame) -> anyhow::Result<()> {
        let stem = frame.name.as_deref().map(Path::new).and_then(Path::file_stem);
        let name = match stem {
            Some(stem) => format!("{:06}-{}.png", frame.number, stem.to_string_lossy()),
            None => format!("{:06}.png", frame.number),
        };
        let path = self.path.join(name);
        let mut file = WholeFile::create(&path)?;
        encode(canvas, &mut file).with_context(|| format!("{} cannot be written", path.display()))?;
        file.finish()
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
}
