//! The way of a frame: detect, track, align, recognise, smooth, reading. One straight
//! line; what stands at its two ends is [`crate::source`] and [`crate::sink`].

use std::collections::HashMap;

use anyhow::Context;
use models::{BlurEstimate, DetectedFace, FaceDetector, GateConfig, GrayImage, ModelChoice, Recognition, Recognizer};

use crate::clock::{Clock, FrameRate, micros_between};
use crate::config::Config;
use crate::frame::Frame;
use crate::reading::{BlurReading, FaceReading, Reading, SCHEMA_VERSION, StageTimes};
use crate::smooth::{SmoothRule, Smoother};
use crate::track::Tracker;

/// Overlap (intersection over union) from which on two faces that are followed have become one.
const SAME_FACE: f32 = 0.3;
/// A detector that can follow looks at every n-th whole frame, unless another pace is set: chosen by how little the
/// readings differ from those of looking at every frame.
const FOLLOWED_EVERY: u32 = 3;

/// Everything that looks at frames, and what it remembers of the faces in them.
pub struct Pipeline {
    detector: Box<dyn FaceDetector>,
    recognizer: Recognizer,
    clock: Box<dyn Clock>,
    smooth: SmoothRule,
    /// The detector looks at every n-th whole frame: as set, and at the moment.
    usual_every: u32,
    detect_every: u32,
    min_score: f32,
    /// Frames follow each other in time.
    is_sequence: bool,

    tracker: Tracker,
    people: HashMap<u64, Person>,
    /// The faces of the last frame, biggest first, with the ids.
    faces: Vec<(u64, DetectedFace)>,
    /// Frames since the detector looked at a whole one.
    rested: u32,
    rate: FrameRate,
}

/// What is remembered of a face.
struct Person {
    smoother: Smoother,
    model: ModelChoice,
}

impl Pipeline {
    /// A pipeline that has seen nothing yet. `is_sequence` is
    /// [`crate::source::Source::is_sequence`]: without it every frame stands for itself.
    pub fn new(
        detector: Box<dyn FaceDetector>,
        recognizer: Recognizer,
        clock: Box<dyn Clock>,
        config: &Config,
        is_sequence: bool,
    ) -> Self {
        let pace = if detector.can_follow() { FOLLOWED_EVERY } else { 1 };
        // Pictures that have nothing to do with each other are all looked at.
        let usual_every = if is_sequence { config.detect.every.unwrap_or(pace) } else { 1 };
        Self {
            smooth: config.smooth_rule(recognizer.unsure_below()),
            usual_every,
            detect_every: usual_every,
            min_score: config.detect.min_score.unwrap_or(0.0),
            is_sequence,
            tracker: Tracker::new(config.track_rule()),
            people: HashMap::new(),
            faces: Vec::new(),
            rested: u32::MAX,
            rate: FrameRate::default(),
            detector,
            recognizer,
            clock,
        }
    }

    /// The detector's name.
    pub fn detector_name(&self) -> &str {
        self.detector.name()
    }

    /// Lets the detector look at every n-th whole frame at most from now on, n from 1, or more seldom where that is set
    /// anyway; gives the n that holds. Pictures that have nothing to do with each other are all looked at.
    pub fn look_at_most_every(&mut self, n: u32) -> u32 {
        self.detect_every = if self.is_sequence { self.usual_every.max(n) } else { 1 };
        self.detect_every
    }

    /// Reads one frame. `decode_us`, `draw_us` and `total_us` of the stage times, what was dropped
    /// and the state of the board are left to whoever drives source and sinks.
    ///
    /// # Errors
    /// When a network cannot be run; the error names the frame.
    pub fn process(&mut self, frame: &Frame) -> anyhow::Result<Reading> {
        let failed = |what| move || format!("{what} failed in frame {}", frame.number);
        if !self.is_sequence {
            self.tracker.forget_all();
            self.people.clear();
        }
        let began = self.clock.now();
        let looked = self.look(frame).with_context(failed("the face detector"))?;
        let found = self.clock.now();
        let crops = self.crops(frame);
        let aligned = self.clock.now();
        let routes = self.routes(&crops);
        let routed = self.clock.now();
        let mut faces = Vec::with_capacity(crops.len());
        for (index, (crop, route)) in crops.iter().zip(routes).enumerate() {
            let face = self.read_face(index, crop, route, frame).with_context(failed("the recognition"))?;
            faces.push(face);
        }
        let classified = self.clock.now();

        let seen = !crops.is_empty();
        Ok(Reading {
            schema: SCHEMA_VERSION,
            frame: frame.number,
            source_name: frame.name.clone(),
            captured_at_ms: 1000.0 * frame.captured_at.as_secs_f64(),
            width: frame.gray.width(),
            height: frame.gray.height(),
            faces,
            stages: StageTimes {
                detect_us: if looked { micros_between(began, found) } else { 0 },
                align_us: if seen { micros_between(found, aligned) } else { 0 },
                blur_us: if seen { micros_between(aligned, routed) } else { 0 },
                classify_us: if seen { micros_between(routed, classified) } else { 0 },
                recognise_us: if seen { micros_between(aligned, classified) } else { 0 },
                ..StageTimes::default()
            },
            dropped: 0,
            bad_frames: 0,
            exposure_us: None,
            fps: self.rate.tick(began),
            board: None,
        })
    }

