//! `mien-trainer refit` from the outside.

#![allow(clippy::unwrap_used)]

use assert_cmd::Command;
use models::{Bundle, DetectorEntry, ModelChoice};
use tests::bundles::copy;
use tests::data::drawn;
use tests::place::Place;
use tests::program::{BAD_INPUT, refused, succeeds, trainer};
use tests::project;

fn refit(place: &Place, data: &str) -> Command {
    let mut run = trainer();
    run.current_dir(place.path("")).args(["refit", "--bundle", "bundle", "--data", data, "--out", "fitted"]);
    run
}

#[test]
fn gate_and_temperatures_are_fitted_anew_and_the_networks_stay() {
    let place = Place::default();
    copy(&place);
    place.write("faces.csv", drawn(70));
    let (written, _) = succeeds(&mut refit(&place, "faces.csv"));
    assert!(written.contains("noise-corrected-laplacian-variance") && written.contains("always robust"), "{written}");
    let [before, after] = ["bundle", "fitted"].map(|name| Bundle::open(&place.path(name)).unwrap());
    assert_eq!(before.parts(), after.parts());
    assert_ne!(before.manifest.gate, after.manifest.gate);
    for role in ModelChoice::ALL {
        let [before, after] = [&before, &after].map(|bundle| bundle.manifest.model(role).unwrap());
        assert_eq!(before.sha256, after.sha256);
        assert_ne!(before.temperature, after.temperature);
    }
    assert!(after.manifest.provenance.command.contains("refit"), "{}", after.manifest.provenance.command);
    // Part of the same faces, and over the first result.
    succeeds(refit(&place, "faces.csv").args(["--validation-share", "0.2"]));
    assert_ne!(Bundle::open(&place.path("fitted")).unwrap().manifest.gate, after.manifest.gate);
}

#[test]
fn another_detector_comes_into_the_bundle_with_its_framing() {
    let place = Place::default();
    copy(&place);
    place.write("faces.csv", drawn(70));
    let detector = project("models/detectors/detector-160x128.onnx");
    succeeds(refit(&place, "faces.csv").arg("--detector").arg(&detector));
    let bundle = Bundle::open(&place.path("fitted")).unwrap();
    assert_eq!(bundle.file("detector.onnx"), Some(std::fs::read(detector).unwrap().as_slice()));
    assert!(matches!(&bundle.manifest.detector, DetectorEntry::Yunet { file, .. } if file == "detector.onnx"));
    refused(refit(&place, "faces.csv").args(["--detector", "faces.csv"]), BAD_INPUT, &["faces.csv"]);
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let place = Place::default();
    copy(&place);
    place.write("faces.csv", drawn(7));
    let faces = || refit(&place, "faces.csv");
    refused(faces().args(["--validation-share", "0.9"]), BAD_INPUT, &["--validation-share 0.9"]);
    refused(faces().args(["--usage", "private-test"]), BAD_INPUT, &["no validation faces"]);
    place.write("nothing.csv", "a,b\n");
    refused(&mut refit(&place, "nothing.csv"), BAD_INPUT, &["nothing.csv"]);
    assert!(!place.path("fitted").exists());
}
