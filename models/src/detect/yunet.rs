//! Any detector network of the YuNet form, run by tract: the published ones and our own.
//!
//! Input: `[1, 3, H, W]` float, BGR, or `[1, 1, H, W]`, gray; 0..255, sides multiples of 32. Outputs, for each stride s of
//! 8, 16 and 32, with N = H/s * W/s cells: `cls_s` `[1, N, 1]`, `obj_s` `[1, N, 1]`, `bbox_s`
//! `[1, N, 4]`, `kps_s` `[1, N, 10]`; the leading 1 may be missing.
//!
//! A face that was seen a moment ago is looked for around its last place alone, by the same network on a small view, which
//! costs a ninth of what a 320x256 input does. It may also be less sure than a new one (Zhang et al. 2022, "ByteTrack":
//! boxes of a low score are mostly faces where there was a face before). In such a view the network also looks a second time
//! where it was in doubt.

use std::ops::Range;
use std::path::Path;

use tract_onnx::prelude::*;

use super::cut_out::{is_cut_out, with_border};
use super::decode::Level;
use super::form::{Form, STRIDES};
use super::nms::suppress;
use super::{DetectError, DetectedFace, FaceDetector, around, nearest};
use crate::image::{Gray8, GrayImage, PixelPoint, PixelRect};
use crate::resample::resize;

/// Overlap from which on two boxes are one face; OpenCV's value.
const MAX_IOU: f32 = 0.3;
/// A lower one brings the networks of `models/detectors` more false boxes than faces.
const DEFAULT_THRESHOLD: f32 = 0.67;
/// Border of a face cut out, on each side, as a share of the picture's shorter side. 88.8 % of 500 of FER-2013's training
/// faces were found without one, 97.4 % with this and 97.8 % with twice as much, which makes whole small pictures too small.
const CUT_OUT_BORDER: f32 = 0.25;
/// A face that is where one was before needs this share of the threshold, and this overlap with its last place.
const KNOWN_SHARE: f32 = 0.6;
const KNOWN_IOU: f32 = 0.3;
/// A candidate whose score is between these shares of the threshold is looked at once more from near, in the view in which faces
/// are followed and at the scale at which they are found best: small and dim faces come out surer there, what is none less
/// sure. Its score is then the mean of both, in which the second look weighs so much. (Cascades: Viola and Jones 2001; here one
/// network is both stages.)
const DOUBTFUL_SHARES: Range<f32> = 0.45..1.2;
const NEAR_WEIGHT: f32 = 0.6;
/// Places of a picture that are looked at once more at most, the best ones: each costs a ninth of a search.
const SECOND_LOOKS: usize = 4;
/// Side of the view in which a face is followed, px of the input, and of the face in it: it may move by half of its side in
/// any direction, and is of a size that the middle stride finds best.
const FOLLOW_VIEW_PX: usize = 96;
const FOLLOW_FACE_PX: f32 = 48.0;
/// The smallest face that is reported is this share of the picture's shorter side, but at most so many px. Boxes of this
/// form fit tighter than rustface's, so these are the faces from its sixth up.
const MIN_FACE_SHARE: f32 = 1.0 / 8.0;
const MIN_FACE_PX: f32 = 90.0;

