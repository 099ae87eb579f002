//! The default bundle's networks give the same logits here and under onnxruntime.

#![allow(clippy::unwrap_used)]

use assert_cmd::Command;
use models::ModelChoice;
use tests::bundles::default_bundle;
use tests::crops::crops;
use tests::peers::{from_bytes, python, script, to_bytes};
use tests::place::Place;

/// Faces compared.
const CROPS: usize = 64;
/// How far a logit may be off.
const TOLERANCE: f32 = 1e-4;

#[test]
fn onnxruntime_gives_the_same_logits() {
    let Some(python) = python() else { return };
    let place = Place::default();
    let bundle = default_bundle();
    let recognizer = bundle.recognizer().unwrap();
    let input = recognizer.input();
    let crops = crops(&bundle, CROPS);
    let tensors: Vec<f32> = crops.iter().flat_map(|crop| input.tensor(crop.view()).unwrap()).collect();
    for role in ModelChoice::ALL {
        let network = bundle.file(&bundle.manifest.model(role).unwrap().file).unwrap();
        let output = Command::new(&python)
            .arg(script("onnxruntime_logits.py"))
            .arg(place.write("network.onnx", network))
            .arg(input.side.to_string())
            .write_stdin(to_bytes(&tensors))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let theirs = from_bytes(&output.stdout);
        let ours: Vec<f32> = crops.iter().flat_map(|crop| recognizer.logits_with(crop.view(), role).unwrap()).collect();
        assert_eq!(ours.len(), CROPS * recognizer.labels().len());
        assert_eq!(ours.len(), theirs.len());
        assert!(ours.iter().chain(&theirs).all(|logit| logit.is_finite()), "{role}: a logit is no number");
        let difference = ours.iter().zip(&theirs).map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f32::max);
        println!("{role}: logits of {CROPS} crops differ by {difference:.1e} at most");
        assert!(difference <= TOLERANCE, "{role}: logits differ by {difference}");
    }
}
