//! The trial file of a detector.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::form::STRIDES;
use super::loss::PointsWeight;
use crate::config::{file, within};
use crate::failure::bad_input;
use crate::schedule::cosine;

/// The recipe of the shipped detector.
const SHIPPED: &str = include_str!("../../trials/detector.toml");

/// Everything that decides what a detector becomes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct DetectorConfig {
    /// Name of the files that are written.
    pub name: String,
    /// Seed of the split, the weights and every scene.
    pub seed: u64,
    /// Detector whose weights the network starts from instead of random ones, where they fit: an ONNX file that
    /// `train-detector` wrote, a work folder of its, or a `.bpk` file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<PathBuf>,
    /// Once it is trained: how much of the weights becomes again what it was in `init` (0..=1; Wortsman et al. 2022, "Robust
    /// fine-tuning of zero-shot models"). It may be changed without training anew.
    pub init_share: f32,
    /// The epoch whose averaged weights count. It may be changed without training anew.
    pub keep: Keep,
    /// Share of the pictures, whole subjects, that is held out (0.01..=0.5).
    pub held_out_share: f32,
    /// Channels after each of the five convolutions that halve the picture.
    pub widths: [usize; 5],
    /// Residual blocks after each of them but the first.
    pub blocks: [usize; 4],
    /// Channels of the 1x1 convolution in front of each head, at strides 8, 16 and 32.
    pub head_widths: [usize; STRIDES.len()],
    /// Passes, each over scenes that were never seen before.
    pub epochs: usize,
    /// Steps an epoch.
    pub steps: usize,
    /// Scenes a step; every second step has twice as many of half the width and height, which cost half as much.
    pub batch: usize,
    /// Highest learning rate of AdamW.
    pub learning_rate: f64,
    /// Steps over which the learning rate rises from 0 at the beginning.
    pub warm_up_steps: usize,
    /// Share of the learning rate by which weights shrink a step.
    pub weight_decay: f32,
    /// Weight of the points' errors, in sides of the face, in the loss, and in the last `late-epochs` epochs: the points are
    /// what is learned last, and what they need of the network is then put first.
    pub points_weight: f64,
    /// See `points-weight`.
    pub late_points_weight: f64,
    /// See `points-weight`.
    pub late_epochs: usize,
    /// How many times as much as that of another point an error of the tip of the nose weighs: it lies in front of the
    /// face's plane and is the hardest to place.
    pub nose_weight: f64,
    /// Decay a step of the exponential moving average of the weights.
    pub ema_decay: f64,
    /// The scenes.
    pub scene: SceneConfig,
}

/// Which epoch of a training counts.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// The one that did best on scenes of held-out people.
    #[default]
    Best,
    /// The last one.
    Last,
}

/// What scenes are like. Shares are 0..=1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SceneConfig {
    /// Width, px; a multiple of 64.
    pub width: usize,
    /// Height, px; a multiple of 64.
    pub height: usize,
    /// Smallest face, px of its side.
    pub smallest_face_px: f32,
    /// Largest face, px of its side.
    pub largest_face_px: f32,
    /// Share of the scenes without a face.
    pub empty: f32,
    /// Share of the scenes that are one whole picture, with all that is near its face.
    pub whole_pictures: f32,
    /// Faces of a scene that has some, at most.
    pub faces: usize,
    /// Mirror half of the faces. The points of a set may all lie a little to one side of where people see them, as those of
    /// YouTube Faces do: in a mirror to the other side, and what is learned from both lies between.
    pub flip: bool,
    /// Faces are turned by up to this, degrees.
    pub rotation_deg: f32,
    /// Share of the faces that something covers in part.
    pub covered: f32,
    /// Share of the scenes that are blurred as a whole.
    pub blurred_scenes: f32,
    /// Share of the faces that are blurred on their own.
    pub blurred_faces: f32,
    /// Largest radius of blur, px, for a face of 128 px.
    pub blur_radius_at_128_px: f32,
    /// Share of very dark scenes.
    pub dark: f32,
    /// Share of over-exposed scenes.
    pub bright: f32,
    /// Share of scenes of little contrast: through haze or a dirty lens, or against the light.
    pub hazy: f32,
    /// Share of the scenes with noise.
    pub noisy: f32,
    /// Share of the scenes that went through JPEG.
    pub jpeg: f32,
}

