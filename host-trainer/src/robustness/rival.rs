//! One network in the place of two: the robust model of another bundle, asked about every face.

use std::path::Path;

use anyhow::Context;
use models::{Bundle, Gray8, LabelSet, ModelChoice, Recognizer};
use serde::Serialize;

use crate::evaluate::answer::Answer;
use crate::evaluate::sweep;
use crate::failure::bad_input;

/// The rival of a bundle's two models.
pub struct Rival {
    recognizer: Recognizer,
    /// What it is.
    pub about: RivalSettings,
}

/// What a rival is.
#[derive(Clone, Serialize)]
pub struct RivalSettings {
    /// Name of its bundle.
    pub bundle: String,
    /// Its structure.
    pub network: String,
    /// Its weights.
    pub parameters: u64,
    /// SHA-256 of its file.
    pub sha256: String,
}

impl Rival {
    /// Opens the bundle at `path`, whose labels must be `labels` in their order.
    ///
    /// # Errors
    /// A bundle that does not hold, has no robust model, or knows other expressions.
    pub fn open(path: &Path, labels: &LabelSet) -> anyhow::Result<Self> {
        let bundle = Bundle::open(path).map_err(|error| bad_input(format!("rival: {error}")))?;
        let recognizer = bundle.recognizer().map_err(|error| bad_input(format!("rival: {error}")))?;
        let entry = bundle.manifest.model(ModelChoice::Robust);
        let entry = entry.with_context(|| format!("rival {}: it has no robust model", path.display()))?;
        if recognizer.labels() != labels {
            return Err(bad_input(format!(
                "rival {}: it knows {:?}, the bundle {:?}\n  name a bundle that was trained on the same expressions",
                path.display(),
                recognizer.labels().as_slice(),
                labels.as_slice()
            )));
        }
        let about = RivalSettings {
            bundle: bundle.manifest.name.clone(),
            network: entry.network.clone(),
            parameters: entry.parameters,
            sha256: entry.sha256.clone(),
        };
        Ok(Self { recognizer, about })
    }

    /// What it says of a picture of a face with the label `truth`.
    ///
    /// # Errors
    /// The model fails.
    pub fn ask(&self, picture: Gray8<'_>, truth: usize) -> anyhow::Result<Answer> {
        let crop = sweep::crop(&self.recognizer, picture);
        let scores = self.recognizer.scores_with(crop.view(), ModelChoice::Robust).context("the rival failed")?;
        Ok(Answer::new(truth, scores.as_slice()))
    }
}
