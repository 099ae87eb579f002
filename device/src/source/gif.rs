//! Animated GIFs, frame by frame with their delays.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, DynamicImage, ImageDecoder, Limits};

use super::Source;
use super::images::gray_of;
use crate::diagnostics::Problem;
use crate::frame::Frame;

/// Delays up to this are "as fast as possible"; viewers show them as [`USUAL_DELAY`].
const LEAST_DELAY: Duration = Duration::from_millis(10);
const USUAL_DELAY: Duration = Duration::from_millis(100);

/// A GIF file.
pub struct GifSource {
    path: PathBuf,
    width: u32,
    height: u32,
    frames: image::Frames<'static>,
    number: u64,
    /// When the next frame is shown.
    at: Duration,
}

impl GifSource {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// When it cannot be opened or is no GIF.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let problem = || Problem::input(format!("GIF {} cannot be read", path.display()));
        let file = File::open(path).with_context(problem)?;
        let mut decoder = GifDecoder::new(BufReader::new(file)).with_context(problem)?;
        decoder.set_limits(Limits::default()).with_context(problem)?;
        let (width, height) = decoder.dimensions();
        Ok(Self {
            path: path.to_path_buf(),
            width,
            height,
            frames: decoder.into_frames(),
            number: 0,
            at: Duration::ZERO,
        })
    }
}

impl Source for GifSource {
    fn describe(&self) -> String {
        format!("GIF {}, {}x{}", self.path.display(), self.width, self.height)
    }

    fn next_frame(&mut self) -> anyhow::Result<Option<Frame>> {
        let problem = || Problem::input(format!("frame {} of {}", self.number, self.path.display()));
        let Some(next) = self.frames.next() else {
            if self.number == 0 {
                let message = format!("GIF {} has no picture in it", self.path.display());
                return Err(Problem::input(message).into());
            }
            return Ok(None);
        };
        let next = next.with_context(problem)?;
        let delay = Duration::from(next.delay());
        let colour = DynamicImage::ImageRgba8(next.into_buffer()).into_rgb8();
        let frame = Frame {
            number: self.number,
            captured_at: self.at,
            gray: gray_of(&colour).with_context(problem)?,
            colour: Some(colour),
            name: None,
        };
        self.number += 1;
        self.at += if delay > LEAST_DELAY { delay } else { USUAL_DELAY };
        Ok(Some(frame))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use image::codecs::gif::GifEncoder;
    use image::{Delay, RgbaImage};

    use super::*;

    fn gif(delays_ms: &[u32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new(&mut bytes);
        for (number, &ms) in delays_ms.iter().enumerate() {
            let level = 40 * (number as u8 + 1);
            let image = RgbaImage::from_pixel(6, 4, image::Rgba([level, level, level, 255]));
            let delay = Delay::from_numer_denom_ms(ms, 1);
            encoder.encode_frame(image::Frame::from_parts(image, 0, 0, delay)).unwrap();
        }
        drop(encoder);
        bytes
    }

    fn open(bytes: &[u8]) -> (tempfile::TempDir, anyhow::Result<GifSource>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        std::fs::write(&path, bytes).unwrap();
        let source = GifSource::open(&path);
        (folder, source)
    }

    #[test]
    fn frames_come_in_order_with_the_time_the_file_states() {
        let (_folder, source) = open(&gif(&[50, 0, 70]));
        let mut source = source.unwrap();
        assert!(source.describe().ends_with("a.gif, 6x4"));
        let mut seen = Vec::new();
        while let Some(frame) = source.next_frame().unwrap() {
            let level = i32::from(frame.gray.pixels()[0]);
            assert!((level - 40 * (frame.number as i32 + 1)).abs() < 4, "{level}");
            seen.push((frame.number, frame.captured_at.as_millis()));
        }
        assert_eq!(seen, [(0, 0), (1, 50), (2, 150)]);
    }

    #[test]
    fn a_cut_file_names_the_frame() {
        let whole = gif(&[50, 50]);
        let (_folder, source) = open(&whole[..whole.len() - 12]);
        let mut source = source.unwrap();
        source.next_frame().unwrap();
        let error = source.next_frame().unwrap_err().to_string();
        assert!(error.contains("frame 1 of") && error.contains("a.gif"), "{error}");
    }

    #[test]
    fn what_is_no_gif_is_refused() {
        for bytes in [&b""[..], b"GIF89a", b"not a picture at all, but text"] {
            let (_folder, source) = open(bytes);
            let refused = source.and_then(|mut source| source.next_frame());
            assert!(refused.is_err(), "{bytes:?}");
        }
    }
}
