//! The trial file: everything that decides what a training run produces, with defaults.

use std::path::Path;

use anyhow::Context;
use models::{InputSpec, Normalisation};
use serde::{Deserialize, Serialize};

use crate::failure::bad_input;

/// The recipe of the default bundle.
const SHIPPED: &str = include_str!("../trials/default.toml");

/// A whole trial: one network, trained twice, once on clear faces and once more on blurred ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TrialConfig {
    /// Name of the bundle.
    pub name: String,
    /// Seed of the split, the weights and every augmentation.
    pub seed: u64,
    /// Share of Training that is kept for validation (0.01..=0.5): early stopping, gate, temperature.
    pub validation_share: f32,
    /// Below this calibrated probability a bundle calls an expression unsure (0..=1).
    pub unsure_below: f32,
    /// What the network is given.
    pub input: InputSpec,
    /// The network's structure.
    pub network: NetworkConfig,
    /// How the clear model is trained, from random weights.
    pub clear: Recipe,
    /// How the robust model is fine-tuned, from the clear model's weights.
    pub robust: Recipe,
}

/// Which network, and how wide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum NetworkConfig {
    /// Residual 3x3 convolutions behind a stride-2 stem: what tract runs fastest for its accuracy.
    Residual {
        /// Channels of each stage; each stage halves the picture's side (the first: the stem).
        widths: Vec<usize>,
        /// Residual blocks in each stage.
        blocks: Vec<usize>,
        /// Dropout before the classifier (0..1).
        dropout: f64,
    },
    /// Arriaga et al. 2017, "Real-time Convolutional Neural Networks for Emotion and Gender
    /// Classification": the reference network of the acting-mirror study.
    MiniXception,
}

/// One stage of training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Recipe {
    /// Passes over the training faces at most.
    pub epochs: usize,
    /// Faces a step.
    pub batch: usize,
    /// Epochs at the beginning that see the faces at `small-side`, which costs less and loses
    /// little (progressive resizing; the network ends in an average over any size).
    pub small_epochs: usize,
    /// Side of the faces in those epochs, px.
    pub small_side: usize,
    /// Peak learning rate of SGD with Nesterov momentum; falls to 0 along a cosine.
    pub learning_rate: f64,
    /// Momentum (0..1).
    pub momentum: f64,
    /// L2 penalty on every weight.
    pub weight_decay: f32,
    /// Steps over which the learning rate rises from 0.
    pub warm_up_steps: usize,
    /// Share of the target spread over all classes (0..1).
    pub label_smoothing: f32,
    /// Decay a step of the exponential moving average of the weights; 0 switches it off.
    pub ema_decay: f64,
    /// Epochs without a better validation accuracy before the stage ends.
    pub patience: usize,
    /// Random changes to each face.
    pub augment: AugmentConfig,
}

/// Random changes to a face; each range is symmetric unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AugmentConfig {
    /// Mirror half of the faces.
    pub flip: bool,
    /// Rotation, degrees.
    pub rotation_deg: f32,
    /// Scale, share of the side.
    pub scale: f32,
    /// Shift along each axis, share of the side.
    pub shift: f32,
    /// Contrast, share.
    pub contrast: f32,
    /// Brightness, share of the full range of 255.
    pub brightness: f32,
    /// Probability of one erased rectangle (0..=1).
    pub erase_probability: f32,
    /// Probability that a face is blurred (0..=1): half of them by a box, half by a Gaussian.
    pub blur_probability: f32,
    /// Strongest blur: radius of the box in px at a side of 128 px ("very high" is 14).
    pub blur_radius_at_128_px: f32,
}

impl Default for TrialConfig {
    fn default() -> Self {
        Self {
            name: "mien".into(),
            seed: 1,
            validation_share: 0.08,
            unsure_below: 0.4,
            input: InputSpec { side: 48, normalisation: Normalisation::PerCrop { min_std: 8.0 } },
            network: NetworkConfig::Residual { widths: vec![32, 64, 128, 256], blocks: vec![0, 1, 1, 1], dropout: 0.2 },
            clear: Recipe::default(),
            robust: Recipe {
                epochs: 8,
                small_epochs: 0,
                learning_rate: 0.03,
                warm_up_steps: 100,
                augment: AugmentConfig { blur_probability: 0.7, ..AugmentConfig::default() },
                ..Recipe::default()
            },
        }
    }
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            epochs: 20,
            batch: 128,
            small_epochs: 10,
            small_side: 32,
            learning_rate: 0.1,
            momentum: 0.9,
            weight_decay: 5e-4,
            warm_up_steps: 300,
            label_smoothing: 0.1,
            ema_decay: 0.998,
            patience: 10,
            augment: AugmentConfig::default(),
        }
    }
}

impl Default for AugmentConfig {
    fn default() -> Self {
        Self {
            flip: true,
            rotation_deg: 10.0,
            scale: 0.1,
            shift: 0.08,
            contrast: 0.3,
            brightness: 0.15,
            erase_probability: 0.2,
            blur_probability: 0.0,
            blur_radius_at_128_px: 16.0,
        }
    }
}

