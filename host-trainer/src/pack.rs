//! Two trained networks -> a bundle: export, calibration, gate, golden pairs, manifest.

mod detector;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use burn::module::Module;
use models::{
    Alignment, BlurLevel, Bundle, Classifier, DetectorEntry, FileEntry, GateConfig, GoldenPair, GoldenSet, GrayImage,
    LabelSet, Manifest, ModelChoice, ModelEntry, Provenance, Recognizer, resize,
};

pub use self::detector::BundledDetector;
use crate::adjust::adjusted;
use crate::calibrate::calibrate;
use crate::config::{BlendConfig, Recipe, RobustStart};
use crate::export::{Exported, export};
use crate::face::Face;
use crate::failure::bad_input;
use crate::report::settings::command_line;
use crate::sample::{DataSet, Sample};
use crate::say::say;
use crate::train::{Context, Trained};

/// Validation faces on which an exported network is compared with its ONNX file.
const CHECKED_FACES: usize = 64;
/// Share of the threshold that a track's blur must pass it by before its model changes.
const HYSTERESIS: f32 = 0.15;
const CLEAR_FILE: &str = "clear.onnx";
const ROBUST_FILE: &str = "robust.onnx";
const GOLDEN_FILE: &str = "golden.json";

/// What a bundle has of others.
pub struct Given {
    /// A face detector.
    pub detector: Option<BundledDetector>,
    /// A gate, in place of one that is fitted.
    pub gate: Option<GateConfig>,
}

/// Exports both networks, fits temperatures and the gate on the validation faces, and writes the
/// bundle, with what it is given of others, to `out`.
///
/// # Errors
/// A network that cannot be exported or differs from its ONNX file, a folder that cannot be
/// written; an older bundle in `out` is then still whole.
pub fn pack(
    context: &Context<'_>,
    data: &DataSet,
    clear: &Trained,
    robust: &Trained,
    given: Given,
    out: &Path,
) -> anyhow::Result<()> {
    let input = &context.trial.input;
    let crops: Vec<GrayImage> = context
        .split
        .validation
        .iter()
        .take(CHECKED_FACES)
        .map(|sample| Ok(resize(sample.face.read()?.view(), input.side, input.side)))
        .collect::<anyhow::Result<_>>()?;
    let exported = |trained: &Trained, recipe: &Recipe, name: &str| -> anyhow::Result<Exported> {
        let labels = context.split.train.iter().map(|sample| sample.label);
        let network = match recipe.logit_adjustment {
            0.0 => trained.network.clone(),
            share => adjusted(&trained.network, labels, context.classes, share)?,
        };
        let exported = export(&network, input, recipe.mirrored, context.classes, &crops)
            .with_context(|| format!("exporting the {name} model"))?;
        say(&format!(
            "{name}: ONNX of {} kB agrees with the network within {:.1e} on {} faces",
            exported.onnx.len() / 1000,
            exported.max_difference,
            crops.len()
        ));
        Ok(exported)
    };
    let clear_file = exported(clear, &context.trial.clear, "clear")?;
    let robust_file = exported(robust, &context.trial.robust, "robust")?;

    // The recogniser needs a manifest, and the manifest what the recogniser measures: so first
    // one without calibration, then the real one.
    let mut manifest = draft(context, data, clear, robust);
    let classifier = |file: &Exported, name| Classifier::from_onnx(&file.onnx, name, input.side, context.classes);
    let recognizer =
        Recognizer::new(&manifest, classifier(&clear_file, CLEAR_FILE)?, classifier(&robust_file, ROBUST_FILE)?);
    let calibration = calibrate(&recognizer, &context.split.validation, given.gate)?;
    say(&calibration.gate.to_string());
    calibration.enter(&mut manifest);
    if let Some(kept) = given.gate {
        manifest.gate.hysteresis = kept.hysteresis;
    }

    let detector = given.detector.map(|detector| detector.enter(&mut manifest, &context.split.train)).transpose()?;
    let golden = GoldenSet { pairs: golden_pairs(&recognizer, &context.split.train, &data.labels)? };
    let mut files = vec![
        (CLEAR_FILE.to_owned(), clear_file.onnx),
        (ROBUST_FILE.to_owned(), robust_file.onnx),
        (GOLDEN_FILE.to_owned(), golden.to_json()?.into_bytes()),
    ];
    files.extend(detector);
    models::write(out, &manifest, &files)?;
    say(&format!("bundle written to {}", out.display()));
    Ok(())
}

/// The gate of the bundle in `folder`, which a trial names as `gate-of`.
///
/// # Errors
/// Bad input: no bundle, or one that does not hold.
pub fn gate_of(folder: &Path) -> anyhow::Result<GateConfig> {
    let bundle = Bundle::open(folder).map_err(|error| bad_input(format!("gate-of: {error}")))?;
    Ok(bundle.manifest.gate)
}

