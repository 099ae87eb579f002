//! What a camera sent, from a file: JPEGs one after the other, or plain pixels as the driver hands them out
//! (`v4l2-ctl --stream-to`). It goes through the camera's own decoder, so that a recording is read as the camera was.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use super::Source;
use super::camera::pixels::{Layout, PixelFormat};
use crate::diagnostics::{Problem, tell};
use crate::frame::Frame;

/// Frames a second of such a file, which does not say.
const FPS: u32 = 30;

/// A recording of a camera.
pub struct StreamSource {
    path: PathBuf,
    bytes: Vec<u8>,
    layout: Layout,
    /// Where the next picture begins.
    at: usize,
    number: u64,
    bad: u64,
    colour: bool,
}

impl StreamSource {
    /// Opens `NAME.mjpeg` or `.mjpg`, or plain pixels, whose name tells their size: `NAME-640x480.yuyv`, `.uyvy`,
    /// `.nv12` or `.grey`. `None` for files of other names.
    ///
    /// # Errors
    /// When the file cannot be read, or its name tells no size.
    pub fn open(path: &Path) -> anyhow::Result<Option<Self>> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_lowercase();
        let Some(format) = format_of(&extension) else { return Ok(None) };
        let problem = || Problem::input(format!("recording {} cannot be read", path.display()));
        let (width, height) = match format {
            // Each JPEG states its own.
            PixelFormat::Mjpeg => (2, 2),
            _ => size_in(path).with_context(|| {
                problem().next_step("The name must end in the size of the pictures: NAME-640x480.yuyv.")
            })?,
        };
        let layout = Layout::new(format, width, height, 0).map_err(anyhow::Error::msg).with_context(problem)?;
        let bytes = fs::read(path).with_context(problem)?;
        Ok(Some(Self { path: path.to_path_buf(), bytes, layout, at: 0, number: 0, bad: 0, colour: true }))
    }

    /// The bytes of the next picture.
    fn next_picture(&mut self) -> Option<std::ops::Range<usize>> {
        let rest = &self.bytes[self.at..];
        let picture = match self.layout.frame_bytes() {
            Some(length) => (rest.len() >= length).then_some(0..length)?,
            None => next_jpeg(rest)?,
        };
        let start = self.at;
        self.at += picture.end;
        Some(start + picture.start..start + picture.end)
    }
}

impl Source for StreamSource {
    fn describe(&self) -> String {
        let path = self.path.display();
        match self.layout.frame_bytes() {
            Some(_) => format!("recording {path}, {}", self.layout),
            None => format!("recording {path}, MJPG"),
        }
    }

    fn next_frame(&mut self) -> anyhow::Result<Option<Frame>> {
        while let Some(picture) = self.next_picture() {
            let number = self.number;
            self.number += 1;
            match self.layout.decode(&self.bytes[picture], self.colour) {
                Ok((gray, colour)) => {
                    let captured_at = Duration::from_secs(number) / FPS;
                    return Ok(Some(Frame { number, captured_at, gray, colour, name: None }));
                }
                Err(why) => {
                    tell(format_args!("skipped: picture {number} of {}: {why}", self.path.display()));
                    self.bad += 1;
                }
            }
        }
        if self.number == self.bad {
            return Err(Problem::input(format!("recording {} has no picture in it", self.path.display())).into());
        }
        Ok(None)
    }

    fn dropped(&self) -> u64 {
        self.bad
    }

    fn bad_frames(&self) -> u64 {
        self.bad
    }

    fn leave_colour_out(&mut self) {
        self.colour = false;
    }
}

fn format_of(extension: &str) -> Option<PixelFormat> {
    Some(match extension {
        "mjpeg" | "mjpg" => PixelFormat::Mjpeg,
        "yuyv" => PixelFormat::Yuyv,
        "uyvy" => PixelFormat::Uyvy,
        "nv12" => PixelFormat::Nv12,
        "grey" => PixelFormat::Grey,
        _ => return None,
    })
}

