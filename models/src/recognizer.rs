//! From a canonical crop to an expression: blur estimate, gate, preprocessing, model.
//! The one routing there is; the trainer scores it and the device runs it.

use crate::{
    Alignment, BlurEstimate, Classifier, ClassifierError, GateConfig, Gray8, InputSpec, LabelSet, Manifest,
    ModelChoice, Scores,
};

/// What was recognised on one crop.
#[derive(Clone, Debug, PartialEq)]
pub struct Recognition {
    /// How blurred the crop is.
    pub blur: BlurEstimate,
    /// The model that the gate chose.
    pub model: ModelChoice,
    /// What that model says.
    pub scores: Scores,
}

/// A model with the temperature that calibrates it.
#[derive(Debug)]
struct Calibrated {
    classifier: Classifier,
    temperature: f32,
}

/// The two models of a bundle and all that decides between them.
#[derive(Debug)]
pub struct Recognizer {
    labels: LabelSet,
    input: InputSpec,
    alignment: Alignment,
    gate: GateConfig,
    unsure_below: f32,
    clear: Calibrated,
    robust: Calibrated,
}

impl Recognizer {
    /// Puts together what `manifest` says and two loaded models.
    pub fn new(manifest: &Manifest, clear: Classifier, robust: Classifier) -> Self {
        let calibrated = |classifier, role| Calibrated {
            classifier,
            temperature: manifest.model(role).map_or(1.0, |m| m.temperature),
        };
        Self {
            labels: manifest.labels.clone(),
            input: manifest.input,
            alignment: manifest.align,
            gate: manifest.gate,
            unsure_below: manifest.unsure_below,
            clear: calibrated(clear, ModelChoice::Clear),
            robust: calibrated(robust, ModelChoice::Robust),
        }
    }

    /// The labels, in the order of the scores.
    pub fn labels(&self) -> &LabelSet {
        &self.labels
    }

    /// What the models take.
    pub fn input(&self) -> &InputSpec {
        &self.input
    }

    /// When a crop goes to the robust model.
    pub fn gate(&self) -> &GateConfig {
        &self.gate
    }

    /// A best score below this probability counts as "unsure".
    pub fn unsure_below(&self) -> f32 {
        self.unsure_below
    }

    /// The same models for the faces of another detector than the bundle's.
    #[must_use]
    pub fn with_alignment(mut self, alignment: Alignment) -> Self {
        self.alignment = alignment;
        self
    }

    /// How faces are framed for these models.
    pub fn alignment(&self) -> &Alignment {
        &self.alignment
    }

    /// Recognises a canonical crop. `previous` is the model that the same face had on the
    /// frame before, `None` for a single picture.
    ///
    /// # Errors
    /// The crop has the wrong size, or the model fails.
    pub fn recognise(&self, crop: Gray8<'_>, previous: Option<ModelChoice>) -> Result<Recognition, ClassifierError> {
        let (blur, model) = self.route(crop, previous);
        let scores = self.scores_with(crop, model)?;
        Ok(Recognition { blur, model, scores })
    }

    /// The first half of [`Recognizer::recognise`]: how blurred a crop is, and the model that it goes to.
    pub fn route(&self, crop: Gray8<'_>, previous: Option<ModelChoice>) -> (BlurEstimate, ModelChoice) {
        let blur = BlurEstimate::of(crop);
        (blur, self.gate.choose(blur, previous))
    }

    /// The scores of one model, whatever the blur.
    ///
    /// # Errors
    /// As [`Recognizer::recognise`].
    pub fn scores_with(&self, crop: Gray8<'_>, model: ModelChoice) -> Result<Scores, ClassifierError> {
        let logits = self.logits_with(crop, model)?;
        Ok(Scores::softmax(&logits, self.model(model).temperature))
    }

    /// The logits of one model, before temperature and softmax.
    ///
    /// # Errors
    /// As [`Recognizer::recognise`].
    pub fn logits_with(&self, crop: Gray8<'_>, model: ModelChoice) -> Result<Vec<f32>, ClassifierError> {
        let tensor = self.input.tensor(crop)?;
        self.model(model).classifier.logits(&tensor)
    }

    fn model(&self, choice: ModelChoice) -> &Calibrated {
        match choice {
            ModelChoice::Clear => &self.clear,
            ModelChoice::Robust => &self.robust,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::test_bundle::{crop, manifest, recognizer};
    use crate::{GrayImage, box_blur};

    #[test]
    fn blur_decides_which_model_answers() {
        let recognizer = recognizer();
        let sharp = crop(1);
        let soft = box_blur(sharp.view(), 2.0);
        for (crop, model) in [(sharp, ModelChoice::Clear), (soft, ModelChoice::Robust)] {
            let seen = recognizer.recognise(crop.view(), None).unwrap();
            assert_eq!(seen.model, model);
            assert_eq!(seen.blur, BlurEstimate::of(crop.view()));
            let alone = recognizer.scores_with(crop.view(), model).unwrap();
            assert_eq!(seen.scores, alone);
        }
        let (clear, robust) = (
            recognizer.logits_with(crop(1).view(), ModelChoice::Clear),
            recognizer.logits_with(crop(1).view(), ModelChoice::Robust),
        );
        assert_ne!(clear.unwrap(), robust.unwrap());
    }

    #[test]
    fn each_model_has_its_own_temperature() {
        let recognizer = recognizer();
        let view = crop(2);
        for model in ModelChoice::ALL {
            let logits = recognizer.logits_with(view.view(), model).unwrap();
            let temperature = manifest().model(model).unwrap().temperature;
            assert_eq!(recognizer.scores_with(view.view(), model).unwrap(), Scores::softmax(&logits, temperature));
        }
    }

    #[test]
    fn a_crop_of_another_side_is_an_error() {
        let error = recognizer().recognise(GrayImage::new(9, 8).view(), None).unwrap_err();
        assert!(error.to_string().contains("9x8"), "{error}");
    }
}
