//! Cuts the face out of a picture.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use models::{Alignment, FaceDetector, Gray8, GrayImage, RustfaceDetector, YunetDetector, resize};

use crate::clean::Reason;
use crate::clean::blank::is_blank;
use crate::failure::bad_input;

/// Detects and aligns faces, on as many threads as want to.
pub struct FaceCutter {
    side: usize,
    alignment: Alignment,
    /// The content and name of a YuNet network; None for the detector that is built in.
    network: Option<(Vec<u8>, String)>,
    /// Detectors that no thread is using; None if the faces were cut out already.
    idle: Option<Mutex<Vec<Box<dyn FaceDetector>>>>,
}

impl FaceCutter {
    /// Faces come out `side` px wide and high.
    ///
    /// # Errors
    /// Bad input: the detector's file cannot be read or is no such network.
    pub fn new(detector: Option<&Path>, aligned: bool, side: usize) -> anyhow::Result<Self> {
        let network = match detector {
            Some(path) => {
                let bytes = std::fs::read(path)
                    .map_err(|error| bad_input(format!("cannot read {}: {error}", path.display())))?;
                Some((bytes, path.display().to_string()))
            }
            None => None,
        };
        let mut cutter = Self { side, alignment: Alignment::default(), network, idle: None };
        if !aligned {
            // One at once, so that a bad network is told before the work.
            cutter.idle = Some(Mutex::new(vec![cutter.detector()?]));
        }
        Ok(cutter)
    }

    /// The biggest face of the picture, framed as the device frames faces, or why there is none.
    ///
    /// # Errors
    /// The detector fails.
    pub fn cut(&self, picture: &GrayImage) -> anyhow::Result<Result<GrayImage, Reason>> {
        let view = picture.view();
        if is_blank(view) {
            return Ok(Err(Reason::Blank));
        }
        let Some(idle) = &self.idle else { return Ok(Ok(self.middle(view))) };
        // A lock that was poisoned by another thread's panic still holds whole detectors.
        let taken = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut detector = match taken {
            Some(detector) => detector,
            None => self.detector()?,
        };
        let faces = detector.detect(view).context("the face detector fails")?;
        idle.lock().unwrap_or_else(PoisonError::into_inner).push(detector);
        let biggest = faces.iter().max_by(|a, b| a.rect.area().total_cmp(&b.rect.area()));
        Ok(biggest.map(|face| self.alignment.crop(view, face, self.side)).ok_or(Reason::NoFace))
    }

    fn detector(&self) -> anyhow::Result<Box<dyn FaceDetector>> {
        Ok(match &self.network {
            Some((bytes, name)) => {
                Box::new(YunetDetector::from_bytes(bytes, name).map_err(|error| bad_input(error.to_string()))?)
            }
            None => Box::new(RustfaceDetector::new()?),
        })
    }

    /// The square in the middle of a picture that is all face.
    fn middle(&self, view: Gray8<'_>) -> GrayImage {
        let short = view.width().min(view.height());
        let (left, top) = ((view.width() - short) / 2, (view.height() - short) / 2);
        let mut square = GrayImage::new(short, short);
        for (y, row) in square.pixels_mut().chunks_exact_mut(short).enumerate() {
            row.copy_from_slice(&view.row(top + y)[left..left + short]);
        }
        if short == self.side { square } else { resize(square.view(), self.side, self.side) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_aligned_picture_is_taken() {
        let cutter = FaceCutter::new(None, true, 16).unwrap();
        let pixels: Vec<u8> =
            (0..16 * 20).map(|index| if (2..18).contains(&(index % 20)) { index as u8 } else { 0 }).collect();
        let picture = GrayImage::from_vec(pixels, 20, 16).unwrap();
        let face = cutter.cut(&picture).unwrap().unwrap();
        assert_eq!((face.width(), face.height()), (16, 16));
        assert_eq!(face.view().row(3), &picture.view().row(3)[2..18]);
        assert_eq!(cutter.cut(&GrayImage::new(16, 16)).unwrap(), Err(Reason::Blank));
    }

    #[test]
    fn a_picture_without_a_face_says_so() {
        let cutter = FaceCutter::new(None, false, 48).unwrap();
        let pixels = (0..160 * 120).map(|index| (index % 160) as u8).collect();
        let picture = GrayImage::from_vec(pixels, 160, 120).unwrap();
        assert_eq!(cutter.cut(&picture).unwrap(), Err(Reason::NoFace));
        let error = FaceCutter::new(Some(Path::new("/nonexistent.onnx")), false, 48).err().unwrap();
        assert!(crate::failure::is_bad_input(&error));
    }
}
