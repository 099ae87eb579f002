//! The frames that every detector is tried on, at every level of blur.

use std::time::Instant;

use models::{BlurLevel, FaceDetector, box_blur};
use serde::Serialize;

use super::super::annotation::Face;
use super::super::config::SceneConfig;
use super::super::faces::Picture;
use super::super::scene::Scene;
use super::figures::{Figures, Tally, quantile};
use crate::augment::stream;
use crate::failure::bad_input;

/// The levels: box blurs of radius 0, 4, 8 and 14 px for a face of 128 px.
pub const LEVELS: [BlurLevel; 4] = [BlurLevel::None, BlurLevel::Medium, BlurLevel::High, BlurLevel::VeryHigh];
/// Side of the face whose blur a frame without one gets, px.
const USUAL_SIDE_PX: f32 = 128.0;
/// The random streams of the frames.
const FRAMES: u64 = 2;
/// Sizes of faces, px of the frame: from, to, name.
const SIZES: [(f32, f32, &str); 4] = [
    (0.0, 48.0, "below 48 px"),
    (48.0, 96.0, "48 to 96 px"),
    (96.0, 160.0, "96 to 160 px"),
    (160.0, f32::INFINITY, "160 px and more"),
];
/// Mean grays of faces: from, to, name.
const LIGHTS: [(f32, f32, &str); 3] = [
    (0.0, 50.0, "dark, mean gray below 50"),
    (50.0, 190.0, "usual light"),
    (190.0, 256.0, "bright, mean gray from 190"),
];

/// The figures over a set of frames.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SetReport {
    /// One for each of [`LEVELS`].
    pub levels: Vec<LevelReport>,
}

/// The figures at one level of blur.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LevelReport {
    /// How much the frames were blurred.
    pub level: BlurLevel,
    /// Radius for a face of 128 px.
    pub radius_px: f32,
    /// All faces.
    pub all: Figures,
    /// False boxes a frame without any face.
    pub false_boxes_without_a_face: f64,
    /// By side of the face.
    pub by_size: Vec<(&'static str, Figures)>,
    /// By mean gray of the face.
    pub by_light: Vec<(&'static str, Figures)>,
}

/// Time of a frame, ms, on one thread.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Speed {
    /// Half of the frames took less.
    pub median_ms: f64,
    /// A tenth of the frames took less: the time on a machine with nothing else to do.
    pub p10_ms: f64,
}

/// All frames.
pub struct Trials {
    composed: Vec<Scene>,
    pictures: Vec<Scene>,
}

impl Trials {
    /// Frames of 640x480 px composed of held-out pictures, and so many of the pictures as they are.
    ///
    /// # Errors
    /// Bad input: no pictures.
    pub fn new(held_out: &[Picture], frames: usize, seed: u64) -> anyhow::Result<Self> {
        if held_out.is_empty() || frames == 0 {
            return Err(bad_input("there is no picture to measure on; hold out a larger share with --held-out-share"));
        }
        let config = SceneConfig {
            width: 640,
            height: 480,
            smallest_face_px: 24.0,
            largest_face_px: 320.0,
            empty: 0.15,
            faces: 1,
            rotation_deg: 12.0,
            covered: 0.0,
            blurred_scenes: 0.0,
            blurred_faces: 0.0,
            dark: 0.15,
            bright: 0.1,
            noisy: 0.3,
            jpeg: 0.0,
            ..SceneConfig::default()
        };
        let compose = |index| Scene::compose(held_out, &config, &mut stream(seed, FRAMES, 0, index));
        let step = held_out.len().div_ceil(frames);
        let as_they_are = |picture: &Picture| Scene {
            image: picture.pyramid.full().to_image(),
            faces: picture.faces.clone(),
            doubtful: Vec::new(),
        };
        Ok(Self {
            composed: (0..frames as u64).map(compose).collect(),
            pictures: held_out.iter().step_by(step).map(as_they_are).collect(),
        })
    }

    /// Tries a detector: on the composed frames, on the pictures, and how long it took on the sharp frames.
    ///
    /// # Errors
    /// The detector fails.
    pub fn run(&self, detector: &mut dyn FaceDetector) -> anyhow::Result<(SetReport, SetReport, Speed)> {
        let mut times = Vec::new();
        let composed = run_set(&self.composed, detector, &mut times)?;
        times.truncate(self.composed.len());
        let pictures = run_set(&self.pictures, detector, &mut Vec::new())?;
        let speed = Speed { median_ms: quantile(times.clone(), 0.5), p10_ms: quantile(times, 0.1) };
        Ok((composed, pictures, speed))
    }
}

/// Tries a detector on a set, level after level; every frame's time is added to `times`, ms.
fn run_set(scenes: &[Scene], detector: &mut dyn FaceDetector, times: &mut Vec<f32>) -> anyhow::Result<SetReport> {
    let mut levels = Vec::new();
    for level in LEVELS {
        let (mut all, mut empty) = (Tally::default(), Tally::default());
        let mut sizes = vec![Tally::default(); SIZES.len()];
        let mut lights = vec![Tally::default(); LIGHTS.len()];
        for scene in scenes {
            let side = scene.faces.first().map_or(USUAL_SIDE_PX, Face::side);
            let blurred = box_blur(scene.image.view(), level.radius_px(side.round() as usize));
            let began = Instant::now();
            let boxes = detector.detect(blurred.view())?;
            times.push(began.elapsed().as_secs_f32() * 1e3);
            let matched = all.add(scene, &boxes);
            if scene.faces.is_empty() {
                empty.add(scene, &boxes);
            }
            for (face, found) in scene.faces.iter().zip(&matched) {
                let gray = mean_gray(scene, face);
                for (tallies, ranges, value) in
                    [(&mut sizes, &SIZES[..], face.side()), (&mut lights, &LIGHTS[..], gray)]
                {
                    let class = ranges.iter().position(|&(from, to, _)| (from..to).contains(&value));
                    if let Some(tally) = class.and_then(|class| tallies.get_mut(class)) {
                        tally.add_face(face, found.as_ref());
                    }
                }
            }
        }
        let named = |ranges: &[(f32, f32, &'static str)], tallies: &[Tally]| {
            ranges.iter().zip(tallies).map(|(&(_, _, name), tally)| (name, tally.figures())).collect()
        };
        levels.push(LevelReport {
            level,
            radius_px: level.radius_px(USUAL_SIDE_PX as usize),
            all: all.figures(),
            false_boxes_without_a_face: empty.figures().false_boxes_a_picture,
            by_size: named(&SIZES, &sizes),
            by_light: named(&LIGHTS, &lights),
        });
    }
    Ok(SetReport { levels })
}

/// Mean gray of the part of the face's box that is in the frame; 0 if nothing is.
fn mean_gray(scene: &Scene, face: &Face) -> f32 {
    let Some((part, ..)) = scene.image.view().part(&face.rect) else { return 0.0 };
    let sum: u64 = (0..part.height()).flat_map(|y| part.row(y)).map(|&pixel| u64::from(pixel)).sum();
    sum as f32 / (part.width() * part.height()) as f32
}
