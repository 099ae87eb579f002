//! One labelled picture that may not be decoded yet: reading a data set's list is cheap, its pictures are decoded on all
//! cores.

use std::borrow::Cow;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::{DynamicImage, ImageReader, Limits};
use models::{Gray8, GrayImage, Rgb8};
use sha2::{Digest, Sha256};

use super::unreadable;
use crate::face::Face;
use crate::failure::bad_input;
use crate::sample::Usage;

/// No picture may need more memory than this while it is decoded: 40 million pixels in colour.
const MAX_BYTES: u64 = 128 << 20;

/// A labelled picture of a data set.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it stands: the line of the file, 1-based and the header included, or the 1-based place among all pictures.
    pub row: u64,
    /// What messages and reports call it: the path below the data set's folder, or the line.
    pub place: String,
    /// The part of the data set it belongs to.
    pub usage: Usage,
    /// An index into the reader's labels.
    pub label: usize,
    /// How likely each label is, where several people were asked.
    pub soft: Option<Arc<[f32]>>,
    /// Whom it shows, or which video it is from, where that is known.
    pub subject: Option<Arc<str>>,
    /// The picture.
    pub picture: Picture,
}

/// Where a picture is.
#[derive(Clone, Debug)]
pub enum Picture {
    /// A file of its own.
    File(PathBuf),
    /// Here, or in a shard.
    Gray(Face),
}

impl Picture {
    /// Reads its bytes.
    ///
    /// # Errors
    /// Bad input: a file that cannot be read.
    pub fn content(&self) -> anyhow::Result<Content<'_>> {
        match self {
            Picture::File(path) => {
                Ok(Content::Encoded(path, fs::read(path).map_err(|error| unreadable(path, &error))?))
            }
            Picture::Gray(face) => Ok(Content::Gray(face.read()?)),
        }
    }
}

/// What a picture is kept as.
pub enum Content<'a> {
    /// The bytes of the file.
    Encoded(&'a Path, Vec<u8>),
    /// Gray pixels.
    Gray(Cow<'a, GrayImage>),
}

impl Content<'_> {
    /// SHA-256 of the bytes or pixels.
    pub fn sha256(&self) -> [u8; 32] {
        match self {
            Content::Encoded(_, bytes) => Sha256::digest(bytes).into(),
            Content::Gray(gray) => Sha256::digest(gray.pixels()).into(),
        }
    }

    /// The picture in gray, of whatever size it is.
    ///
    /// # Errors
    /// Bad input: a file that is no whole picture.
    pub fn decode(&self) -> anyhow::Result<GrayImage> {
        match self {
            Content::Encoded(path, bytes) => decode(path, bytes),
            Content::Gray(gray) => Ok(GrayImage::clone(gray)),
        }
    }
}

/// The picture in gray that `bytes` are, whatever its format; `file` is what errors call it.
///
/// # Errors
/// Bad input: no whole picture.
pub fn decode(file: &Path, bytes: &[u8]) -> anyhow::Result<GrayImage> {
    let refuse = |what: String| bad_input(format!("{}: {what}", file.display()));
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| refuse(error.to_string()))?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    let picture =
        reader.decode().map_err(|error| refuse(format!("not a whole picture ({error}); remove or replace it")))?;
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let gray = match picture {
        // The luma of a gray pixel is that pixel: nothing to convert.
        DynamicImage::ImageLuma8(gray) => Gray8::packed(gray.as_raw(), width, height).map(Gray8::to_image),
        other => Rgb8::packed(other.into_rgb8().as_raw(), width, height).map(Rgb8::to_gray),
    };
    gray.map_err(|error| refuse(error.to_string()))
}
