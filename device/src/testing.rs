//! A bundle of two tiny networks for tests, here and (by `#[path]`) in `tests/`: the
//! clear model says happy to everything, the robust one surprise.

use std::path::{Path, PathBuf};

use models::onnx::{file, floats, node, value};
use models::{
    Alignment, BlurMeasure, DetectorEntry, Expression, FileEntry, GateConfig, GoldenPair, GoldenSet, GrayImage,
    InputSpec, LabelSet, Manifest, ModelChoice, ModelEntry, Normalisation, Provenance,
};
use tract_onnx::pb::GraphProto;

/// Side of the crops in px.
const SIDE: usize = 16;
/// Logit of the expression that a model always gives; the others are 0.
const LOGIT: f32 = 3.0;
/// Gate threshold on the plain Laplacian variance.
pub const BLUR_THRESHOLD: f32 = 100.0;

/// Writes the bundle as `bundle` into a folder and returns its path.
pub fn write_bundle(into: &Path) -> PathBuf {
    let folder = into.join("bundle");
    let pair = GoldenPair {
        crop: GrayImage::new(SIDE, SIDE),
        clear: logits(Expression::Happy),
        robust: logits(Expression::Surprise),
    };
    let golden = GoldenSet { pairs: vec![pair] }.to_json();
    let files = [
        ("clear.onnx".into(), constant_network(Expression::Happy)),
        ("robust.onnx".into(), constant_network(Expression::Surprise)),
        ("golden.json".into(), golden.unwrap().into_bytes()),
    ];
    models::write(&folder, &manifest(), &files).unwrap();
    folder
}

fn manifest() -> Manifest {
    let model = |role: ModelChoice, blur_band| ModelEntry {
        role,
        file: format!("{role}.onnx"),
        sha256: String::new(),
        temperature: 1.0,
        trained_on: "nothing".into(),
        network: "constant".into(),
        parameters: 7,
        blur_band,
        metrics: [].into(),
    };
    Manifest {
        schema: models::SCHEMA,
        name: "constant".into(),
        labels: LabelSet::fer2013(),
        unsure_below: 0.4,
        input: InputSpec { side: SIDE, normalisation: Normalisation::PerCrop { min_std: 4.0 } },
        align: Alignment::default(),
        gate: GateConfig { measure: BlurMeasure::LaplacianVariance, threshold: BLUR_THRESHOLD, hysteresis: 0.2 },
        detector: DetectorEntry::Rustface {},
        golden: FileEntry { file: "golden.json".into(), sha256: String::new() },
        provenance: Provenance {
            seed: 0,
            data: "none".into(),
            data_sha256: String::new(),
            command: "cargo test".into(),
            commit: "none".into(),
            date: "2026-01-01".into(),
        },
        models: vec![
            model(ModelChoice::Clear, [BLUR_THRESHOLD, f32::INFINITY]),
            model(ModelChoice::Robust, [0.0, BLUR_THRESHOLD]),
        ],
    }
}

fn logits(answer: Expression) -> Vec<f32> {
    let labels = LabelSet::fer2013();
    let logit = |label| if label == answer { LOGIT } else { 0.0 };
    labels.iter().map(logit).collect()
}

/// `Gemm(Flatten(input), 0, logits)`: `[1, 1, SIDE, SIDE]` to `[1, 7]`.
fn constant_network(answer: Expression) -> Vec<u8> {
    let logits = logits(answer);
    let (pixels, classes) = (SIDE * SIDE, logits.len());
    let sides = [pixels as i64, classes as i64];
    let graph = GraphProto {
        name: "constant".into(),
        node: vec![node("Flatten", &["input"], "flat", &[]), node("Gemm", &["flat", "weights", "bias"], "logits", &[])],
        initializer: vec![floats("weights", &sides, vec![0.0; pixels * classes]), floats("bias", &sides[1..], logits)],
        input: vec![value("input", &[1, 1, SIDE as i64, SIDE as i64])],
        output: vec![value("logits", &[1, classes as i64])],
        ..Default::default()
    };
    file(graph, 17)
}