/// The size that the name of a file ends in, behind its last dash.
fn size_in(path: &Path) -> Option<(usize, usize)> {
    let (_, size) = path.file_stem()?.to_str()?.rsplit_once('-')?;
    let (width, height) = size.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

/// The place of the next JPEG in `bytes`: from its first marker to its last, or to the start of another one where it was
/// broken off.
fn next_jpeg(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    const START: [u8; 3] = [0xff, 0xd8, 0xff];
    let begins = |from: usize| bytes[from..].windows(3).position(|window| window == START).map(|place| from + place);
    let start = begins(0)?;
    let mut at = start + 2;
    while let Some(&[marker, kind]) = bytes.get(at..at + 2).and_then(|pair| pair.first_chunk()) {
        at += match (marker, kind) {
            // The end; entropy-coded data never looks like it.
            (0xff, 0xd9) => return Some(start..at + 2),
            // The next one begins: of this one the end is missing.
            (0xff, 0xd8) => return Some(start..at),
            // Segments state their length. What looks like markers in them, a thumbnail, is none.
            (0xff, 0xc0..=0xcf | 0xda..=0xfe) => {
                2 + bytes.get(at + 2..at + 4).map_or(0, |length| usize::from(length[0]) << 8 | usize::from(length[1]))
            }
            _ => 1,
        };
    }
    Some(start..bytes.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;
    use image::{GrayImage, Luma};

    use super::*;

    fn open(name: &str, bytes: &[u8]) -> anyhow::Result<Option<StreamSource>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        StreamSource::open(&path)
    }

    fn jpeg(level: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        JpegEncoder::new(&mut bytes).encode_image(&GrayImage::from_pixel(16, 8, Luma([level]))).unwrap();
        bytes
    }

    /// The level of each picture, and how many were bad.
    fn levels(source: &mut StreamSource) -> (Vec<u8>, u64) {
        let mut levels = Vec::new();
        while let Some(frame) = source.next_frame().unwrap() {
            levels.push(frame.gray.pixels()[0]);
        }
        (levels, source.bad_frames())
    }

    #[test]
    fn jpegs_are_told_apart_and_bad_ones_left_out() {
        let (mut bytes, two) = (jpeg(40), jpeg(200));
        // Noise between pictures, one with a thumbnail in a segment of its own, and one broken off behind its head.
        let thumbnail = [0xff, 0xe1, 0, 6, 0xff, 0xd8, 0xff, 0xd9];
        let with_thumbnail = [&two[..2], &thumbnail, &two[2..]].concat();
        let broken = [0xff, 0xd8, 0xff, 0xe0, 0, 2];
        bytes.extend([&[0, 1, 2][..], &with_thumbnail, &broken, &two].concat());
        let mut source = open("a.mjpeg", &bytes).unwrap().unwrap();
        assert_eq!(levels(&mut source), (vec![40, 200, 200], 1));
    }

    #[test]
    fn plain_pixels_need_their_size_in_the_name() {
        let bytes: Vec<u8> = [vec![16; 8], vec![126; 8], vec![1; 5]].concat();
        let mut source = open("a-b-4x2.grey", &bytes).unwrap().unwrap();
        assert!(source.describe().ends_with("a-b-4x2.grey, GREY 4x2"));
        assert_eq!(levels(&mut source), (vec![16, 126], 0));
        for name in ["a.grey", "a-4x.yuyv", "a-0x2.nv12", "4x2.uyvy"] {
            assert!(open(name, &bytes).is_err(), "{name}");
        }
        assert!(open("a-4x2.png", &bytes).unwrap().is_none());
    }

    #[test]
    fn a_file_without_pictures_is_an_error() {
        for (name, bytes) in [("a.mjpeg", &b""[..]), ("a.mjpeg", b"no picture"), ("a-4x2.grey", b"short")] {
            assert!(open(name, bytes).unwrap().unwrap().next_frame().is_err(), "{name}");
        }
    }
}
