//! A small bundle of two linear networks, for the tests of this crate.

use std::path::{Path, PathBuf};

use crate::bundle::sha256;
use crate::test_network::linear;
use crate::{
    Alignment, BlurMeasure, Classifier, DetectorEntry, Expression, FileEntry, GateConfig, GoldenPair, GoldenSet,
    GrayImage, InputSpec, LabelSet, Manifest, ModelChoice, ModelEntry, Normalisation, Provenance, Recognizer, write,
};

const SIDE: usize = 8;
const CLASSES: usize = 3;

/// A manifest that holds, its hashes those of [`model_files`].
pub fn manifest() -> Manifest {
    let mut manifest = bare_manifest();
    let files = model_files();
    for (name, hash) in manifest.files_mut() {
        let (_, bytes) = files.iter().find(|(n, _)| n == name).unwrap();
        *hash = sha256(bytes);
    }
    manifest
}

fn bare_manifest() -> Manifest {
    let model = |role: ModelChoice, temperature, blur_band| ModelEntry {
        role,
        file: format!("{role}.onnx"),
        sha256: String::new(),
        temperature,
        trained_on: "nothing".into(),
        network: "linear".into(),
        parameters: 195,
        blur_band,
        metrics: [("accuracy".to_owned(), 0.25), ("macro-f1".to_owned(), 0.2)].into(),
    };
    Manifest {
        schema: 1,
        name: "test".into(),
        labels: LabelSet::new(vec![Expression::Happy, Expression::Sad, Expression::Neutral]).unwrap(),
        unsure_below: 0.4,
        input: InputSpec { side: SIDE, normalisation: Normalisation::PerCrop { min_std: 4.0 } },
        align: Alignment::default(),
        gate: GateConfig { measure: BlurMeasure::NormalisedLaplacianVariance, threshold: 2.0, hysteresis: 0.2 },
        detector: DetectorEntry::Rustface {},
        golden: FileEntry { file: "golden.json".into(), sha256: String::new() },
        provenance: Provenance {
            seed: 7,
            data: "none".into(),
            data_sha256: String::new(),
            command: "cargo test".into(),
            commit: "none".into(),
            date: "2026-01-01".into(),
        },
        models: vec![model(ModelChoice::Clear, 1.0, [2.0, f32::INFINITY]), model(ModelChoice::Robust, 1.5, [0.0, 2.0])],
    }
}

fn onnx(role: ModelChoice) -> Vec<u8> {
    linear(SIDE, CLASSES, role as u32)
}

/// A noisy crop, a sharp one to the gate.
pub fn crop(seed: u32) -> GrayImage {
    let pixels =
        (0..(SIDE * SIDE) as u32).map(|i| ((i + 1).wrapping_mul(seed + 3).wrapping_mul(0x9e37_79b9) >> 24) as u8);
    GrayImage::from_vec(pixels.collect(), SIDE, SIDE).unwrap()
}

/// The two models with what the manifest says.
pub fn recognizer() -> Recognizer {
    let classifier = |role: ModelChoice| Classifier::from_onnx(&onnx(role), role.name(), SIDE, CLASSES).unwrap();
    Recognizer::new(&bare_manifest(), classifier(ModelChoice::Clear), classifier(ModelChoice::Robust))
}

/// Two golden pairs.
pub fn golden(recognizer: &Recognizer) -> GoldenSet {
    let pair = |seed| {
        let crop = crop(seed);
        let logits = |role| recognizer.logits_with(crop.view(), role).unwrap();
        GoldenPair { clear: logits(ModelChoice::Clear), robust: logits(ModelChoice::Robust), crop }
    };
    GoldenSet { pairs: vec![pair(1), pair(2)] }
}

/// The files that the manifest names.
pub fn model_files() -> Vec<(String, Vec<u8>)> {
    let golden = golden(&recognizer()).to_json().unwrap();
    vec![
        ("clear.onnx".into(), onnx(ModelChoice::Clear)),
        ("robust.onnx".into(), onnx(ModelChoice::Robust)),
        ("golden.json".into(), golden.into_bytes()),
    ]
}

/// All four files of the bundle.
pub fn bundle_files() -> Vec<(String, Vec<u8>)> {
    let mut files = model_files();
    let text = manifest().to_toml().unwrap();
    files.push(("bundle.toml".into(), text.into_bytes()));
    files
}

/// Writes the bundle into `dir` and returns its folder.
pub fn write_to(dir: &Path) -> PathBuf {
    let path = dir.join("bundle");
    write(&path, &bare_manifest(), &model_files()).unwrap();
    path
}
