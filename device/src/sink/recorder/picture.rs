//! One picture.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use embedded_graphics::geometry::OriginDimensions;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use super::Tape;
use crate::diagnostics::Problem;
use crate::frame::Frame;
use crate::output::WholeFile;
use crate::panel::png::{encode, machine_error};
use crate::screen::canvas::Canvas;

/// Quality of JPEG files, of 100.
const QUALITY: u8 = 92;

/// Saves a source of one picture as PNG or JPEG.
pub struct Picture {
    file: Option<WholeFile>,
    is_jpeg: bool,
    taken: bool,
}

impl Picture {
    /// Begins the file.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let ending = path.extension().unwrap_or_default();
        Ok(Self { file: Some(WholeFile::create(path)?), is_jpeg: !ending.eq_ignore_ascii_case("png"), taken: false })
    }
}

impl Tape for Picture {
    fn add(&mut self, canvas: &Canvas, frame: &Frame) -> anyhow::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let path = file.path().to_path_buf();
        if self.taken {
            let message =
                format!("{} holds one picture, but the source goes on with frame {}", path.display(), frame.number);
            let step = "Save to a folder (a name that ends in /), a .gif or a .mp4; or ask \
                        for one frame with --frames 1.";
            return Err(Problem::input(message).next_step(step).into());
        }
        self.taken = true;
        let written = if self.is_jpeg { encode_jpeg(canvas, file) } else { encode(canvas, file) };
        written.with_context(|| format!("{} cannot be written", path.display()))
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        match self.file.take().filter(|_| self.taken) {
            Some(file) => file.finish(),
            // A source without a frame: there is nothing to save.
            None => Ok(()),
        }
    }
}

fn encode_jpeg(canvas: &Canvas, to: &mut impl Write) -> anyhow::Result<()> {
    let size = canvas.size();
    JpegEncoder::new_with_quality(to, QUALITY)
        .encode(canvas.pixels(), size.width, size.height, ExtendedColorType::Rgb8)
        .map_err(machine_error)
}
