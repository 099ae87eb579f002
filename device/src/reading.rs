//! What Mien read in one frame: the one result that every sink gets.
//!
//! The JSON form is described in `READINGS.md`; a change that breaks a reader of it
//! raises [`SCHEMA_VERSION`].

use models::{BlurMeasure, Expression, ModelChoice, PixelRect};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

/// Version of the JSON form; the first key of every line.
pub const SCHEMA_VERSION: u32 = 1;

/// The result of one frame.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reading {
    /// Always [`SCHEMA_VERSION`].
    pub schema: u32,
    /// Number of the frame in its source, from 0.
    pub frame: u64,
    /// File name of the picture, for picture sources.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_name: Option<String>,
    /// Time of the frame since the source started, in ms, monotonic.
    pub captured_at_ms: f64,
    /// Width of the frame in px.
    pub width: usize,
    /// Height of the frame in px.
    pub height: usize,
    /// The faces, biggest first.
    pub faces: Vec<FaceReading>,
    /// What each stage took for this frame.
    pub stages: StageTimes,
    /// Frames that the source dropped so far because newer ones were there.
    pub dropped: u64,
    /// Frames among these that came damaged.
    pub bad_frames: u64,
    /// Exposure time in microseconds, where the camera states it; asked for once a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure_us: Option<u32>,
    /// Frames a second, smoothed over about a second of processing time.
    pub fps: f32,
    /// Heat and supply of the board, where it can be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<BoardState>,
}

/// What makes a board slow down or fail.
#[derive(Copy, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BoardState {
    /// Temperature of the hottest sensor in °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_celsius: Option<f32>,
    /// The board runs slower than it could, now, because it is hot or short of power.
    pub throttled: bool,
    /// The supply gives too little voltage, now.
    pub under_voltage: bool,
}

impl BoardState {
    /// From here on boards slow themselves down or soon will, in °C.
    pub const HOT_CELSIUS: f32 = 80.0;

    /// Whether the board needs cooling.
    pub fn is_hot(&self) -> bool {
        self.temperature_celsius.is_some_and(|celsius| celsius >= Self::HOT_CELSIUS)
    }
}

/// What was read in one face.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FaceReading {
    /// Identity of the face, kept from frame to frame; never used twice in a run.
    pub id: u64,
    /// Where the face is, in px of the frame.
    #[serde(rename = "box")]
    pub rect: PixelRect,
    /// The detector's confidence, 0..=1.
    pub detector_score: f32,
    /// The expression shown: smoothed, and held until another one clearly leads.
    pub expression: Expression,
    /// Smoothed probability of each expression, in the label order of the bundle.
    #[serde(serialize_with = "scores_as_map")]
    pub scores: Vec<(Expression, f32)>,
    /// The best probability is below the bundle's `unsure-below`: show it as a guess.
    pub unsure: bool,
    /// How sharp the face is.
    pub blur: BlurReading,
    /// Which model classified the face in this frame.
    pub model: ModelChoice,
    /// Why that model, in words: `blur 0.12 below 0.20`.
    pub why: String,
}

/// The blur estimate of a face and the threshold it was held against.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct BlurReading {
    /// The estimate in the bundle's measure: small is blurred.
    pub value: f32,
    /// The gate's threshold in the same measure: below it the robust model is used.
    pub threshold: f32,
    /// The measure that `value` and `threshold` are in.
    pub measure: BlurMeasure,
    /// Variance of the 3x3 Laplacian over the aligned crop, in gray levels squared.
    pub laplacian_variance: f32,
    /// The same divided by the variance of the crop.
    pub normalised: f32,
}

/// Time of each stage for one frame, in microseconds.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StageTimes {
    /// Getting the frame from the source: reading, decoding, or drawing the demo.
    pub decode_us: u64,
    /// Finding faces or following them; 0 in frames where the detector rests (`every` of `[detect]`).
    pub detect_us: u64,
    /// Cutting the canonical crops of all faces.
    pub align_us: u64,
    /// Blur estimate and choice of the model for all faces.
    pub blur_us: u64,
    /// Classification of all faces, and steadying the result.
    pub classify_us: u64,
    /// Both of these together.
    pub recognise_us: u64,
    /// Drawing and showing: panel and recorder.
    pub draw_us: u64,
    /// The part of `draw_us` in which the finished picture went to the panel.
    pub flush_us: u64,
    /// From asking the source for the frame until it was drawn.
    pub total_us: u64,
}

