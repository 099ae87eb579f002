//! `mien-trainer robustness` from the outside.

#![allow(clippy::unwrap_used)]

use std::fs;

use assert_cmd::Command;
use serde_json::Value;
use tests::bundles::copy;
use tests::data::{drawn, public_test};
use tests::place::Place;
use tests::program::{BAD_INPUT, refused, succeeds, trainer};
use tests::readings::number;

const DEGRADATIONS: [&str; 11] = [
    "box-blur",
    "gaussian-blur",
    "motion-blur",
    "defocus",
    "noise",
    "low-light",
    "over-exposure",
    "low-contrast",
    "jpeg",
    "occlusion",
    "small-faces",
];

fn robustness(place: &Place, usage: &str) -> Command {
    let mut run = trainer();
    run.current_dir(place.path("")).args(["robustness", "--bundle", "bundle", "--data", "faces.csv"]);
    run.args(["--usage", usage, "--out", "report"]);
    run
}

/// The report without the time it took.
fn report(place: &Place) -> Value {
    let mut report: Value = serde_json::from_slice(&fs::read(place.path("report/robustness.json")).unwrap()).unwrap();
    assert!(report.as_object_mut().unwrap().remove("duration_secs").is_some());
    report
}

/// The names of what was done to the faces of a row.
fn remedies(row: &Value) -> Vec<&str> {
    row["remedies"].as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn every_degradation_is_measured_and_shown() {
    let place = Place::default();
    copy(&place);
    place.write("faces.csv", drawn(21));
    let all = ["--deblur", "wiener", "--faces", "9", "--rival", "bundle"];
    let (written, _) = succeeds(robustness(&place, "all").args(all));
    assert!(written.contains("small-faces") && written.contains("robustness.html"), "{written}");
    let first = report(&place);
    succeeds(robustness(&place, "all").args(all));
    assert_eq!(first, report(&place), "the same command gives another report");

    assert_eq!((&first["schema"], &first["samples"]), (&Value::from(1), &Value::from(9)));
    let names: Vec<&str> =
        first["degradations"].as_array().unwrap().iter().map(|part| part["degradation"].as_str().unwrap()).collect();
    assert_eq!(names, DEGRADATIONS);
    for part in first["degradations"].as_array().unwrap() {
        let rows = part["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 5);
        let expected: &[&str] = match part["degradation"].as_str().unwrap() {
            "box-blur" | "gaussian-blur" | "motion-blur" | "defocus" => &["wiener-known", "wiener-blind"],
            "low-light" | "over-exposure" | "low-contrast" => &["equalisation", "clahe"],
            _ => &[],
        };
        for row in rows {
            assert!(expected.iter().all(|name| remedies(row).contains(name)), "{row}");
            assert_eq!(remedies(row).len(), expected.len(), "{row}");
            // It is its own rival here.
            assert_eq!(row["rival"], row["robust"]);
            for score in [&row["clear"], &row["robust"], &row["routed"], &row["rival"]] {
                let low = number(&score["accuracy_interval"]["low"]);
                assert!((low..=1.0).contains(&number(&score["accuracy"])), "{score}");
                assert!((0.0..=1.0).contains(&number(&score["macro_f1"])), "{score}");
            }
        }
        assert!(part["routing_over_clear"]["interval"]["low"].is_number(), "{part}");
        assert_eq!(part["routing_over_rival"], part["routing_over_robust"]);
    }
    assert_eq!(remedies(&first["none"]).len(), 3, "{}", first["none"]);
    for key in ["command", "commit", "seed", "bootstrap_resamples", "clahe", "wiener"] {
        assert!(!first["settings"][key].is_null(), "no {key}");
    }
    assert!(first["settings"]["data"]["sha256"].is_string());

    let page = fs::read_to_string(place.path("report/robustness.html")).unwrap();
    assert_eq!(page.matches("<svg ").count(), DEGRADATIONS.len());
    assert_eq!(page.matches("more often right than the clear model alone").count(), DEGRADATIONS.len());
    assert!(page.contains("The rival, one network in the place of both"));
    assert!(!page.replace("http://www.w3.org/2000/svg", "").contains("http"));
    for name in DEGRADATIONS {
        assert!(place.path(&format!("report/{name}.svg")).is_file(), "no {name}.svg");
    }
}

#[test]
fn without_deblurring_there_is_none() {
    let Some(lines) = public_test(8) else { return };
    let place = Place::default();
    copy(&place);
    place.write("faces.csv", lines);
    succeeds(&mut robustness(&place, "public-test"));
    let report = report(&place);
    assert!(report["settings"]["wiener"].is_null() && report["rival"].is_null());
    assert!(fs::read_to_string(place.path("report/robustness.html")).unwrap().contains("One model of twice the size"));
    assert!(remedies(&report["degradations"][0]["rows"][0]).is_empty());
    // Deblurring blindly needs faces to learn from, and this file has only some to test on.
    refused(robustness(&place, "public-test").args(["--deblur", "wiener"]), BAD_INPUT, &["faces.csv", "--deblur"]);
}

#[test]
fn bad_input_is_refused_and_leaves_nothing_behind() {
    let place = Place::default();
    copy(&place);
    place.write("faces.csv", drawn(7));
    let names = place.names();
    refused(&mut robustness(&place, "public-test"), BAD_INPUT, &["faces.csv", "public-test"]);
    refused(robustness(&place, "all").args(["--faces", "0"]), BAD_INPUT, &["--faces"]);
    refused(robustness(&place, "all").args(["--deblur", "magic"]), BAD_INPUT, &["--deblur", "wiener"]);
    let parts = ["--noise-to-signal"];
    refused(robustness(&place, "all").args(["--deblur", "wiener", "--noise-to-signal", "0"]), BAD_INPUT, &parts);
    refused(robustness(&place, "all").args(["--rival", "nowhere"]), BAD_INPUT, &["rival", "nowhere"]);
    assert_eq!(place.names(), names);
    place.write("report/me.jpg", "a picture of somebody");
    refused(&mut robustness(&place, "all"), BAD_INPUT, &["report"]);
}
