//! A fixed frame and readings for tests.

use std::time::Duration;

use models::{BlurMeasure, Expression, GrayImage, ModelChoice, PixelRect};

use crate::frame::Frame;
use crate::reading::{BlurReading, FaceReading, Reading, SCHEMA_VERSION, StageTimes};

/// Gray squares in a gradient, 640x480 px.
pub fn frame(number: u64) -> Frame {
    let mut gray = GrayImage::new(640, 480);
    for (i, pixel) in gray.pixels_mut().iter_mut().enumerate() {
        let (x, y) = (i % 640, i / 640);
        *pixel = (50 + 9 * (x / 40) + 4 * (y / 40)) as u8;
    }
    Frame {
        number,
        captured_at: Duration::from_millis(50 * number),
        gray,
        colour: None,
        name: Some("sample".to_owned()),
    }
}

/// A reading with `faces` faces (up to 2): a happy sharp one, and an unsure blurred one.
pub fn reading(faces: usize) -> Reading {
    let happy = [0.02, 0.01, 0.02, 0.87, 0.01, 0.03, 0.04];
    let torn = [0.12, 0.03, 0.24, 0.05, 0.34, 0.10, 0.12];
    let all = [
        face(7, (200.0, 120.0, 190.0), Expression::Happy, &happy, 0.42),
        face(9, (470.0, 210.0, 110.0), Expression::Sad, &torn, 0.05),
    ];
    Reading {
        schema: SCHEMA_VERSION,
        frame: 100,
        source_name: Some("sample".to_owned()),
        captured_at_ms: 5000.0,
        width: 640,
        height: 480,
        faces: all.into_iter().take(faces).collect(),
        stages: StageTimes {
            decode_us: 900,
            detect_us: 21_300,
            align_us: 310,
            recognise_us: 2_400,
            ..StageTimes::default()
        },
        dropped: 0,
        bad_frames: 0,
        exposure_us: None,
        fps: 24.6,
        board: None,
    }
}

/// A face in the square `(x, y, side)`; below 0.2 it counts as blurred, below 0.5 as unsure.
fn face(id: u64, square: (f32, f32, f32), expression: Expression, scores: &[f32], sharpness: f32) -> FaceReading {
    let (x, y, side) = square;
    let labels = models::LabelSet::fer2013();
    let best = scores.iter().copied().fold(0.0, f32::max);
    FaceReading {
        id,
        rect: PixelRect { x, y, width: side, height: side },
        detector_score: 0.97,
        expression,
        scores: labels.iter().zip(scores.iter().copied()).collect(),
        unsure: best < 0.5,
        blur: BlurReading {
            value: sharpness,
            threshold: 0.2,
            measure: BlurMeasure::NormalisedLaplacianVariance,
            laplacian_variance: 900.0 * sharpness,
            normalised: sharpness,
        },
        model: if sharpness < 0.2 { ModelChoice::Robust } else { ModelChoice::Clear },
        why: format!("blur {sharpness:.2} against 0.20"),
    }
}
