//! A bundle's own face detector, and the framing that it needs.

use std::path::Path;

use anyhow::Context;
use models::{DetectorEntry, Manifest, YunetDetector};

use crate::detector::evaluate::framing::{Framing, find};
use crate::failure::bad_input;
use crate::sample::Sample;
use crate::say::say;

const DETECTOR_FILE: &str = "detector.onnx";
/// Training faces on which the framing is measured.
const FRAMED_FACES: usize = 2000;

/// A detector that goes into a bundle.
pub struct BundledDetector {
    name: String,
    onnx: Vec<u8>,
    detector: YunetDetector,
}

impl BundledDetector {
    /// Reads an ONNX file of the YuNet form.
    ///
    /// # Errors
    /// Bad input: the file cannot be read or is no such network.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let onnx = std::fs::read(path).map_err(|error| bad_input(format!("cannot read {name}: {error}")))?;
        let detector = YunetDetector::from_bytes(&onnx, &name).map_err(|error| bad_input(error.to_string()))?;
        Ok(Self { name, onnx, detector })
    }

    /// Enters it into a manifest, with the framing that makes its faces look like the training faces; gives its file.
    ///
    /// # Errors
    /// The detector fails.
    pub fn enter(mut self, manifest: &mut Manifest, faces: &[&Sample]) -> anyhow::Result<(String, Vec<u8>)> {
        let some = faces.iter().take(FRAMED_FACES).map(|sample| &sample.face);
        let seen = find(&mut self.detector, some).with_context(|| format!("{} failed", self.name))?;
        let framing = Framing::of(&seen);
        match framing.alignment() {
            Some(alignment) => {
                say(&format!(
                    "{}: finds {} of {} training faces; {alignment:?}",
                    self.name, framing.found, framing.faces
                ));
                manifest.align = alignment;
            }
            None => say(&format!(
                "warning: {} finds {} of {} training faces, too few to measure its framing; the bundle keeps the usual \
                 one",
                self.name, framing.found, framing.faces
            )),
        }
        manifest.detector = DetectorEntry::Yunet { file: DETECTOR_FILE.into(), sha256: String::new() };
        Ok((DETECTOR_FILE.into(), self.onnx))
    }
}
