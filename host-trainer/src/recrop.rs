//! Cuts the faces of pictures that are all face out of them once more, closer, as the transfer-learning study (R4 of the reference systems) did.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, anyhow};
use models::{Alignment, FaceDetector, GrayImage, RustfaceDetector};
use rayon::prelude::*;

use crate::detector::evaluate::framing::framed;
use crate::progress::FaceBar;
use crate::sample::DataSet;
use crate::say::say;

/// The box of the detector and nothing around it.
const CLOSE: Alignment =
    Alignment { box_scale: 1.0, box_shift_x: 0.0, box_shift_y: 0.0, eye_y: 0.4, eye_distance: 0.4 };

/// Every face of `data` in the box of the built-in detector, at its old size; those that it does not find stay as they are.
///
/// # Errors
/// A face that cannot be read, a detector that fails.
pub fn recrop(mut data: DataSet) -> anyhow::Result<DataSet> {
    let progress = FaceBar::new("cutting out", data.samples.len());
    let found = AtomicUsize::new(0);
    let side = data.side;
    data.samples.par_iter_mut().try_for_each_init(
        || RustfaceDetector::new().map_err(|error| anyhow!("the face detector does not start: {error}")),
        |detector, sample| {
            let detector = detector.as_mut().map_err(|error| anyhow!("{error}"))?;
            let close = close_up(detector, sample.face.read()?.as_ref(), side)?;
            if let Some(close) = close {
                sample.face = close.into();
                found.fetch_add(1, Ordering::Relaxed);
            }
            progress.step();
            anyhow::Ok(())
        },
    )?;
    progress.finish();
    say(&format!("crop-faces: {} of {} faces found and cut out", found.into_inner(), data.samples.len()));
    Ok(data)
}

/// The biggest face in a picture that is all face; `None` where there is none.
fn close_up(detector: &mut RustfaceDetector, picture: &GrayImage, side: usize) -> anyhow::Result<Option<GrayImage>> {
    let frame = framed(picture);
    let faces = detector.detect(frame.view()).context("the face detector failed")?;
    let biggest = faces.iter().max_by(|a, b| a.rect.area().total_cmp(&b.rect.area()));
    Ok(biggest.map(|face| CLOSE.crop(frame.view(), face, side)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use models::LabelSet;

    use super::*;
    use crate::reader::decode;
    use crate::sample::{Sample, Usage};

    #[test]
    fn a_face_comes_closer_and_what_is_none_stays() {
        // Nobody's face: the mean of at least fifty.
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../device/assets/demo/neutral.png");
        let face = decode(&file, &std::fs::read(&file).unwrap()).unwrap();
        let side = face.width();
        let stripes: Vec<u8> = (0..side * side).map(|at| if at % 7 < 3 { 40 } else { 200 }).collect();
        let stripes = GrayImage::from_vec(stripes, side, side).unwrap();
        let sample = |picture: &GrayImage| Sample::new(2, Usage::Training, 0, picture.clone());
        let data = DataSet {
            path: "faces.csv".into(),
            sha256: String::new(),
            labels: LabelSet::fer2013(),
            side,
            draws_labels: false,
            samples: vec![sample(&face), sample(&stripes)],
        };
        let cropped = recrop(data).unwrap();
        let [found, none] = [0, 1].map(|index: usize| cropped.samples[index].face.read().unwrap().into_owned());
        assert_eq!((found.width(), found.height()), (side, side));
        assert_ne!(found, face);
        assert_eq!(none, stripes);
    }
}