    /// Finds the faces of a frame, or follows those that are known, and gives everybody their id. Whether the
    /// detector looked at all: one that cannot follow rests, and the boxes hold.
    fn look(&mut self, frame: &Frame) -> anyhow::Result<bool> {
        self.rested = self.rested.saturating_add(1);
        let is_due = self.rested >= self.detect_every;
        if !is_due && (self.faces.is_empty() || !self.detector.can_follow()) {
            return Ok(false);
        }
        let followed = if is_due { None } else { self.followed(frame)? };
        let faces = match followed {
            Some(faces) => faces,
            None => {
                self.rested = 0;
                self.detector.detect_again(frame.gray.view(), &self.tracker.places())?
            }
        };
        self.name_faces(faces);
        Ok(true)
    }

    /// The known faces where they are now; `None` if one is lost or two became one, which only a look at the whole
    /// frame can sort out.
    fn followed(&mut self, frame: &Frame) -> anyhow::Result<Option<Vec<DetectedFace>>> {
        let mut faces: Vec<DetectedFace> = Vec::with_capacity(self.faces.len());
        for (_, known) in &self.faces {
            let Some(face) = self.detector.follow(frame.gray.view(), &known.rect)? else { return Ok(None) };
            if face.score < self.min_score || faces.iter().any(|other| other.rect.iou(&face.rect) > SAME_FACE) {
                return Ok(None);
            }
            faces.push(face);
        }
        Ok(Some(faces))
    }

    fn name_faces(&mut self, mut faces: Vec<DetectedFace>) {
        faces.retain(|face| face.score >= self.min_score);
        faces.sort_by(|a, b| b.rect.area().total_cmp(&a.rect.area()));
        let ids = self.tracker.update(&faces);
        self.faces = ids.into_iter().zip(faces).collect();
        self.people.retain(|&id, _| self.tracker.is_known(id));
    }

    /// The canonical crops of the faces.
    fn crops(&self, frame: &Frame) -> Vec<GrayImage> {
        let alignment = self.recognizer.alignment();
        let side = self.recognizer.input().side;
        self.faces.iter().map(|(_, face)| alignment.crop(frame.gray.view(), face, side)).collect()
    }

    /// How blurred each crop is and which model it goes to.
    fn routes(&self, crops: &[GrayImage]) -> Vec<(BlurEstimate, ModelChoice)> {
        let previous = |id| self.people.get(id).map(|person| person.model);
        let faces = self.faces.iter().zip(crops);
        faces.map(|((id, _), crop)| self.recognizer.route(crop.view(), previous(id))).collect()
    }

    /// Classifies one face and steadies the result with what was seen of it before.
    fn read_face(
        &mut self,
        index: usize,
        crop: &GrayImage,
        (blur, model): (BlurEstimate, ModelChoice),
        frame: &Frame,
    ) -> anyhow::Result<FaceReading> {
        let (id, face) = &self.faces[index];
        let scores = self.recognizer.scores_with(crop.view(), model)?;
        let now = Recognition { blur, model, scores };
        let scores = now.scores.as_slice();
        let person = self
            .people
            .entry(*id)
            .and_modify(|person| {
                person.smoother.update(scores, frame.captured_at, &self.smooth);
                person.model = now.model;
            })
            .or_insert_with(|| Person {
                smoother: Smoother::start(scores, frame.captured_at, &self.smooth),
                model: now.model,
            });
        let shown = person.smoother.shown();
        let scores: Vec<_> = self.recognizer.labels().iter().zip(person.smoother.scores().iter().copied()).collect();
        let gate = self.recognizer.gate();
        Ok(FaceReading {
            id: *id,
            rect: face.rect,
            detector_score: face.score,
            expression: scores[shown.index].0,
            scores,
            unsure: shown.unsure,
            blur: BlurReading {
                value: now.blur.value(gate.measure),
                threshold: gate.threshold,
                measure: gate.measure,
                laplacian_variance: now.blur.laplacian_variance,
                normalised: now.blur.normalised,
            },
            model: now.model,
            why: why(&now, gate),
        })
    }
}

/// The reason for the choice of the model, in words.
fn why(now: &Recognition, gate: &GateConfig) -> String {
    let value = now.blur.value(gate.measure);
    let threshold = gate.threshold;
    let is_below = value < threshold;
    let side = if is_below { "below" } else { "not below" };
    let agrees = is_below == (now.model == ModelChoice::Robust);
    let held = if agrees { "" } else { ", too near to switch" };
    format!("sharpness {} {side} {}{held}", short(value), short(threshold))
}

/// Three figures or so, whatever the measure's range.
fn short(value: f32) -> String {
    if value.abs() < 10.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