fn scores_as_map<S: Serializer>(scores: &[(Expression, f32)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(scores.len()))?;
    for (expression, probability) in scores {
        map.serialize_entry(expression.name(), probability)?;
    }
    map.end()
}

/// Frame `number` of a source with one happy face in it, for tests of sinks.
#[cfg(test)]
pub fn sample(number: u64) -> (crate::frame::Frame, Reading) {
    let frame = crate::frame::Frame {
        number,
        captured_at: std::time::Duration::from_millis(40 * number),
        gray: models::GrayImage::new(64, 48),
        colour: None,
        name: None,
    };
    let face = FaceReading {
        id: 1,
        rect: PixelRect { x: 10.0, y: 8.5, width: 20.0, height: 24.0 },
        detector_score: 0.75,
        expression: Expression::Happy,
        scores: vec![(Expression::Sad, 0.25), (Expression::Happy, 0.75)],
        unsure: false,
        blur: BlurReading {
            value: 0.5,
            threshold: 0.25,
            measure: BlurMeasure::NormalisedLaplacianVariance,
            laplacian_variance: 100.0,
            normalised: 0.5,
        },
        model: ModelChoice::Clear,
        why: "sharpness 0.50 not below 0.25".into(),
    };
    let reading = Reading {
        schema: SCHEMA_VERSION,
        frame: number,
        source_name: None,
        captured_at_ms: 40.0 * number as f64,
        width: 64,
        height: 48,
        faces: vec![face],
        stages: StageTimes::default(),
        dropped: 0,
        bad_frames: 0,
        exposure_us: None,
        fps: 25.0,
        board: None,
    };
    (frame, reading)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The form that `READINGS.md` promises; a change here is a new schema version.
    #[test]
    fn the_json_form_stays_as_documented() {
        let (_, mut reading) = sample(3);
        reading.source_name = Some("a.png".into());
        let json = serde_json::to_string(&reading).unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"schema":1,"frame":3,"source_name":"a.png","captured_at_ms":120.0,"#,
                r#""width":64,"height":48,"faces":[{"id":1,"#,
                r#""box":{"x":10.0,"y":8.5,"width":20.0,"height":24.0},"#,
                r#""detector_score":0.75,"expression":"happy","#,
                r#""scores":{"sad":0.25,"happy":0.75},"unsure":false,"#,
                r#""blur":{"value":0.5,"threshold":0.25,"#,
                r#""measure":"normalised-laplacian-variance","#,
                r#""laplacian_variance":100.0,"normalised":0.5},"model":"clear","#,
                r#""why":"sharpness 0.50 not below 0.25"}],"#,
                r#""stages":{"decode_us":0,"detect_us":0,"align_us":0,"blur_us":0,"#,
                r#""classify_us":0,"recognise_us":0,"draw_us":0,"flush_us":0,"total_us":0},"dropped":0,"bad_frames":0,"fps":25.0}"#
            )
        );
        reading.faces.clear();
        reading.exposure_us = Some(8000);
        assert!(serde_json::to_string(&reading).unwrap().contains(r#""bad_frames":0,"exposure_us":8000,"fps""#));
        let mut board = BoardState { temperature_celsius: Some(61.5), throttled: true, under_voltage: false };
        reading.board = Some(board);
        let json = serde_json::to_string(&reading).unwrap();
        let end = r#""fps":25.0,"board":{"temperature_celsius":61.5,"throttled":true,"under_voltage":false}}"#;
        assert!(json.ends_with(end), "{json}");
        board.temperature_celsius = None;
        assert_eq!(serde_json::to_string(&board).unwrap(), r#"{"throttled":true,"under_voltage":false}"#);
    }
}
