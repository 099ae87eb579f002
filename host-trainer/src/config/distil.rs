//! `[distil]`, `[robust-distil]` and `[votes]`: what a network learns from besides the labels.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::range::within;
use crate::failure::bad_input;

/// Distillation (Hinton et al. 2015): part of a face's target is what trained networks say of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct DistilConfig {
    /// Folders of bundles with the same expressions; each bundle's clear model, all weighing equally. If `consistent`, work
    /// folders of trainings on the same data too.
    pub teachers: Vec<PathBuf>,
    /// Trials of the same study whose bundles teach as well; `trial` and `study` find them among the results.
    pub trials: Vec<String>,
    /// Files that the command `answers` wrote, each in the place of a teacher that is not at hand.
    pub answers: Vec<PathBuf>,
    /// What the teachers' logits are divided by (0.1..=20); higher says more of the classes that are not the best.
    pub temperature: f32,
    /// Share of the target that is the teachers' (0..=1); the rest is the label's.
    pub weight: f32,
    /// Whether the teachers are asked at every step about the changed copy of a face that the network in training sees,
    /// before its blur: see [`crate::teachers`]. Otherwise they are asked once, about the face as it is.
    pub consistent: bool,
    /// Whether what the teachers have by heart of the training faces' labels is taken out of what they say: see
    /// [`crate::by_heart`]. They must not have learned from the faces that this trial keeps for validation: same data, same
    /// seed, no smaller `validation-share`.
    pub forget_labels: bool,
}

impl Default for DistilConfig {
    fn default() -> Self {
        Self {
            teachers: Vec::new(),
            trials: Vec::new(),
            answers: Vec::new(),
            temperature: 2.0,
            weight: 0.5,
            consistent: false,
            forget_labels: false,
        }
    }
}

/// What the robust model learns from the clear one that was just trained, which sees each face sharp where the robust one
/// sees it blurred. The clear model then takes the place of the teachers of `[distil]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RobustDistilConfig {
    /// What the clear model's logits are divided by (0.1..=20).
    pub temperature: f32,
    /// Share of the target that is the clear model's (0..=1); the rest is the label's.
    pub weight: f32,
    /// As in `[distil]`.
    pub consistent: bool,
}

impl Default for RobustDistilConfig {
    fn default() -> Self {
        Self { temperature: 2.0, weight: 0.5, consistent: false }
    }
}

/// What ten people a face said when asked again (FER+, beside FER-2013): their votes, translated into how likely each of
/// the data's own labels is, see [`crate::crowd`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct VotesConfig {
    /// `fer2013new.csv`, with a line for every line of the data: its path, from the folder that the data lies in.
    pub file: PathBuf,
    /// Share of the target that is theirs (0..=1); the rest is the label's.
    pub weight: f32,
}

impl Default for VotesConfig {
    fn default() -> Self {
        Self { file: "fer2013new.csv".into(), weight: 0.5 }
    }
}

impl VotesConfig {
    /// The same with the path of the file as it is from here, for data at this path.
    pub fn beside(&self, data: &Path) -> Self {
        Self { file: data.parent().unwrap_or(Path::new("")).join(&self.file), ..self.clone() }
    }

    pub(super) fn check(&self) -> anyhow::Result<()> {
        within("votes.weight", self.weight.into(), 0.0, 1.0)
    }
}

impl RobustDistilConfig {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        within("robust-distil.temperature", self.temperature.into(), 0.1, 20.0)?;
        within("robust-distil.weight", self.weight.into(), 0.0, 1.0)
    }
}

impl DistilConfig {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.teachers.is_empty() && self.trials.is_empty() && self.answers.is_empty() {
            return Err(bad_input(
                "distil.teachers, distil.trials and distil.answers are empty; name at least one bundle, trial or file",
            ));
        }
        if self.consistent && !self.answers.is_empty() {
            return Err(bad_input(
                "distil.answers: they are about the faces as they are, which distil.consistent does not ask about\n  leave one \
                 of the two out",
            ));
        }
        if self.consistent && self.forget_labels {
            return Err(bad_input(
                "distil.forget-labels: it is measured on what is said of the faces as they are, which distil.consistent does \
                 not ask about\n  leave one of the two out",
            ));
        }
        if let Some(name) = self.trials.iter().find(|name| name.is_empty() || name.contains(['/', '\\'])) {
            return Err(bad_input(format!("distil.trials: {name:?} is no name of a trial")));
        }
        within("distil.temperature", self.temperature.into(), 0.1, 20.0)?;
        within("distil.weight", self.weight.into(), 0.0, 1.0)
    }
}
