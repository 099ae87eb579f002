//! The detector that needs nothing else: SeetaFace's frontal-face cascade as ported by the
//! `rustface` crate, with the model from that crate's package embedded.
//!
//! The crate takes a minimum face size and ignores it: it always looks for faces from 40 px up,
//! and its time grows with the picture's area. So the picture is shrunk here first, by as much as
//! makes the smallest face asked for 40 px.
//!
//! A face that was seen a moment ago is looked for around its last place alone, in a view that shows it a little larger
//! than the cascade's window: most of the time goes into windows, and there are few of them in such a view.
//!
//! The cascade was made for sharp pictures. Where it finds nothing it gets a second look at the
//! picture with an unsharp mask, which brings back most of the faces that blur hides from it.

use ::rustface::{FaceInfo, ImageData, Model, create_detector_with_model, read_model};

use super::cut_out::{is_cut_out, with_border};
use super::nms::suppress;
use super::{DetectError, DetectedFace, FaceDetector, around, nearest};
use crate::degrade::box_blur;
use crate::image::{Gray8, GrayImage, PixelRect};
use crate::resample::resize;

/// Put into `OUT_DIR` by build.rs: the crate does not expose it.
const MODEL: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rustface.bin"));
/// Side of the smallest face that the cascade can find in the picture it is given.
const WINDOW_PX: f32 = 40.0;
/// Sum of window scores that becomes a score of 0.5. At half of it there is a false face in a
/// hundred pictures, at twice of it a twentieth of the faces are lost.
const HALF_SURE: f32 = 2.0;
const DEFAULT_THRESHOLD: f32 = 0.5;
/// Shorter side that a cut-out face is brought to, and its border on each side as a share of it: the cascade's window is a
/// little larger than such a cut.
const CUT_OUT_SIDE_PX: f32 = 80.0;
const CUT_OUT_BORDER: f32 = 0.15;
/// No larger picture is handed to the cascade: its integral images count in 32 bits.
const MAX_VIEW_PX: f32 = 4e6;
/// The unsharp mask: radius in px of the picture handed over, and how many times the difference
/// is added. Found by trial on blurred faces of 50 to 200 px.
const SHARPEN_RADIUS_PX: f32 = 6.0;
const SHARPEN_TIMES: f32 = 4.0;
/// Side of the view around a face that is followed, in sides of its box: it may move by half of it in any direction.
const FOLLOW_REACH: f32 = 2.0;
/// Side of the followed face in that view, px.
const FOLLOW_FACE_PX: f32 = 60.0;
/// Overlap from which on a face of the second look is one of the first.
const MAX_IOU: f32 = 0.3;

/// Frontal faces by the SeetaFace cascade; a box without landmarks each.
pub struct RustfaceDetector {
    model: Model,
    min_face_px: Option<f32>,
    threshold: f32,
}

impl RustfaceDetector {
    /// Its name wherever a detector is chosen or told.
    pub const NAME: &str = "rustface";

    /// A detector for faces from a sixth of the picture's shorter side, but at most 120 px, up:
    /// 80 px in a 640x480 frame, which is looked at as 320x240. A picture with a side below
    /// 100 px is looked at as one face cut out, enlarged where that helps.
    ///
    /// # Errors
    /// [`DetectError::EmbeddedModel`] if the model in the program is damaged.
    pub fn new() -> Result<Self, DetectError> {
        let model = read_model(MODEL).map_err(|e| DetectError::EmbeddedModel { reason: e.to_string() })?;
        Ok(Self { model, min_face_px: None, threshold: DEFAULT_THRESHOLD })
    }

    /// Looks for faces from `min_face_px` px of the picture up, 40 at least: pictures are not
    /// enlarged for the sake of faces smaller than that. Time falls with its square.
    #[must_use]
    pub fn with_min_face_px(mut self, min_face_px: f32) -> Self {
        self.min_face_px = Some(min_face_px);
        self
    }

    /// Reports faces from this score up, 0..=1; 0.5 if not set.
    #[must_use]
    pub fn with_threshold(mut self, threshold: f32) -> Self {
        self.threshold = threshold;
        self
    }

    /// The faces in a view, at the second look if there are none at the first.
    fn look_twice(&self, view: &View) -> Vec<DetectedFace> {
        let mut faces = self.look(view, &view.image);
        if !faces.iter().any(|face| face.score >= DEFAULT_THRESHOLD) {
            faces.extend(self.look(view, &sharpened(&view.image)));
        }
        suppress(faces, MAX_IOU)
    }

