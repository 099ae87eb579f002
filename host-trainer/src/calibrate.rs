//! Fits what a bundle needs beyond weights: a temperature for each model and the gate, on
//! validation faces at every level of blur, and with noise.

use models::{
    BlurEstimate, BlurLevel, BlurMeasure, GateConfig, Manifest, ModelChoice, Recognizer, Scores, box_blur, resize,
};
use rayon::prelude::*;

use crate::augment::{add_noise, stream};
use crate::evaluate::calibration::fit_temperature;
use crate::evaluate::gate::{GateComparison, GateSample, Outcome, State, assess, compare};
use crate::failure::bad_input;
use crate::learnt_gate;
use crate::sample::Sample;

/// Variance of the noise that the gate must tell from sharpness, in shares of the full range: that of a cheap camera
/// indoors.
const NOISE_VARIANCE: f32 = 0.002;
/// Its seed and its place among the random streams.
const NOISE: [u64; 2] = [2, 4];

/// Everything that was fitted.
pub struct Calibration {
    clear: ModelFit,
    robust: ModelFit,
    /// The gates by each measure of blur, and what they are measured against.
    pub gate: GateComparison,
    blurs: Vec<BlurEstimate>,
}

/// One model on the validation faces.
struct ModelFit {
    /// Its temperature.
    temperature: f32,
    /// Its accuracy (0..=1) at each of [`BlurLevel::ALL`].
    accuracy: Vec<f64>,
}

/// One face in one state.
struct Answered {
    state: State,
    label: usize,
    blur: BlurEstimate,
    clear: Vec<f32>,
    robust: Vec<f32>,
}

impl Calibration {
    /// Enters what was fitted, and how good the models were, into a manifest.
    pub fn enter(&self, manifest: &mut Manifest) {
        let gate = self.gate.chosen();
        manifest.gate.measure = gate.measure;
        manifest.gate.threshold = gate.threshold;
        for entry in &mut manifest.models {
            let model = self.model(entry.role);
            entry.temperature = model.temperature;
            entry.blur_band = match entry.role {
                ModelChoice::Clear => [gate.threshold, self.sharpest(gate.measure).max(gate.threshold)],
                ModelChoice::Robust => [0.0, gate.threshold],
            };
            for (level, accuracy) in BlurLevel::ALL.iter().zip(&model.accuracy) {
                entry.metrics.insert(format!("validation-accuracy-{}", level.name()), *accuracy as f32);
            }
        }
    }

    /// What was fitted for one model.
    fn model(&self, role: ModelChoice) -> &ModelFit {
        match role {
            ModelChoice::Clear => &self.clear,
            ModelChoice::Robust => &self.robust,
        }
    }

    /// The highest blur measure (the sharpest face) seen.
    fn sharpest(&self, measure: BlurMeasure) -> f32 {
        self.blurs.iter().map(|blur| blur.value(measure)).fold(0.0, f32::max)
    }
}

/// Runs both models over every face at every level and fits. The clear model's temperature is
/// fitted on faces without blur, the robust one's at all levels: each on what it is meant for. A gate to be kept is measured
/// beside those that are fitted.
///
/// # Errors
/// No faces, a model that fails, or a result that cannot be read back.
pub fn calibrate(recognizer: &Recognizer, faces: &[&Sample], kept: Option<GateConfig>) -> anyhow::Result<Calibration> {
    let states: Vec<State> = BlurLevel::ALL.map(State::Blurred).into_iter().chain([State::Noisy]).collect();
    let answered = states
        .into_par_iter()
        .flat_map(|state| faces.par_iter().enumerate().map(move |(index, face)| (state, index, *face)))
        .map(|(state, index, face)| answer(recognizer, state, index, face))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let clear = fit(&answered, |face| &face.clear, |state| state == State::Blurred(BlurLevel::None));
    let robust = fit(&answered, |face| &face.robust, |state| state != State::Noisy);
    let samples: Vec<GateSample> = answered
        .iter()
        .map(|face| GateSample {
            state: face.state,
            blur: face.blur,
            clear: outcome(&face.clear, face.label, clear.temperature),
            robust: outcome(&face.robust, face.label, robust.temperature),
        })
        .collect();
    let mut gate = compare(&samples).ok_or_else(|| {
        bad_input("there are no validation faces to fit the gate on\n  give more data or a larger validation-share")
    })?;
    gate.kept = kept.map(|kept| assess(&samples, kept.measure, kept.threshold));
    gate.learnt = learnt_gate::cross_validated(&samples, faces.len())?;
    Ok(Calibration { clear, robust, gate, blurs: answered.iter().map(|face| face.blur).collect() })
}

fn answer(recognizer: &Recognizer, state: State, index: usize, face: &Sample) -> anyhow::Result<Answered> {
    let side = recognizer.input().side;
    let picture = face.face.read()?;
    let degraded = match state {
        State::Blurred(level) => box_blur(picture.view(), level.radius_px(picture.width())),
        State::Noisy => {
            let [seed, place] = NOISE;
            let mut noisy = picture.into_owned();
            add_noise(&mut noisy, NOISE_VARIANCE.sqrt(), &mut stream(seed, place, 0, index as u64));
            noisy
        }
    };
    let crop = resize(degraded.view(), side, side);
    Ok(Answered {
        state,
        label: face.label,
        blur: BlurEstimate::of(crop.view()),
        clear: recognizer.logits_with(crop.view(), ModelChoice::Clear)?,
        robust: recognizer.logits_with(crop.view(), ModelChoice::Robust)?,
    })
}

fn fit(answered: &[Answered], logits: fn(&Answered) -> &Vec<f32>, meant_for: fn(State) -> bool) -> ModelFit {
    let (rows, labels): (Vec<Vec<f32>>, Vec<usize>) =
        answered.iter().filter(|face| meant_for(face.state)).map(|face| (logits(face).clone(), face.label)).unzip();
    let accuracy = BlurLevel::ALL
        .iter()
        .map(|level| {
            let of_level: Vec<&Answered> =
                answered.iter().filter(|face| face.state == State::Blurred(*level)).collect();
            let right = of_level.iter().filter(|face| outcome(logits(face), face.label, 1.0).right).count();
            right as f64 / of_level.len().max(1) as f64
        })
        .collect();
    ModelFit { temperature: fit_temperature(&rows, &labels), accuracy }
}

fn outcome(logits: &[f32], label: usize, temperature: f32) -> Outcome {
    let scores = Scores::softmax(logits, temperature);
    let likelihood = scores.as_slice().get(label).copied().unwrap_or(0.0);
    Outcome {
        right: scores.best().0 == label,
        // A probability that vanished in single precision still counts as a finite surprise.
        log_likelihood: likelihood.max(f32::MIN_POSITIVE).ln(),
    }
}
