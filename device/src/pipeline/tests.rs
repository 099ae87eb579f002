//! The pipeline with a scripted detector and constant models.

use std::time::Duration;

use models::{Bundle, DetectError, Expression, Gray8, PixelRect};

use super::*;
use crate::clock::fake::SteppingClock;
use crate::testing::{BLUR_THRESHOLD, write_bundle};

/// Finds a face wherever the script says, one entry a call.
struct Scripted(Vec<Vec<PixelRect>>);

impl FaceDetector for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    fn detect(&mut self, _picture: Gray8<'_>) -> Result<Vec<DetectedFace>, DetectError> {
        let face = |rect| DetectedFace { rect, score: 0.9, landmarks: None };
        Ok(self.0.remove(0).into_iter().map(face).collect())
    }
}

fn pipeline(script: Vec<Vec<PixelRect>>, config: &Config, is_sequence: bool) -> Pipeline {
    let folder = tempfile::tempdir().unwrap();
    let bundle = Bundle::open(&write_bundle(folder.path())).unwrap();
    Pipeline::new(
        Box::new(Scripted(script)),
        bundle.recognizer().unwrap(),
        Box::new(SteppingClock::new(Duration::from_millis(1))),
        config,
        is_sequence,
    )
}

fn square(x: f32, side: f32) -> PixelRect {
    PixelRect { x, y: 20.0, width: side, height: side }
}

/// Sharp frames are a checkerboard of fields, the others flat.
fn frame(number: u64, is_sharp: bool) -> Frame {
    let mut gray = GrayImage::new(320, 120);
    for (index, pixel) in gray.pixels_mut().iter_mut().enumerate() {
        let (x, y) = (index % 320, index / 320);
        *pixel = if is_sharp && (x / 6 + y / 6) % 2 == 0 { 200 } else { 50 };
    }
    Frame { number, captured_at: Duration::from_millis(40 * number), gray, colour: None, name: None }
}

#[test]
fn faces_come_biggest_first_with_steady_ids() {
    let script = vec![vec![square(10.0, 60.0), square(200.0, 80.0)], vec![square(12.0, 90.0), square(202.0, 80.0)]];
    let mut pipeline = pipeline(script, &Config::default(), true);
    let first = pipeline.process(&frame(0, true)).unwrap();
    let ids = |reading: &Reading| reading.faces.iter().map(|f| f.id).collect::<Vec<_>>();
    assert_eq!(ids(&first), [1, 2]);
    assert_eq!(first.faces[0].rect, square(200.0, 80.0));
    let second = pipeline.process(&frame(1, true)).unwrap();
    assert_eq!(ids(&second), [2, 1]);
    assert_eq!(second.captured_at_ms, 40.0);
    assert!(second.stages.detect_us >= 1000 && second.stages.recognise_us >= 1000);
}

#[test]
fn blur_switches_the_model_and_the_smoothed_answer_follows() {
    let script = vec![vec![square(100.0, 80.0)]; 60];
    let mut pipeline = pipeline(script, &Config::default(), true);
    let sharp = pipeline.process(&frame(0, true)).unwrap();
    assert_eq!(sharp.faces[0].model, ModelChoice::Clear);
    assert_eq!(sharp.faces[0].expression, Expression::Happy);
    assert!(sharp.faces[0].why.contains("not below 100"));
    let blurred = pipeline.process(&frame(1, false)).unwrap();
    let face = &blurred.faces[0];
    assert_eq!(face.model, ModelChoice::Robust);
    assert!(face.blur.value < BLUR_THRESHOLD && face.why.contains(" below 100"));
    assert_eq!(face.expression, Expression::Happy, "not after one frame");
    let mut last = blurred;
    for number in 2..40 {
        last = pipeline.process(&frame(number, false)).unwrap();
    }
    assert_eq!(last.faces[0].expression, Expression::Surprise);
    assert_eq!(last.faces[0].id, 1);
}

#[test]
fn a_resting_detector_leaves_the_boxes_where_they_were() {
    let mut config = Config::default();
    config.detect.every = Some(3);
    let script = vec![vec![square(10.0, 60.0)], vec![]];
    let mut pipeline = pipeline(script, &config, true);
    for number in 0..3 {
        let reading = pipeline.process(&frame(number, true)).unwrap();
        assert_eq!(reading.faces.len(), 1);
        assert_eq!(reading.stages.detect_us > 0, number == 0);
    }
    assert!(pipeline.process(&frame(3, true)).unwrap().faces.is_empty());
}

#[test]
fn unrelated_pictures_share_nobody_and_nothing() {
    let script = vec![vec![square(10.0, 60.0)]; 2];
    let mut pipeline = pipeline(script, &Config::default(), false);
    pipeline.process(&frame(0, true)).unwrap();
    let second = pipeline.process(&frame(1, false)).unwrap();
    assert_eq!(second.faces[0].id, 2);
    assert_eq!(second.faces[0].expression, Expression::Surprise);
}

#[test]
fn faces_that_the_detector_doubts_are_left_out() {
    let mut config = Config::default();
    config.detect.min_score = Some(0.95);
    let mut pipeline = pipeline(vec![vec![square(10.0, 60.0)]], &config, true);
    assert!(pipeline.process(&frame(0, true)).unwrap().faces.is_empty());
}

/// Sees one face, and is sure of it at the first look only.
struct Doubting {
    looks: usize,
}

impl FaceDetector for Doubting {
    fn name(&self) -> &str {
        "doubting"
    }

    fn detect(&mut self, picture: Gray8<'_>) -> Result<Vec<DetectedFace>, DetectError> {
        self.detect_again(picture, &[])
    }

    fn detect_again(&mut self, _picture: Gray8<'_>, known: &[PixelRect]) -> Result<Vec<DetectedFace>, DetectError> {
        self.looks += 1;
        let face = DetectedFace { rect: square(10.0, 60.0), score: 0.5, landmarks: None };
        let is_seen = self.looks == 1 || known.iter().any(|place| place.iou(&face.rect) > 0.5);
        Ok(if is_seen { vec![face] } else { vec![] })
    }
}

#[test]
fn a_detector_is_told_where_faces_were_if_frames_follow_each_other() {
    for (is_sequence, expected) in [(true, 1), (false, 0)] {
        let mut pipeline = pipeline(vec![], &Config::default(), is_sequence);
        pipeline.detector = Box::new(Doubting { looks: 0 });
        assert_eq!(pipeline.process(&frame(0, true)).unwrap().faces.len(), 1);
        assert_eq!(pipeline.process(&frame(1, true)).unwrap().faces.len(), expected, "{is_sequence}");
    }
}