impl Default for DetectorConfig {
    fn default() -> Self {
        Self {
            name: "detector".into(),
            seed: 1,
            init: None,
            init_share: 0.0,
            keep: Keep::default(),
            held_out_share: 0.15,
            widths: [16, 32, 64, 64, 64],
            blocks: [0, 1, 2, 1],
            head_widths: [64, 128, 192],
            epochs: 16,
            steps: 300,
            batch: 16,
            learning_rate: 2e-3,
            warm_up_steps: 200,
            weight_decay: 0.02,
            points_weight: 8.0,
            late_points_weight: 32.0,
            late_epochs: 8,
            nose_weight: 1.0,
            ema_decay: 0.998,
            scene: SceneConfig::default(),
        }
    }
}

impl Default for SceneConfig {
    fn default() -> Self {
        Self {
            width: 320,
            height: 256,
            smallest_face_px: 16.0,
            largest_face_px: 220.0,
            empty: 0.1,
            whole_pictures: 0.0,
            faces: 6,
            flip: true,
            rotation_deg: 20.0,
            covered: 0.12,
            blurred_scenes: 0.3,
            blurred_faces: 0.2,
            blur_radius_at_128_px: 16.0,
            dark: 0.15,
            bright: 0.08,
            hazy: 0.0,
            noisy: 0.5,
            jpeg: 0.15,
        }
    }
}

impl DetectorConfig {
    /// Reads and checks a trial file; without one, the recipe of the shipped detector.
    ///
    /// # Errors
    /// Bad input: a file that cannot be read, an unknown key (with its line), a value out of range.
    pub fn read(path: Option<&Path>) -> anyhow::Result<Self> {
        file::read(path, ("trials/detector.toml", SHIPPED), Self::check)
    }

    /// The trial cut down until it proves in seconds that its way can be gone. What comes out is worth nothing.
    pub fn quick(mut self) -> Self {
        self.name = format!("{}-quick", self.name);
        self.widths = [8; 5];
        self.head_widths = [8; STRIDES.len()];
        self.init = None;
        self.init_share = 0.0;
        self.epochs = 1;
        self.batch = 4;
        self.steps = 4;
        self.scene.shrink_to(128, 128);
        self
    }

    /// How many scenes a step (of an epoch, from 0) shows, and what they are like.
    pub fn scenes(&self, step: usize) -> (usize, SceneConfig) {
        let mut scene = self.scene.clone();
        if step.is_multiple_of(2) {
            return (self.batch, scene);
        }
        scene.shrink_to(scene.width / 2, scene.height / 2);
        (2 * self.batch, scene)
    }

    /// What decides the outcome of an epoch, whatever comes after it: without how long the training is, and what becomes of
    /// its weights. So a training can be prolonged from its checkpoint.
    pub fn without_length(&self) -> Self {
        Self { epochs: 0, late_epochs: 0, init_share: 0.0, keep: Keep::default(), ..self.clone() }
    }

    /// Learning rate of a step of an epoch (both from 0).
    pub fn learning_rate_at(&self, epoch: usize, step: usize) -> f64 {
        cosine(self.learning_rate, epoch * self.steps + step, self.warm_up_steps, self.epochs * self.steps)
    }

    /// Weight of the points in an epoch (from 0).
    pub fn points_weight_at(&self, epoch: usize) -> PointsWeight {
        let is_late = epoch + self.late_epochs >= self.epochs;
        PointsWeight { all: if is_late { self.late_points_weight } else { self.points_weight }, nose: self.nose_weight }
    }

