//! `[clear]` and `[robust]`: how one stage is trained.

use serde::{Deserialize, Serialize};

use super::augment::AugmentConfig;
use super::range::within;
use crate::failure::bad_input;

/// One stage of training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Recipe {
    /// Passes over the training faces at most; 0 for a model that stays what the trial's `init` gives.
    pub epochs: usize,
    /// Faces a step.
    pub batch: usize,
    /// Epochs at the beginning that see the faces at `small-side`, which costs less and loses
    /// little (progressive resizing; the network ends in an average over any size).
    pub small_epochs: usize,
    /// Side of the faces in those epochs, px.
    pub small_side: usize,
    /// How often the faces of each class are shown.
    pub balance: Balance,
    /// The layers that keep their weights.
    pub frozen: Frozen,
    /// What is minimised.
    pub loss: LossKind,
    /// Of the cross-entropy: how much less the faces count that are already right (Lin et al. 2017; 0 switches it off).
    pub focal_gamma: f64,
    /// Share of the target spread over all classes (0..1).
    pub label_smoothing: f32,
    /// Whether a face counts the more the rarer its class is, so that all classes weigh equally.
    pub class_weights: bool,
    /// How the weights follow the gradient.
    pub optimiser: Optimiser,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// How the learning rate falls from there.
    pub schedule: Schedule,
    /// Steps over which the learning rate rises from 0 at the beginning.
    pub warm_up_steps: usize,
    /// Momentum of `sgd` (0..1).
    pub momentum: f64,
    /// L2 penalty on every weight; with `adam-w`, the share of the learning rate by which weights shrink a step.
    pub weight_decay: f32,
    /// Decay a step of the exponential moving average of the weights; 0 switches it off.
    pub ema_decay: f64,
    /// Epochs without a better validation accuracy before the stage ends.
    pub patience: usize,
    /// Once trained: how much of the logarithm of its label's frequency each logit loses, so that rare labels are said more
    /// often (0..=1; see [`crate::adjust`]). It may be changed without training anew.
    pub logit_adjustment: f32,
    /// Once trained: whether the model answers with the mean of what its network says of a face and of its mirror image, as
    /// test-time augmentation does (Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural networks",
    /// section 4.1): right more often, for twice the work. It is part of its file, so that whatever runs that does so.
    pub mirrored: bool,
    /// Random changes to each face.
    pub augment: AugmentConfig,
}

/// How often the faces of each class are shown.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Balance {
    /// Every face once an epoch.
    #[default]
    None,
    /// Faces of rarer classes again and again, each time changed anew, until every class is as
    /// frequent as the most frequent one: the blur study's way.
    Oversample,
}

/// The layers that keep their weights, and their batch statistics.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Frozen {
    /// None: all learn.
    #[default]
    None,
    /// All before the head.
    Base,
    /// All but so many at the end, the head's included. A convolution with its normalisation is
    /// one layer; layers without weights do not count.
    LastLayers(usize),
}

/// What is minimised.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// Cross-entropy of the softmax, in nats.
    #[default]
    CrossEntropy,
    /// Squared difference of softmax and target, averaged over the classes.
    Mse,
    /// `max(0, 1 - sign * softmax)^2`, averaged over the classes, with sign 1 for the right class and -1 for others, as
    /// Keras' `squared_hinge` behind a softmax.
    SquaredHinge,
}

/// How the weights follow the gradient.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimiser {
    /// Stochastic gradient descent with Nesterov momentum.
    #[default]
    Sgd,
    /// Kingma and Ba 2015, with their constants.
    Adam,
    /// The same with the decay of the weights outside of the gradient (Loshchilov and Hutter 2019).
    AdamW,
}

/// How the learning rate falls.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// To 0 along half a cosine (Loshchilov and Hutter 2017).
    // Not a unit variant: those let unknown keys pass.
    Cosine {},
    /// Not at all.
    Constant {},
    /// By `factor` (0..1) every so many epochs.
    Step {
        /// Epochs between two falls.
        every_epochs: usize,
        /// What the rate is multiplied by.
        factor: f64,
    },
    /// By `factor` (0..1) whenever so many epochs have brought no lower validation loss.
    Plateau {
        /// Epochs that are waited for.
        patience: usize,
        /// What the rate is multiplied by.
        factor: f64,
    },
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Cosine {}
    }
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            epochs: 20,
            batch: 128,
            small_epochs: 10,
            small_side: 32,
            balance: Balance::default(),
            frozen: Frozen::default(),
            loss: LossKind::default(),
            focal_gamma: 0.0,
            label_smoothing: 0.1,
            class_weights: false,
            optimiser: Optimiser::default(),
            learning_rate: 0.1,
            schedule: Schedule::default(),
            warm_up_steps: 300,
            momentum: 0.9,
            weight_decay: 5e-4,
            ema_decay: 0.998,
            patience: 10,
            logit_adjustment: 0.0,
            mirrored: false,
            augment: AugmentConfig::default(),
        }
    }
}

impl Recipe {
    /// Checks every range that the types leave open; `stage` is the name of the table.
    pub(super) fn check(&self, stage: &str) -> anyhow::Result<()> {
        let key = |name: &str| format!("{stage}.{name}");
        within(&key("epochs"), self.epochs as f64, 0.0, 10_000.0)?;
        within(&key("batch"), self.batch as f64, 2.0, 8192.0)?;
        within(&key("patience"), self.patience as f64, 1.0, 10_000.0)?;
        within(&key("learning-rate"), self.learning_rate, 1e-8, 10.0)?;
        within(&key("momentum"), self.momentum, 0.0, 0.9999)?;
        within(&key("weight-decay"), self.weight_decay.into(), 0.0, 1.0)?;
        within(&key("label-smoothing"), self.label_smoothing.into(), 0.0, 0.9)?;
        within(&key("focal-gamma"), self.focal_gamma, 0.0, 10.0)?;
        if self.focal_gamma > 0.0 && self.loss != LossKind::CrossEntropy {
            return Err(bad_input(format!("{stage}: focal-gamma goes with loss = \"cross-entropy\" only")));
        }
        within(&key("logit-adjustment"), self.logit_adjustment.into(), 0.0, 1.0)?;
        within(&key("ema-decay"), self.ema_decay, 0.0, 0.999_999)?;
        if let Frozen::LastLayers(count) = self.frozen {
            within(&key("frozen.last-layers"), count as f64, 1.0, 10_000.0)?;
        }
        match self.schedule {
            Schedule::Cosine {} | Schedule::Constant {} => {}
            Schedule::Step { every_epochs: count, factor } => {
                within(&key("schedule.every-epochs"), count as f64, 1.0, 10_000.0)?;
                within(&key("schedule.factor"), factor, 0.0, 1.0)?;
            }
            Schedule::Plateau { patience: count, factor } => {
                within(&key("schedule.patience"), count as f64, 1.0, 10_000.0)?;
                within(&key("schedule.factor"), factor, 0.0, 1.0)?;
            }
        }
        self.augment.check(&key("augment"))
    }
}
