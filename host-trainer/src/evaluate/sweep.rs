//! Asks both models of a bundle, and its gate, about every face at every level of blur.

use models::{
    BlurEstimate, BlurLevel, ClassifierError, Gray8, GrayImage, ModelChoice, Recognizer, Scores, box_blur, resize,
};
use rayon::prelude::*;

use super::answer::Answer;
use super::gate::{GateSample, Outcome, State};
use crate::face;
use crate::progress::FaceBar;

/// A picture of a face with its right label, an index into the bundle's labels.
#[derive(Copy, Clone)]
pub struct Face<'a> {
    /// The picture, at the size it has in the data set.
    pub picture: &'a face::Face,
    /// The right label.
    pub truth: usize,
}

/// What a bundle said about one face.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceAnswer {
    /// How blurred the canonical crop was.
    pub blur: BlurEstimate,
    /// The model that the gate chose.
    pub model: ModelChoice,
    /// What the clear model said.
    pub clear: ModelAnswer,
    /// What the robust model said.
    pub robust: ModelAnswer,
}

/// What one model said about one face.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelAnswer {
    /// Its most probable label.
    pub answer: Answer,
    /// Logarithm of the probability it gave the right label, nats.
    pub log_likelihood: f32,
}

impl FaceAnswer {
    /// What the model that the gate chose said.
    pub fn routed(&self) -> &Answer {
        match self.model {
            ModelChoice::Clear => &self.clear.answer,
            ModelChoice::Robust => &self.robust.answer,
        }
    }

    /// The same face for the comparison of gates.
    pub fn gate_sample(&self, level: BlurLevel) -> GateSample {
        let outcome =
            |model: &ModelAnswer| Outcome { right: model.answer.is_right(), log_likelihood: model.log_likelihood };
        GateSample {
            state: State::Blurred(level),
            blur: self.blur,
            clear: outcome(&self.clear),
            robust: outcome(&self.robust),
        }
    }
}

/// All answers at one level.
pub struct LevelAnswers {
    /// How much the faces were blurred.
    pub level: BlurLevel,
    /// One for each face, in order.
    pub answers: Vec<FaceAnswer>,
}

/// Blurs every face to every level and asks for it, on all cores. The result does not depend on how many there are.
///
/// # Errors
/// A model that fails, a face that cannot be read.
pub fn sweep(recognizer: &Recognizer, faces: &[Face<'_>], levels: &[BlurLevel]) -> anyhow::Result<Vec<LevelAnswers>> {
    let progress = FaceBar::new("evaluating", faces.len() * levels.len());
    let mut rows = Vec::with_capacity(levels.len());
    for &level in levels {
        let ask = |face: &Face<'_>| {
            // At the face's own size.
            let blurred = box_blur(face.picture.read()?.view(), level.radius_px(face.picture.side()));
            let answer = ask(recognizer, blurred.view(), face.truth);
            progress.step();
            anyhow::Ok(answer?)
        };
        let answers = faces.par_iter().map(ask).collect::<anyhow::Result<Vec<_>>>()?;
        progress.line(&format!("blur {}: {} faces done", level.name(), answers.len()));
        rows.push(LevelAnswers { level, answers });
    }
    progress.finish();
    Ok(rows)
}

/// Brings a picture of a face to the models' size.
pub fn crop(recognizer: &Recognizer, picture: Gray8<'_>) -> GrayImage {
    let side = recognizer.input().side;
    resize(picture, side, side)
}

/// Asks both models about a picture of a face with the label `truth`.
///
/// # Errors
/// A model that fails.
pub fn ask(recognizer: &Recognizer, picture: Gray8<'_>, truth: usize) -> Result<FaceAnswer, ClassifierError> {
    let crop = crop(recognizer, picture);
    let routed = recognizer.recognise(crop.view(), None)?;
    let other = match routed.model {
        ModelChoice::Clear => ModelChoice::Robust,
        ModelChoice::Robust => ModelChoice::Clear,
    };
    let other = model_answer(&recognizer.scores_with(crop.view(), other)?, truth);
    let chosen = model_answer(&routed.scores, truth);
    let (clear, robust) = match routed.model {
        ModelChoice::Clear => (chosen, other),
        ModelChoice::Robust => (other, chosen),
    };
    Ok(FaceAnswer { blur: routed.blur, model: routed.model, clear, robust })
}

fn model_answer(scores: &Scores, truth: usize) -> ModelAnswer {
    let likelihood = scores.as_slice().get(truth).copied().unwrap_or(0.0);
    // A probability that vanished in single precision still counts as a finite surprise.
    let log_likelihood = likelihood.max(f32::MIN_POSITIVE).ln();
    ModelAnswer { answer: Answer::new(truth, scores.as_slice()), log_likelihood }
}
