//! The contract between the trainer and the device.
//!
//! A *bundle* is a folder of models with a manifest. Everything that decides what a
//! bundle answers for a picture lives here and only here: the order of the labels, the
//! canonical crop, the tensor made of it, the blur estimate, the choice between the
//! *clear* and the *robust* model, and the inference itself. The trainer measures the
//! very code that the device runs.
//!
//! Nothing in this crate opens a device, starts a thread or reads a clock; the only
//! file access is in [`Bundle`] and [`write`].

#![forbid(unsafe_code)]

mod align;
mod blur;
mod bundle;
mod bundle_write;
mod classifier;
mod degrade;
mod detect;
mod embedded;
mod equalise;
mod error;
mod expression;
mod golden;
mod image;
mod manifest;
mod manifest_check;
pub mod onnx;
mod optimise;
mod preprocess;
mod recognizer;
mod resample;
mod select;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod test_bundle;
#[cfg(test)]
mod test_network;

pub use align::Alignment;
pub use blur::{BlurEstimate, BlurMeasure};
pub use bundle::Bundle;
pub use bundle_write::write;
pub use classifier::{Classifier, Scores};
pub use degrade::{BlurLevel, box_blur, gaussian_blur};
pub use detect::{DetectError, DetectedFace, FaceDetector, Landmarks, RustfaceDetector, YunetDetector};
pub use equalise::{clahe, equalise};
pub use error::{BundleError, ClassifierError, ImageError, LabelError};
pub use expression::{Expression, LabelSet};
pub use golden::{GoldenPair, GoldenSet};
pub use image::{Gray8, GrayImage, PixelPoint, PixelRect, Rgb8};
pub use manifest::{DetectorEntry, FileEntry, Manifest, ModelEntry, Provenance, SCHEMA};
pub use preprocess::{InputSpec, Normalisation};
pub use recognizer::{Recognition, Recognizer};
pub use resample::resize;
pub use select::{GateConfig, ModelChoice};
