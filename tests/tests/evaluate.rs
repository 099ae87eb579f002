//! `mien-trainer evaluate` on real faces that no model has seen.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use serde_json::Value;
use tests::bundles::copy;
use tests::data;
use tests::place::Place;
use tests::program::{BAD_INPUT, refused, succeeds, trainer};
use tests::project;
use tests::readings::number;

/// What the default bundle's clear model must reach on the public test without blur.
const CLEAR_FLOOR: f64 = 0.70;
/// What routed answers must reach at each level of blur, as shares of that.
const ROUTED_FLOORS: [(&str, f64); 5] =
    [("none", 1.0), ("low", 0.98), ("medium", 0.95), ("high", 0.90), ("very-high", 0.75)];
/// Macro F1 of the routed answers without blur, recall of disgust among them, and the largest calibration error at any level.
const MACRO_F1_FLOOR: f64 = 0.66;
const DISGUST_FLOOR: f64 = 0.55;
const CALIBRATION_CEILING: f64 = 0.04;
/// Two of its 3,579 faces, which may turn by how another processor rounds.
const ROUNDING: f64 = 2.0 / 3579.0;
/// How far the robust model may stay behind it on sharp faces, and how far it must lead on much blurred ones.
const ROBUST_LOSS: f64 = 0.03;
const ROBUST_GAIN: f64 = 0.10;

/// Runs the sweep on a file into `report`, and gives its report without the times.
fn sweep(place: &Place, data: &Path) -> Value {
    let mut run = trainer();
    run.current_dir(place.path("")).args([
        "evaluate",
        "--bundle",
        "bundle",
        "--blur-sweep",
        "--out",
        "report",
        "--data",
    ]);
    succeeds(run.arg(data));
    let mut report: Value = serde_json::from_slice(&fs::read(place.path("report/report.json")).unwrap()).unwrap();
    assert!(report.as_object_mut().unwrap().remove("timing").is_some());
    report
}

/// The row of a level of blur.
fn level<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["blur"].as_array().unwrap().iter().find(|row| row["level"] == name).unwrap()
}