impl TrialConfig {
    /// Reads and checks a trial file; without one, the recipe of the default bundle.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown key (with its line), a value out of range.
    pub fn read(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Self::parse(SHIPPED, "trials/default.toml") };
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| bad_input(format!("{name}: cannot read the trial file: {error}")))?;
        Self::parse(&text, &name)
    }

    fn parse(text: &str, name: &str) -> anyhow::Result<Self> {
        let config: Self = toml::from_str(text).map_err(|error| bad_input(format!("{name}: {error}")))?;
        config.check().with_context(|| name.to_owned())?;
        Ok(config)
    }

    /// What decides the outcome of a stage (0 clear, 1 robust): the trial without what only comes
    /// after it, so that the clear model is not trained again for another robust recipe.
    pub fn up_to(&self, stage: u64) -> Self {
        let mut decisive = self.clone();
        decisive.name = String::new();
        decisive.unsure_below = 0.0;
        if stage == 0 {
            decisive.robust = Recipe::default();
        }
        decisive
    }

    /// Checks every range that the types leave open.
    fn check(&self) -> anyhow::Result<()> {
        let within = |key: &str, value: f64, low: f64, high: f64| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(bad_input(format!("{key} = {value} is outside {low}..={high}")))
            }
        };
        if self.name.is_empty() || !self.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
            return Err(bad_input(format!("name = {:?}: use letters, digits, '-', '_' and '.'", self.name)));
        }
        within("validation-share", self.validation_share.into(), 0.01, 0.5)?;
        within("unsure-below", self.unsure_below.into(), 0.0, 1.0)?;
        within("input.side", self.input.side as f64, 16.0, 256.0)?;
        self.network.check()?;
        for (stage, recipe) in [("clear", &self.clear), ("robust", &self.robust)] {
            let key = |name: &str| format!("{stage}.{name}");
            within(&key("epochs"), recipe.epochs as f64, 1.0, 10_000.0)?;
            within(&key("batch"), recipe.batch as f64, 2.0, 8192.0)?;
            within(&key("small-side"), recipe.small_side as f64, 16.0, 256.0)?;
            within(&key("patience"), recipe.patience as f64, 1.0, 10_000.0)?;
            within(&key("learning-rate"), recipe.learning_rate, 1e-8, 10.0)?;
            within(&key("momentum"), recipe.momentum, 0.0, 0.9999)?;
            within(&key("weight-decay"), recipe.weight_decay.into(), 0.0, 1.0)?;
            within(&key("label-smoothing"), recipe.label_smoothing.into(), 0.0, 0.9)?;
            within(&key("ema-decay"), recipe.ema_decay, 0.0, 0.999_999)?;
            let augment = &recipe.augment;
            within(&key("augment.rotation-deg"), augment.rotation_deg.into(), 0.0, 180.0)?;
            within(&key("augment.scale"), augment.scale.into(), 0.0, 0.9)?;
            within(&key("augment.shift"), augment.shift.into(), 0.0, 0.9)?;
            within(&key("augment.contrast"), augment.contrast.into(), 0.0, 1.0)?;
            within(&key("augment.brightness"), augment.brightness.into(), 0.0, 1.0)?;
            within(&key("augment.erase-probability"), augment.erase_probability.into(), 0.0, 1.0)?;
            within(&key("augment.blur-probability"), augment.blur_probability.into(), 0.0, 1.0)?;
            within(&key("augment.blur-radius-at-128-px"), augment.blur_radius_at_128_px.into(), 0.0, 64.0)?;
        }
        Ok(())
    }
}

impl NetworkConfig {
    /// The name written into a bundle.
    pub fn name(&self) -> String {
        match self {
            Self::Residual { widths, blocks, .. } => {
                let join = |list: &[usize]| list.iter().map(usize::to_string).collect::<Vec<_>>().join("-");
                format!("residual {} x {}", join(widths), join(blocks))
            }
            Self::MiniXception => "mini-Xception".into(),
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        let Self::Residual { widths, blocks, dropout } = self else { return Ok(()) };
        if widths.is_empty() || widths.len() != blocks.len() || widths.len() > 6 {
            return Err(bad_input(format!(
                "network: widths has {} entries and blocks {}; give 1 to 6 of each, as many of one as of the other",
                widths.len(),
                blocks.len()
            )));
        }
        if widths.iter().any(|width| !(1..=4096).contains(width)) || blocks.iter().any(|&count| count > 64) {
            return Err(bad_input("network: widths must lie in 1..=4096 and blocks in 0..=64"));
        }
        if !(0.0..1.0).contains(dropout) {
            return Err(bad_input(format!("network.dropout = {dropout} is outside 0..1")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::is_bad_input;

    #[test]
    fn every_shipped_trial_is_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("trials");
        let names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| TrialConfig::read(Some(&entry.unwrap().path())).unwrap().name)
            .collect();
        assert!(names.contains(&TrialConfig::read(None).unwrap().name), "{names:?}");
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let error = TrialConfig::parse("name = \"a\"\n\n[clear]\nepoch = 3\n", "a.toml").unwrap_err();
        assert!(is_bad_input(&error));
        let told = format!("{error:#}");
        assert!(told.contains("a.toml") && told.contains("line 4") && told.contains("epoch"), "{told}");
    }

    #[test]
    fn a_value_out_of_range_is_refused_with_its_key() {
        for (text, key) in [
            ("[clear]\nbatch = 0", "clear.batch"),
            ("[robust.augment]\nscale = 2.0", "robust.augment.scale"),
            ("[network]\nkind = \"residual\"\nwidths = [8]\nblocks = []\ndropout = 0.0", "blocks"),
            ("name = \"a b\"", "name"),
        ] {
            let error = TrialConfig::parse(text, "a.toml").unwrap_err();
            assert!(is_bad_input(&error) && format!("{error:#}").contains(key), "{error:#}");
        }
    }
}