    fn look(&self, view: &View, image: &GrayImage) -> Vec<DetectedFace> {
        // The crate's detector is not Send, so it cannot live in `self`; copying the model is a
        // hundredth of the work on a frame.
        let mut cascade = create_detector_with_model(self.model.clone());
        // The crate panics at 0 and below.
        let share = self.threshold.clamp(0.0, 1.0);
        let raw = HALF_SURE * share / (1.0 - share);
        cascade.set_score_thresh(f64::from(raw).max(f64::MIN_POSITIVE));
        let (width, height) = (image.width() as u32, image.height() as u32);
        let found = cascade.detect(&ImageData::new(image.pixels(), width, height));
        found.iter().map(|face| view.face_in_picture(face)).collect()
    }
}

impl FaceDetector for RustfaceDetector {
    fn name(&self) -> &str {
        Self::NAME
    }

    /// The cascade gives a sum, over the windows that agree on a face; the score is
    /// `sum / (sum + 2)`: 0.33 for a lone window, 0.9 for a clear face.
    fn detect(&mut self, picture: Gray8<'_>) -> Result<Vec<DetectedFace>, DetectError> {
        let view = View::of(picture, self.min_face_px);
        Ok(view.map_or_else(Vec::new, |view| self.look_twice(&view)))
    }

    fn follow(&mut self, picture: Gray8<'_>, place: &PixelRect) -> Result<Option<DetectedFace>, DetectError> {
        let view = View::around(picture, place);
        Ok(view.and_then(|view| nearest(self.look_twice(&view), place)))
    }

    fn can_follow(&self) -> bool {
        true
    }
}

/// What the cascade gets to see of a picture.
struct View {
    image: GrayImage,
    /// Px of the view a px of the picture.
    scale: f32,
    /// Where the picture's left top corner is in the view, px: inside of a border, or outside of a part of it.
    x: f32,
    y: f32,
}

impl View {
    /// None if no face can be in `picture`.
    fn of(picture: Gray8<'_>, min_face_px: Option<f32>) -> Option<Self> {
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let short = width.min(height);
        let cut_out = is_cut_out(picture);
        let wanted = if cut_out {
            (CUT_OUT_SIDE_PX / short).max(1.0)
        } else {
            WINDOW_PX / min_face_px.unwrap_or((short / 6.0).min(120.0)).max(WINDOW_PX)
        };
        let scale = wanted.min((MAX_VIEW_PX / (width * height)).sqrt());
        if short * scale < WINDOW_PX {
            return None;
        }
        let image = resize(picture, (width * scale).round() as usize, (height * scale).round() as usize);
        if !cut_out {
            return Some(Self { image, scale, x: 0.0, y: 0.0 });
        }
        let border = (short * scale * CUT_OUT_BORDER) as usize;
        Some(Self { image: with_border(&image, border), scale, x: border as f32, y: border as f32 })
    }

    /// The part of `picture` around a face that was at `place`. None if that is too little for a face.
    fn around(picture: Gray8<'_>, place: &PixelRect) -> Option<Self> {
        let side = place.width.max(place.height);
        let (part, left, top) = around(picture, place, FOLLOW_REACH * side)?;
        let scale = FOLLOW_FACE_PX / side;
        let [width, height] = [part.width(), part.height()].map(|px| (px as f32 * scale).round());
        // A box without extent has no such view.
        if !(WINDOW_PX..).contains(&width.min(height)) || !(0.0..MAX_VIEW_PX).contains(&(width * height)) {
            return None;
        }
        let image = resize(part, width as usize, height as usize);
        Some(Self { image, scale, x: -(left as f32) * scale, y: -(top as f32) * scale })
    }

    fn face_in_picture(&self, face: &FaceInfo) -> DetectedFace {
        let (rect, raw) = (face.bbox(), face.score() as f32);
        DetectedFace {
            rect: PixelRect {
                x: (rect.x() as f32 - self.x) / self.scale,
                y: (rect.y() as f32 - self.y) / self.scale,
                width: rect.width() as f32 / self.scale,
                height: rect.height() as f32 / self.scale,
            },
            score: raw / (raw + HALF_SURE),
            landmarks: None,
        }
    }
}

fn sharpened(image: &GrayImage) -> GrayImage {
    let mut out = image.clone();
    let soft = box_blur(image.view(), SHARPEN_RADIUS_PX);
    for (pixel, soft) in out.pixels_mut().iter_mut().zip(soft.pixels()) {
        let (sharp, soft) = (f32::from(*pixel), f32::from(*soft));
        *pixel = (sharp + SHARPEN_TIMES * (sharp - soft)) as u8;
    }
    out
}