    fn check(&self) -> anyhow::Result<()> {
        let scene = &self.scene;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.is_empty() || !self.name.chars().all(plain) {
            return Err(bad_input(format!("name = \"{}\": letters, digits, `-`, `_` and `.` only", self.name)));
        }
        within("init-share", self.init_share.into(), 0.0, 1.0)?;
        if self.init_share > 0.0 && self.init.is_none() {
            return Err(bad_input(
                "init-share: there is no init whose weights could have a share\n  name a detector with init",
            ));
        }
        within("held-out-share", self.held_out_share.into(), 0.01, 0.5)?;
        for (key, widths) in [("widths", &self.widths[..]), ("head-widths", &self.head_widths)] {
            for &width in widths {
                within(key, width as f64, 1.0, 1024.0)?;
            }
        }
        for blocks in self.blocks {
            within("blocks", blocks as f64, 0.0, 16.0)?;
        }
        within("epochs", self.epochs as f64, 1.0, 10_000.0)?;
        within("batch", self.batch as f64, 2.0, 1024.0)?;
        within("steps", self.steps as f64, 1.0, 1e8)?;
        within("learning-rate", self.learning_rate, 1e-9, 1.0)?;
        within("weight-decay", self.weight_decay.into(), 0.0, 1.0)?;
        within("points-weight", self.points_weight, 0.0, 1000.0)?;
        within("late-points-weight", self.late_points_weight, 0.0, 1000.0)?;
        within("nose-weight", self.nose_weight, 0.0, 1000.0)?;
        within("ema-decay", self.ema_decay, 0.0, 0.999_999)?;
        for (key, side) in [("scene.width", scene.width), ("scene.height", scene.height)] {
            within(key, side as f64, 64.0, 2048.0)?;
            if side % 64 != 0 {
                return Err(bad_input(format!("{key} = {side} is no multiple of 64")));
            }
        }
        let shorter = scene.width.min(scene.height) as f64;
        within("scene.largest-face-px", scene.largest_face_px.into(), 8.0, shorter)?;
        within("scene.smallest-face-px", scene.smallest_face_px.into(), 8.0, scene.largest_face_px.into())?;
        within("scene.faces", scene.faces as f64, 1.0, 64.0)?;
        within("scene.rotation-deg", scene.rotation_deg.into(), 0.0, 90.0)?;
        within("scene.blur-radius-at-128-px", scene.blur_radius_at_128_px.into(), 0.0, 64.0)?;
        let lights = scene.dark + scene.bright + scene.hazy;
        within("scene.dark, scene.bright and scene.hazy together", lights.into(), 0.0, 1.0)?;
        for (key, share) in [
            ("scene.empty", scene.empty),
            ("scene.whole-pictures", scene.whole_pictures),
            ("scene.covered", scene.covered),
            ("scene.blurred-scenes", scene.blurred_scenes),
            ("scene.blurred-faces", scene.blurred_faces),
            ("scene.dark", scene.dark),
            ("scene.bright", scene.bright),
            ("scene.hazy", scene.hazy),
            ("scene.noisy", scene.noisy),
            ("scene.jpeg", scene.jpeg),
        ] {
            within(key, share.into(), 0.0, 1.0)?;
        }
        Ok(())
    }
}

impl SceneConfig {
    /// Smaller scenes, and no faces that are too large for them.
    pub fn shrink_to(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        self.largest_face_px = self.largest_face_px.min(0.9 * width.min(height) as f32);
        self.smallest_face_px = self.smallest_face_px.min(self.largest_face_px);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::failure::is_bad_input;

    #[test]
    fn the_shipped_trial_is_read_and_can_be_cut_down() {
        let config = DetectorConfig::read(None).unwrap();
        config.clone().quick().check().unwrap();
        let text = toml::to_string(&config).unwrap();
        assert_eq!(file::parse(&text, "a.toml", DetectorConfig::check).unwrap(), config);
    }

    #[test]
    fn every_shipped_trial_is_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("trials");
        for name in crate::detector::TRIALS {
            let config = DetectorConfig::read(Some(&folder.join(name))).unwrap();
            // The files of a detector have its name.
            assert_eq!(config.name, "detector");
        }
    }

    #[test]
    fn unknown_keys_and_values_out_of_range_are_refused() {
        for (text, key) in [
            ("epoch = 3", "epoch"),
            ("[scene]\nblur = 3", "blur"),
            ("batch = 0", "batch"),
            ("name = \"a/b\"", "name"),
            ("widths = [16, 32, 64]", "widths"),
            ("head-widths = [64, 0, 64]", "head-widths"),
            ("init-share = 0.5", "init-share"),
            ("[scene]\nwidth = 100", "scene.width"),
            ("[scene]\nsmallest-face-px = 300", "smallest-face-px"),
            ("[scene]\ndark = 0.7\nbright = 0.7", "dark"),
        ] {
            let error = file::parse(text, "a.toml", DetectorConfig::check).unwrap_err();
            assert!(is_bad_input(&error) && format!("{error:#}").contains(key), "{error:#}");
        }
    }
}
