//! Faces in videos of which nobody has marked the faces: frames with one are counted. As on a device, the detector knows
//! where faces were in the frame before.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context;
use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, DynamicImage};
use models::{FaceDetector, Rgb8};
use serde::Serialize;

use crate::failure::bad_input;
use crate::reader::file_names;

/// What a detector finds in one video.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VideoRow {
    /// Name of its file.
    pub video: String,
    /// Its frames.
    pub frames: usize,
    /// Frames with at least one face.
    pub with_a_face: usize,
    /// Boxes over all frames.
    pub boxes: usize,
    /// Most boxes in a frame.
    pub most: usize,
}

/// Runs a detector over every GIF file of a folder, in order of their names.
///
/// # Errors
/// Bad input: no such file, or one that is damaged. The detector fails.
pub fn count(folder: &Path, detector: &mut dyn FaceDetector) -> anyhow::Result<Vec<VideoRow>> {
    let mut rows = Vec::new();
    for name in file_names(folder)? {
        let path = folder.join(&name);
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gif")) {
            rows.push(count_one(&path, detector)?);
        }
    }
    if rows.is_empty() {
        return Err(bad_input(format!("{}: there is no GIF file in it", folder.display())));
    }
    Ok(rows)
}

fn count_one(path: &Path, detector: &mut dyn FaceDetector) -> anyhow::Result<VideoRow> {
    let refuse = |error: &dyn std::fmt::Display| bad_input(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(|error| refuse(&error))?;
    let decoder = GifDecoder::new(BufReader::new(file)).map_err(|error| refuse(&error))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut row = VideoRow { video: name, frames: 0, with_a_face: 0, boxes: 0, most: 0 };
    let mut known = Vec::new();
    for frame in decoder.into_frames() {
        let colour = DynamicImage::ImageRgba8(frame.map_err(|error| refuse(&error))?.into_buffer()).into_rgb8();
        let (width, height) = (colour.width() as usize, colour.height() as usize);
        let gray = Rgb8::packed(colour.as_raw(), width, height).map_err(|error| refuse(&error))?.to_gray();
        let faces = detector
            .detect_again(gray.view(), &known)
            .with_context(|| format!("frame {} of {}", row.frames, path.display()))?;
        row.frames += 1;
        row.with_a_face += usize::from(!faces.is_empty());
        row.boxes += faces.len();
        row.most = row.most.max(faces.len());
        known = faces.into_iter().map(|face| face.rect).collect();
    }
    Ok(row)
}
