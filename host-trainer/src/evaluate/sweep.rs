//! Asks both models of a bundle, and its gate, about every face at every level of blur.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use models::{BlurEstimate, BlurLevel, ClassifierError, GrayImage, ModelChoice, Recognizer, Scores, box_blur, resize};
use rayon::prelude::*;

use super::gate::{GateSample, Outcome};
use super::metrics::Answer;

/// A picture of a face with its right label, an index into the bundle's labels.
#[derive(Copy, Clone)]
pub struct Face<'a> {
    /// The picture, at the size it has in the data set.
    pub picture: &'a GrayImage,
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
        GateSample { level, blur: self.blur, clear: outcome(&self.clear), robust: outcome(&self.robust) }
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
/// A model that fails.
pub fn sweep(
    recognizer: &Recognizer,
    faces: &[Face<'_>],
    levels: &[BlurLevel],
) -> Result<Vec<LevelAnswers>, ClassifierError> {
    let progress = Progress::new(faces.len() * levels.len());
    let mut rows = Vec::with_capacity(levels.len());
    for &level in levels {
        let ask = |face: &Face<'_>| {
            let answer = ask(recognizer, face, level);
            progress.step();
            answer
        };
        let answers = faces.par_iter().map(ask).collect::<Result<Vec<_>, _>>()?;
        progress.line(&format!("blur {}: {} faces done", level.name(), answers.len()));
        rows.push(LevelAnswers { level, answers });
    }
    progress.finish();
    Ok(rows)
}

/// Degrades the face at its own size, brings it to the model's, and asks both models.
fn ask(recognizer: &Recognizer, face: &Face<'_>, level: BlurLevel) -> Result<FaceAnswer, ClassifierError> {
    let degraded = box_blur(face.picture.view(), level.radius_px(face.picture.width()));
    let side = recognizer.input().side;
    let crop = resize(degraded.view(), side, side);
    let routed = recognizer.recognise(crop.view(), None)?;
    let other = match routed.model {
        ModelChoice::Clear => ModelChoice::Robust,
        ModelChoice::Robust => ModelChoice::Clear,
    };
    let other = model_answer(&recognizer.scores_with(crop.view(), other)?, face.truth);
    let chosen = model_answer(&routed.scores, face.truth);
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

/// A bar on a terminal, plain lines elsewhere, on standard error.
struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(faces: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(faces as u64);
            let style = "evaluating {wide_bar} {pos}/{len} faces, {per_sec}, {eta} left";
            match ProgressStyle::with_template(style) {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        Progress { bar }
    }

    fn step(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    fn line(&self, text: &str) {
        if self.bar.is_none() {
            eprintln!("{text}");
        }
    }

    fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