/// Faces with five landmarks by a YuNet network. Clones share it.
#[derive(Clone)]
pub struct YunetDetector {
    file: String,
    form: Form,
    /// The network for the view in which a face is followed; None if the file has one size only.
    near: Option<Form>,
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
        let form = Form::load(bytes, name, None)?;
        let near = Form::load(bytes, name, Some((FOLLOW_VIEW_PX, FOLLOW_VIEW_PX))).ok();
        Ok(Self { file: name.to_owned(), form, near, threshold: DEFAULT_THRESHOLD, min_face_px: None })
    }

    /// Reports faces from this score up, 0..=1; 0.67 if not set. Faces that were seen before need six tenths of it.
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

    /// What a form of the network finds in a view, from a score up: the best of each face, px of the picture.
    fn look(&self, form: &Form, view: &View, threshold: f32) -> Result<Vec<DetectedFace>, DetectError> {
        let faces = candidates(form, &view.image, threshold)
            .map_err(|e| DetectError::Run { name: self.file.clone(), reason: format!("{e:#}") })?;
        let mut faces = suppress(faces, MAX_IOU);
        faces.iter_mut().for_each(|face| view.bring_back(face));
        Ok(faces)
    }

    /// The face at `place` as it is seen from near, from a score up; None too if the network has one size only.
    fn look_near(
        &self,
        picture: Gray8<'_>,
        place: &PixelRect,
        threshold: f32,
    ) -> Result<Option<DetectedFace>, DetectError> {
        let (Some(form), Some(view)) = (&self.near, View::around(picture, place)) else { return Ok(None) };
        Ok(nearest(self.look(form, &view, threshold)?, place))
    }

    /// A candidate as it is seen from near, if it is a face by both looks.
    fn look_twice(&self, picture: Gray8<'_>, face: &DetectedFace) -> Result<Option<DetectedFace>, DetectError> {
        let first = (1.0 - NEAR_WEIGHT) * face.score;
        let near = self.look_near(picture, &face.rect, (self.threshold - first) / NEAR_WEIGHT)?;
        Ok(near.map(|near| DetectedFace { score: first + NEAR_WEIGHT * near.score, ..near }))
    }
}

impl FaceDetector for YunetDetector {
    fn name(&self) -> &str {
        "yunet"
    }

    fn detect(&mut self, picture: Gray8<'_>) -> Result<Vec<DetectedFace>, DetectError> {
        self.detect_again(picture, &[])
    }

    fn detect_again(&mut self, picture: Gray8<'_>, known: &[PixelRect]) -> Result<Vec<DetectedFace>, DetectError> {
        let view = View::of(picture, self.input_size());
        let shorter = picture.width().min(picture.height()) as f32;
        let least = self.min_face_px.unwrap_or((shorter * MIN_FACE_SHARE).min(MIN_FACE_PX));
        let mut looks = SECOND_LOOKS;
        let mut faces = Vec::new();
        for face in self.look(&self.form, &view, DOUBTFUL_SHARES.start * self.threshold)? {
            let is_known = || known.iter().any(|place| place.iou(&face.rect) >= KNOWN_IOU);
            if face.rect.area().sqrt() < least {
                continue;
            }
            if face.score >= KNOWN_SHARE * self.threshold && is_known() {
                faces.push(face);
            } else if face.score < DOUBTFUL_SHARES.end * self.threshold && looks > 0 && self.can_follow() {
                looks -= 1;
                faces.extend(self.look_twice(picture, &face)?);
            } else if face.score >= self.threshold {
                faces.push(face);
            }
        }
        // A face does not go from one picture to the next because it turned or blurred: it is looked for where it was.
        for place in known {
            if looks > 0 && !faces.iter().any(|face| place.iou(&face.rect) >= KNOWN_IOU) {
                looks -= 1;
                faces.extend(self.look_near(picture, place, KNOWN_SHARE * self.threshold)?);
            }
        }
        faces.retain(|face| face.rect.area().sqrt() >= least);
        Ok(suppress(faces, MAX_IOU))
    }

    fn follow(&mut self, picture: Gray8<'_>, place: &PixelRect) -> Result<Option<DetectedFace>, DetectError> {
        if self.can_follow() {
            return self.look_near(picture, place, KNOWN_SHARE * self.threshold);
        }
        Ok(nearest(self.detect_again(picture, &[*place])?, place))
    }

    fn can_follow(&self) -> bool {
        self.near.is_some()
    }
}

/// What the network gets to see of a picture.
struct View {
    image: GrayImage,
    /// Px of the view a px of the picture, across and down; they differ by rounding.
    across: f32,
    down: f32,
    /// The left top corner of the view, px of the picture.
    left: f32,
    top: f32,
}

