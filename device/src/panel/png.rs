//! A panel that is a folder of pictures: what a real one would show, for documents, for
//! tests, and for machines without a display.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use embedded_graphics::geometry::{OriginDimensions, Size};
use embedded_graphics::primitives::Rectangle;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageError};

use super::Panel;
use crate::output::WholeFile;
use crate::screen::canvas::Canvas;

const PREFIX: &str = "screen-";
const SUFFIX: &str = ".png";

/// Writes `screen-000000.png`, `screen-000001.png`, ...; each appears whole.
#[derive(Debug)]
pub struct PngPanel {
    folder: PathBuf,
    size: Size,
    next: u64,
}

impl PngPanel {
    /// Makes the folder if it is not there. Pictures that an earlier run left in it, by
    /// their names, are removed, so that one folder never shows two runs.
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub fn open(folder: &Path, size: Size) -> anyhow::Result<Self> {
        let named = || format!("the folder {} cannot be written", folder.display());
        fs::create_dir_all(folder).with_context(named)?;
        for entry in fs::read_dir(folder).with_context(named)? {
            let entry = entry.with_context(named)?;
            if is_ours(&entry.file_name().to_string_lossy()) {
                fs::remove_file(entry.path()).with_context(named)?;
            }
        }
        // Better now than after the first frame.
        drop(WholeFile::create(&folder.join("probe"))?);
        Ok(Self { folder: folder.to_path_buf(), size, next: 0 })
    }
}

impl Panel for PngPanel {
    fn size(&self) -> Size {
        self.size
    }

    fn flush(&mut self, canvas: &Canvas, changed: &[Rectangle]) -> anyhow::Result<()> {
        if changed.is_empty() {
            return Ok(());
        }
        let name = format!("{PREFIX}{:06}{SUFFIX}", self.next);
        let path = self.folder.join(name);
        let mut file = WholeFile::create(&path)?;
        encode(canvas, &mut file).with_context(|| format!("{} cannot be written", path.display()))?;
        file.finish()?;
        self.next += 1;
        Ok(())
    }
}

/// Writes a canvas as PNG.
///
/// # Errors
/// When `to` does not take it.
pub fn encode(canvas: &Canvas, to: &mut impl Write) -> anyhow::Result<()> {
    let Size { width, height } = canvas.size();
    PngEncoder::new_with_quality(&mut *to, CompressionType::Fast, FilterType::Adaptive)
        .write_image(canvas.pixels(), width, height, ExtendedColorType::Rgb8)
        .map_err(machine_error)
}

/// What the operating system said, where that is the cause: [`ImageError`] hides it from
/// those who look for it along the chain of causes.
pub fn machine_error(error: ImageError) -> anyhow::Error {
    match error {
        ImageError::IoError(error) => error.into(),
        other => other.into(),
    }
}

fn is_ours(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix(SUFFIX))
        .is_some_and(|number| number.len() >= 6 && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use embedded_graphics::geometry::Point;
    use embedded_graphics::pixelcolor::{Rgb888, RgbColor};

    use super::*;
    use crate::panel::suite::Subject;

    #[test]
    fn pictures_are_numbered_and_those_of_an_earlier_run_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/shots");
        fs::create_dir_all(&path).unwrap();
        for name in ["screen-000007.png", "screen-shot.png", "notes.txt"] {
            fs::write(path.join(name), "x").unwrap();
        }
        let size = Size::new(20, 10);
        let mut panel = PngPanel::open(&path, size).unwrap();
        let mut canvas = Canvas::new(size);
        canvas.blend(Point::new(3, 4), Rgb888::RED, 255);
        panel.flush(&canvas, &[canvas.area()]).unwrap();
        panel.flush(&canvas, &[canvas.area()]).unwrap();

        let mut names: Vec<_> =
            fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        let expected = ["notes.txt", "screen-000000.png", "screen-000001.png", "screen-shot.png"];
        assert_eq!(names, expected);
        let read = image::open(path.join("screen-000001.png")).unwrap().into_rgb8();
        assert_eq!(read.as_raw(), canvas.pixels());
    }

    #[test]
    fn every_picture_passes_the_suite() {
        let folder = tempfile::tempdir().unwrap();
        let mut panel = PngPanel::open(folder.path(), Size::new(40, 33)).unwrap();
        let shown = || {
            let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
            image::open(entries.max().unwrap()).unwrap().into_rgb8().into_raw()
        };
        Subject { panel: &mut panel, shown: &shown, colour: |rgb| rgb }.shows_the_canvas_and_its_changes();
    }

    #[test]
    fn a_folder_that_cannot_be_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = PngPanel::open(&file.path().join("x"), Size::new(20, 10)).unwrap_err();
        let name = file.path().display().to_string();
        assert!(error.to_string().contains(&name), "{error}");
    }
}