/// The manifest before calibration.
fn draft(context: &Context<'_>, data: &DataSet, clear: &Trained, robust: &Trained) -> Manifest {
    let entry = |role: ModelChoice, file: &str, trained: &Trained, trained_on: String| ModelEntry {
        role,
        file: file.into(),
        sha256: String::new(),
        temperature: 1.0,
        trained_on,
        network: context.trial.model_name(role),
        parameters: trained.network.num_params() as u64,
        blur_band: [0.0, 0.0],
        metrics: BTreeMap::new(),
    };
    let name =
        data.path.file_name().map_or_else(|| data.path.display().to_string(), |name| name.to_string_lossy().into());
    let faces = context.split.train.len();
    let learned = |trained: &Trained, from: String| {
        format!("{name}, {faces} training faces, {} epochs from {from}", trained.progress.history.len())
    };
    let robust_start = match context.trial.robust_start {
        RobustStart::Clear => "the clear model".to_owned(),
        RobustStart::Init => start(context, ModelChoice::Clear),
        RobustStart::InitRobust => format!("the robust model of {}", start(context, ModelChoice::Robust)),
    };
    // Without epochs no face was blurred here.
    let blurred = if robust.progress.history.is_empty() {
        String::new()
    } else {
        let share = context.trial.robust.augment.blur_probability * 100.0;
        format!(", {share:.0} % of the faces blurred at random")
    };
    Manifest {
        schema: models::SCHEMA,
        name: context.trial.name.clone(),
        labels: data.labels.clone(),
        unsure_below: context.trial.unsure_below,
        input: context.trial.input,
        align: Alignment::default(),
        gate: GateConfig { measure: models::BlurMeasure::LaplacianVariance, threshold: 0.0, hysteresis: HYSTERESIS },
        detector: DetectorEntry::Rustface {},
        golden: FileEntry { file: GOLDEN_FILE.into(), sha256: String::new() },
        provenance: Provenance {
            seed: context.trial.seed,
            data: name.clone(),
            data_sha256: data.sha256.clone(),
            command: command_line(),
            commit: clear.progress.commit.clone(),
            date: time::OffsetDateTime::now_utc().date().to_string(),
        },
        models: vec![
            entry(ModelChoice::Clear, CLEAR_FILE, clear, learned(clear, start(context, ModelChoice::Clear))),
            entry(ModelChoice::Robust, ROBUST_FILE, robust, learned(robust, robust_start) + &blurred),
        ],
    }
}

/// What the model for `role` started from, for people.
fn start(context: &Context<'_>, role: ModelChoice) -> String {
    let files = context.trial.starts(role).into_iter().filter_map(Path::file_name);
    let names: Vec<_> = files.map(|file| file.to_string_lossy()).collect();
    let names = if names.is_empty() { "random weights".into() } else { names.join(" beside ") };
    match &context.trial.blend {
        None => names,
        Some(BlendConfig { init, share }) => {
            let other = init.file_name().unwrap_or_default().to_string_lossy();
            format!("the mean of {names} ({:.2}) and {other} ({share:.2})", 1.0 - share)
        }
    }
}

/// The mean face of every class, sharp and blurred: faces, but nobody's.
fn golden_pairs(recognizer: &Recognizer, samples: &[&Sample], labels: &LabelSet) -> anyhow::Result<Vec<GoldenPair>> {
    let side = recognizer.input().side;
    let mut pairs = Vec::new();
    for class in 0..labels.len() {
        let faces = samples.iter().filter(|sample| sample.label == class).map(|sample| &sample.face);
        let Some(mean) = mean_face(faces)? else { continue };
        for level in [BlurLevel::None, BlurLevel::High] {
            let crop = resize(models::box_blur(mean.view(), level.radius_px(mean.width())).view(), side, side);
            pairs.push(GoldenPair {
                clear: recognizer.logits_with(crop.view(), ModelChoice::Clear)?,
                robust: recognizer.logits_with(crop.view(), ModelChoice::Robust)?,
                crop,
            });
        }
    }
    Ok(pairs)
}

/// The mean of faces of one size; `None` of none.
fn mean_face<'a>(faces: impl Iterator<Item = &'a Face>) -> anyhow::Result<Option<GrayImage>> {
    let (mut sums, mut count, mut side) = (Vec::new(), 0, 0);
    for face in faces {
        let picture = face.read()?;
        side = picture.width();
        sums.resize(picture.pixels().len(), 0u64);
        for (sum, &pixel) in sums.iter_mut().zip(picture.pixels()) {
            *sum += u64::from(pixel);
        }
        count += 1;
    }
    if count == 0 {
        return Ok(None);
    }
    // A mean of bytes is a byte.
    let mean = sums.iter().map(|sum| (sum / count) as u8).collect();
    Ok(Some(GrayImage::from_vec(mean, side, side)?))
}