impl View {
    /// The whole picture, as large as it fits into `columns` x `rows` px; one that is a face cut out with a border.
    fn of(picture: Gray8<'_>, size: (usize, usize)) -> Self {
        if !is_cut_out(picture) {
            return Self::fitted(picture, size);
        }
        let border = (CUT_OUT_BORDER * picture.width().min(picture.height()) as f32).ceil();
        let bordered = with_border(&picture.to_image(), border as usize);
        Self { left: -border, top: -border, ..Self::fitted(bordered.view(), size) }
    }

    fn fitted(picture: Gray8<'_>, (columns, rows): (usize, usize)) -> Self {
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let scale = (columns as f32 / width).min(rows as f32 / height);
        Self::shrunk(picture, scale, (columns, rows), (0, 0))
    }

    /// The part of `picture` around a face that was at `place`; None if that is outside, or no box.
    fn around(picture: Gray8<'_>, place: &PixelRect) -> Option<Self> {
        let side = place.area().sqrt();
        let (part, left, top) = around(picture, place, side * FOLLOW_VIEW_PX as f32 / FOLLOW_FACE_PX)?;
        Some(Self::shrunk(part, FOLLOW_FACE_PX / side, (FOLLOW_VIEW_PX, FOLLOW_VIEW_PX), (left, top)))
    }

    /// `part` of a picture, whose left top corner is at `corner` in it, at a scale at which it fits.
    fn shrunk(part: Gray8<'_>, scale: f32, (columns, rows): (usize, usize), corner: (usize, usize)) -> Self {
        let (width, height) = (part.width() as f32, part.height() as f32);
        let within = |side: f32, most: usize| ((side * scale).round() as usize).min(most);
        let image = resize(part, within(width, columns), within(height, rows));
        let (across, down) = (image.width() as f32 / width, image.height() as f32 / height);
        Self { image, across, down, left: corner.0 as f32, top: corner.1 as f32 }
    }

    /// A face of the view becomes one of the picture.
    fn bring_back(&self, face: &mut DetectedFace) {
        let rect = &mut face.rect;
        *rect = PixelRect {
            x: self.left + rect.x / self.across,
            y: self.top + rect.y / self.down,
            width: rect.width / self.across,
            height: rect.height / self.down,
        };
        if let Some(l) = &mut face.landmarks {
            for point in [&mut l.right_eye, &mut l.left_eye, &mut l.nose, &mut l.right_mouth, &mut l.left_mouth] {
                *point = PixelPoint { x: self.left + point.x / self.across, y: self.top + point.y / self.down };
            }
        }
    }
}

/// `image` in the top left corner of the input and black elsewhere, as many planes as the network wants.
fn planes(form: &Form, image: &GrayImage) -> Vec<f32> {
    let cells = form.width * form.height;
    let mut planes = vec![0.0f32; form.channels * cells];
    let lines = image.pixels().chunks_exact(image.width().max(1));
    for (line, target) in lines.zip(planes.chunks_exact_mut(form.width)) {
        for (pixel, value) in line.iter().zip(target) {
            *value = f32::from(*pixel);
        }
    }
    // Gray is the same in blue, green and red.
    for plane in 1..form.channels {
        planes.copy_within(..cells, plane * cells);
    }
    planes
}

/// Everything from a score up, in px of the input.
fn candidates(form: &Form, image: &GrayImage, threshold: f32) -> TractResult<Vec<DetectedFace>> {
    let input = Tensor::from_shape(&[1, form.channels, form.height, form.width], &planes(form, image))?;
    let results = form.network.run(tvec!(input.into()))?;
    let mut faces = Vec::new();
    for (&stride, places) in STRIDES.iter().zip(&form.outputs) {
        let [cls, obj, bbox, kps] = places.map(|place| &results[place]);
        let level = Level {
            stride,
            columns: form.width / stride,
            cls: cls.try_as_plain_ram()?.as_slice()?,
            obj: obj.try_as_plain_ram()?.as_slice()?,
            bbox: bbox.try_as_plain_ram()?.as_slice()?,
            kps: kps.try_as_plain_ram()?.as_slice()?,
        };
        faces.extend(level.faces(threshold));
    }
    Ok(faces)
}
