//! Any detector network of the YuNet form, run by tract: the published ones and our own.
//!
//! Input: `[1, 3, H, W]` float, BGR, or `[1, 1, H, W]`, gray; 0..255, sides multiples of 32. Outputs, for each stride s of
//! 8, 16 and 32, with N = H/s * W/s cells: `cls_s` `[1, N, 1]`, `obj_s` `[1, N, 1]`, `bbox_s`
//! `[1, N, 4]`, `kps_s` `[1, N, 10]`; the leading 1 may be missing.

use std::path::Path;

use tract_onnx::prelude::*;

use super::decode::Level;
use super::form::{Form, STRIDES};
use super::nms::suppress;
use super::{DetectError, DetectedFace, FaceDetector};
use crate::image::{Gray8, PixelPoint};
use crate::resample::resize;

/// Overlap from which on two boxes are one face; OpenCV's value.
const MAX_IOU: f32 = 0.3;
const DEFAULT_THRESHOLD: f32 = 0.6;
/// The smallest face that is reported is this share of the picture's shorter side, but at most so many px. Boxes of this
/// form fit tighter than rustface's, so these are the faces from its sixth up.
const MIN_FACE_SHARE: f32 = 1.0 / 8.0;
const MIN_FACE_PX: f32 = 90.0;

/// Faces with five landmarks by a YuNet network. Clones share it.
#[derive(Clone)]
pub struct YunetDetector {
    file: String,
    form: Form,
    threshold: f32,
    min_face_px: Option<f32>,
}

impl YunetDetector {
    /// Loads the network in the file `path`. The picture is looked at in the size that the file
    /// gives its input, or as 320x256 where it leaves that open. Reported are faces from an eighth of the picture's shorter
    /// side, but at most 90 px, up: 60 px in a 640x480 frame.
    ///
    /// # Errors
    /// [`DetectError::Read`], [`DetectError::Load`] or [`DetectError::Shape`].
    pub fn from_onnx(path: &Path) -> Result<Self, DetectError> {
        let bytes = std::fs::read(path).map_err(|source| DetectError::Read { path: path.to_owned(), source })?;
        Self::from_bytes(&bytes, &path.display().to_string())
    }

    /// The same from the contents of a file; `name` is what errors call it.
    ///
    /// # Errors
    /// [`DetectError::Load`] or [`DetectError::Shape`].
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self, DetectError> {
        let form = Form::load(bytes, name)?;
        Ok(Self { file: name.to_owned(), form, threshold: DEFAULT_THRESHOLD, min_face_px: None })
    }

    /// Reports faces from this score up, 0..=1; 0.6 if not set.
    #[must_use]
    pub fn with_threshold(mut self, threshold: f32) -> Self {
        self.threshold = threshold;
        self
    }

    /// Reports faces from `min_face_px` px of the picture up (square root of the box' area).
    #[must_use]
    pub fn with_min_face_px(mut self, min_face_px: f32) -> Self {
        self.min_face_px = Some(min_face_px);
        self
    }

    /// Width and height in px at which the network looks at a picture.
    pub fn input_size(&self) -> (usize, usize) {
        (self.form.width, self.form.height)
    }

    /// The picture as the network wants it, in the top left corner and black elsewhere, and how
    /// many px of the input a px of the picture is, across and down (they differ by rounding).
    fn letterbox(&self, picture: Gray8<'_>) -> (Vec<f32>, f32, f32) {
        let (columns, rows) = self.input_size();
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let scale = (columns as f32 / width).min(rows as f32 / height);
        let small = resize(
            picture,
            ((width * scale).round() as usize).min(columns),
            ((height * scale).round() as usize).min(rows),
        );
        let mut planes = vec![0.0f32; self.form.channels * columns * rows];
        let lines = small.pixels().chunks_exact(small.width());
        for (line, target) in lines.zip(planes.chunks_exact_mut(columns)) {
            for (pixel, value) in line.iter().zip(target) {
                *value = f32::from(*pixel);
            }
        }
        // Gray is the same in blue, green and red.
        for plane in 1..self.form.channels {
            planes.copy_within(..columns * rows, plane * columns * rows);
        }
        (planes, small.width() as f32 / width, small.height() as f32 / height)
    }

    /// Everything above the threshold, in px of the input.
    fn candidates(&self, planes: &[f32]) -> TractResult<Vec<DetectedFace>> {
        let (columns, rows) = self.input_size();
        let input = Tensor::from_shape(&[1, self.form.channels, rows, columns], planes)?;
        let results = self.form.network.run(tvec!(input.into()))?;
        let mut faces = Vec::new();
        for (&stride, places) in STRIDES.iter().zip(&self.form.outputs) {
            let [cls, obj, bbox, kps] = places.map(|place| &results[place]);
            let level = Level {
                stride,
                columns: columns / stride,
                cls: cls.try_as_plain_ram()?.as_slice()?,
                obj: obj.try_as_plain_ram()?.as_slice()?,
                bbox: bbox.try_as_plain_ram()?.as_slice()?,
                kps: kps.try_as_plain_ram()?.as_slice()?,
            };
            faces.extend(level.faces(self.threshold));
        }
        Ok(faces)
    }
}

impl FaceDetector for YunetDetector {
    fn name(&self) -> &str {
        "yunet"
    }

    fn detect(&mut self, picture: Gray8<'_>) -> Result<Vec<DetectedFace>, DetectError> {
        let (planes, across, down) = self.letterbox(picture);
        let faces = self
            .candidates(&planes)
            .map_err(|e| DetectError::Run { name: self.file.clone(), reason: format!("{e:#}") })?;
        let mut faces = suppress(faces, MAX_IOU);
        for face in &mut faces {
            face.rect.x /= across;
            face.rect.y /= down;
            face.rect.width /= across;
            face.rect.height /= down;
            let back = |p: &mut PixelPoint| *p = PixelPoint { x: p.x / across, y: p.y / down };
            if let Some(l) = &mut face.landmarks {
                for point in [&mut l.right_eye, &mut l.left_eye, &mut l.nose, &mut l.right_mouth, &mut l.left_mouth] {
                    back(point);
                }
            }
        }
        let shorter = picture.width().min(picture.height()) as f32;
        let least = self.min_face_px.unwrap_or((shorter * MIN_FACE_SHARE).min(MIN_FACE_PX));
        faces.retain(|face| face.rect.area().sqrt() >= least);
        Ok(faces)
    }
}