#[test]
fn the_same_command_gives_the_same_report() {
    const FACES: usize = 400;
    let Some(lines) = data::public_test(FACES) else { return };
    let place = Place::default();
    copy(&place);
    place.write("faces.csv", lines);
    let report = sweep(&place, Path::new("faces.csv"));
    assert_eq!(report, sweep(&place, Path::new("faces.csv")));

    assert_eq!(report["samples"], FACES);
    let accuracy = number(&report["accuracy"]);
    assert!((0.5..0.9).contains(&accuracy), "{accuracy}");
    assert!((0.3..0.9).contains(&number(&report["macro_f1"])), "{}", report["macro_f1"]);
    let classes = report["per_class"].as_array().unwrap();
    assert_eq!(classes.len(), data::LABELS);
    for (class, key) in classes.iter().flat_map(|class| ["precision", "recall", "f1"].map(|key| (class, key))) {
        assert!((0.0..=1.0).contains(&number(&class[key])), "{class}");
    }
    let supports: u64 = classes.iter().map(|class| class["support"].as_u64().unwrap()).sum();
    let confusion: u64 = report["confusion"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!((supports, confusion), (FACES as u64, FACES as u64));

    let radius = |name| number(&level(&report, name)["radius_px"]);
    assert_eq!(["none", "low", "medium", "high", "very-high"].map(radius), [0.0, 0.75, 1.5, 3.0, 5.25]);
    for row in report["blur"].as_array().unwrap() {
        for model in ["clear", "robust", "routed"] {
            for key in ["accuracy", "macro_f1"] {
                assert!((0.0..=1.0).contains(&number(&row[model][key])), "{row}");
            }
        }
    }
    assert_eq!(level(&report, "none")["routed"]["accuracy"], report["accuracy"]);
    let routed = |name| number(&level(&report, name)["routed_share"]);
    assert!(routed("none") < 0.5 && routed("very-high") > 0.9, "{} {}", routed("none"), routed("very-high"));

    let page = fs::read_to_string(place.path("report/report.html")).unwrap();
    assert!(page.contains("<svg") || page.contains(".svg"), "a page without a plot");
}

#[test]
fn the_default_bundle_is_as_good_as_it_has_to_be() {
    let Some(faces) = data::fer2013() else { return };
    let place = Place::default();
    copy(&place);
    let report = sweep(&place, &faces);
    assert_eq!(report["samples"], 3579, "the whole public test");
    let accuracy = |name, model: &str| number(&level(&report, name)[model]["accuracy"]);
    let (clear, robust) = (accuracy("none", "clear"), accuracy("none", "robust"));
    println!("clear {clear:.4}, robust {robust:.4} without blur");
    assert!(clear >= CLEAR_FLOOR - ROUNDING, "clear: {clear}");
    for (name, share) in ROUTED_FLOORS {
        let routed = &level(&report, name)["routed"];
        let (accuracy, error) = (number(&routed["accuracy"]), number(&routed["expected_calibration_error"]));
        println!("routed, {name}: {accuracy:.4}, {:.4} of the clear model without blur", accuracy / clear);
        assert!(accuracy >= share * clear - ROUNDING, "{name}: {accuracy}, clear {clear}");
        assert!(error <= CALIBRATION_CEILING, "{name}: a calibration error of {error}");
    }
    let disgust = report["per_class"].as_array().unwrap().iter().find(|class| class["label"] == "disgust").unwrap();
    assert!(number(&disgust["recall"]) >= DISGUST_FLOOR, "{disgust}");
    assert!(number(&report["macro_f1"]) >= MACRO_F1_FLOOR, "{}", report["macro_f1"]);
    assert!(robust >= clear - ROBUST_LOSS, "robust {robust}, clear {clear} without blur");
    let (clear, robust) = (accuracy("high", "clear"), accuracy("high", "robust"));
    println!("clear {clear:.4}, robust {robust:.4} with high blur");
    assert!(robust >= clear + ROBUST_GAIN, "robust {robust}, clear {clear} with high blur");
}

#[test]
fn the_card_has_the_figures_the_notes_and_how_turned_faces_fare() {
    const FACES: usize = 200;
    let Some(lines) = data::public_test(FACES) else { return };
    let place = Place::default();
    copy(&place);
    place.write("faces.csv", lines);
    place.write("notes.md", "## Data\nFaces of a test.\n");
    let detector = project("models/detectors/detector-160x128.onnx");
    let evaluate = |out: &str, detector: &Path| {
        let mut run = trainer();
        run.current_dir(place.path("")).args(["evaluate", "--bundle", "bundle", "--data", "faces.csv"]);
        run.args(["--notes", "notes.md", "--out", out, "--detector"]).arg(detector);
        run
    };
    succeeds(&mut evaluate("report", &detector));
    let report: Value = serde_json::from_slice(&fs::read(place.path("report/report.json")).unwrap()).unwrap();
    let found = report["cuts"]["found"].as_u64().unwrap();
    assert!((FACES as u64 * 2 / 3..=FACES as u64).contains(&found), "{found} faces found");
    let cuts = report["cuts"]["rows"].as_array().unwrap();
    assert_eq!(cuts.iter().map(|cut| &cut["by"]).collect::<Vec<_>>(), ["as they are", "by the box", "by the eyes"]);
    for cut in cuts {
        assert!((0.5..0.95).contains(&number(&cut["accuracy"])), "{cut}");
    }
    let by_turn =
        report["slices"].as_array().unwrap().iter().find(|slicing| slicing["by"] == "turn of the head").unwrap();
    let groups = by_turn["groups"].as_array().unwrap();
    assert_eq!(groups.iter().map(|group| group["faces"].as_u64().unwrap()).sum::<u64>(), found);
    assert!(groups.windows(2).all(|pair| number(&pair[0]["to"]) <= number(&pair[1]["from"])), "{groups:?}");

    let card = fs::read_to_string(place.path("report/CARD.md")).unwrap();
    let accuracy = format!("{:.1} %", 100.0 * number(&report["accuracy"]));
    for part in [
        "# Model card: ",
        "must not be used for",
        "Faces of a test.",
        &accuracy,
        "### By turn of the head",
        "by the eyes",
    ] {
        assert!(card.contains(part), "no `{part}` in {card}");
    }
    refused(&mut evaluate("none", &place.path("notes.md")), BAD_INPUT, &["notes.md"]);
    assert!(!place.path("none").exists());
}
