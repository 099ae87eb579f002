//! Finding faces in a gray picture. One file a detector; what they share is here.

mod cut_out;
mod decode;
mod form;
mod nms;
mod rustface;
mod yunet;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::image::{Gray8, PixelPoint, PixelRect};

pub use self::rustface::RustfaceDetector;
pub use self::yunet::YunetDetector;

/// Five points of a face, in px of the picture. Right and left are the subject's own: the right
/// eye of a person who faces the camera is at the left of the picture.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Landmarks {
    /// Centre of the subject's right eye.
    pub right_eye: PixelPoint,
    /// Centre of the subject's left eye.
    pub left_eye: PixelPoint,
    /// Tip of the nose.
    pub nose: PixelPoint,
    /// The subject's right corner of the mouth.
    pub right_mouth: PixelPoint,
    /// The subject's left corner of the mouth.
    pub left_mouth: PixelPoint,
}

/// One face that a detector found.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectedFace {
    /// The detector's box in px of the picture. It may reach beyond the picture's edges, and how
    /// tightly it fits is the detector's habit: [`Alignment`](crate::Alignment) knows it.
    pub rect: PixelRect,
    /// How sure the detector is, 0..=1. Comparable within one detector only.
    pub score: f32,
    /// Eyes, nose and mouth, where the detector gives them.
    pub landmarks: Option<Landmarks>,
}

/// A face detector. It may keep buffers between pictures but no memory of them: the same picture
/// gives the same faces.
pub trait FaceDetector: Send {
    /// Its name in bundles, logs and on the command line, such as `rustface`.
    fn name(&self) -> &str;

    /// The faces in `picture`, in its px, best score first; empty when there are none.
    ///
    /// # Errors
    /// [`DetectError::Run`] when the network behind it fails. A picture too small for a face is
    /// no error: it holds none.
    fn detect(&mut self, picture: Gray8<'_>) -> Result<Vec<DetectedFace>, DetectError>;

    /// [`Self::detect`] for one who was told where faces were in the picture before, px: there a detector may be less sure
    /// than it is of a new face, and look more closely.
    ///
    /// # Errors
    /// As [`Self::detect`].
    fn detect_again(&mut self, picture: Gray8<'_>, _known: &[PixelRect]) -> Result<Vec<DetectedFace>, DetectError> {
        self.detect(picture)
    }

    /// Finds a face again near `place`, its box in the picture before, for much less time than [`Self::detect`] takes;
    /// `None` if it is not there any more. Detectors that cannot do this say so by [`Self::can_follow`].
    ///
    /// # Errors
    /// As [`Self::detect`].
    fn follow(&mut self, picture: Gray8<'_>, place: &PixelRect) -> Result<Option<DetectedFace>, DetectError> {
        Ok(nearest(self.detect(picture)?, place))
    }

    /// Whether [`Self::follow`] costs less than [`Self::detect`].
    fn can_follow(&self) -> bool {
        false
    }
}

/// What `picture` has of the square of `side` px around the middle of `place`, and the left top corner of that part; None if
/// that is nothing, or the square none.
fn around<'a>(picture: Gray8<'a>, place: &PixelRect, side: f32) -> Option<(Gray8<'a>, usize, usize)> {
    let middle = place.center();
    picture.part(&PixelRect { x: middle.x - 0.5 * side, y: middle.y - 0.5 * side, width: side, height: side })
}

/// The face that overlaps `place` most; `None` if none does.
fn nearest(faces: Vec<DetectedFace>, place: &PixelRect) -> Option<DetectedFace> {
    let overlap = |face: &DetectedFace| face.rect.iou(place);
    faces.into_iter().filter(|face| overlap(face) > 0.0).max_by(|a, b| overlap(a).total_cmp(&overlap(b)))
}

/// Why a detector cannot be loaded or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DetectError {
    /// The face model that this program carries does not load: the build is damaged.
    #[error("the embedded rustface model cannot be read: {reason}; build the program anew")]
    EmbeddedModel {
        /// What the loader said.
        reason: String,
    },
    /// The file of a detector cannot be read.
    #[error("cannot read the face detector {}: {source}; check the path", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no ONNX network, or one that cannot be run here.
    #[error("the face detector {name} cannot be loaded: {reason}; it must be an ONNX file")]
    Load {
        /// File name of the network.
        name: String,
        /// What the loader said.
        reason: String,
    },
    /// The network loads, but is not of the YuNet form.
    #[error("the face detector {name} is no YuNet network: {reason}")]
    Shape {
        /// File name of the network.
        name: String,
        /// Which input or output is missing or wrong, and what was expected.
        reason: String,
    },
    /// The network failed on a picture.
    #[error("the face detector {name} failed on a picture: {reason}")]
    Run {
        /// File name of the network.
        name: String,
        /// What the runtime said.
        reason: String,
    },
}
