//! The default bundle holds, and whatever is wrong with a bundle both programs refuse it.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use models::{Bundle, LabelSet, ModelChoice};
use tests::bundles::{MANIFEST, copy, default_bundle, file_names, forge};
use tests::data::drawn;
use tests::place::Place;
use tests::program::{BAD_INPUT, mien, refused, trainer};
use tests::project;

/// Both programs refuse the bundle with these parts in the message, and leave nothing behind.
fn refused_by_both(place: &Place, bundle: &Path, parts: &[&str]) {
    let faces = place.write("faces.csv", drawn(7));
    let names = place.names();
    let mut run = mien();
    run.args(["run", "--source", "demo", "--frames", "1", "--json"]).arg(place.path("out.jsonl"));
    refused(run.arg("--bundle").arg(bundle), BAD_INPUT, parts);
    let mut run = trainer();
    run.args(["evaluate", "--usage", "training", "--data"]).arg(faces).arg("--out").arg(place.path("report"));
    refused(run.arg("--bundle").arg(bundle), BAD_INPUT, parts);
    assert_eq!(place.names(), names);
}

#[test]
fn the_default_bundle_holds() {
    let bundle = default_bundle();
    // The files come from the machine that trained them, and this one need not round alike; but it must not differ
    // by more than other programs do.
    bundle.golden().check(&bundle.recognizer().unwrap(), 1e-4).unwrap();
    let manifest = &bundle.manifest;
    assert_eq!(manifest.labels, LabelSet::fer2013());
    assert_eq!(bundle.golden().pairs.len(), 14, "a sharp and a blurred face for each label");
    for role in ModelChoice::ALL {
        let model = manifest.model(role).unwrap();
        assert!(model.parameters > 0 && !model.trained_on.is_empty() && !model.network.is_empty(), "{role}");
        assert!(!model.metrics.is_empty(), "{role}: nothing was measured");
    }
    let provenance = &manifest.provenance;
    assert_eq!(provenance.data_sha256.len(), 64);
    for told in [&provenance.data, &provenance.command, &provenance.commit, &provenance.date] {
        assert!(!told.is_empty(), "{provenance:?}");
    }
}

#[test]
fn every_bundle_of_the_project_says_what_it_said_when_it_was_made() {
    let folders = fs::read_dir(project("models/bundles")).unwrap().map(|entry| entry.unwrap().path());
    let bundles: Vec<PathBuf> = folders.filter(|path| path.is_dir()).collect();
    assert!(bundles.len() >= 3, "{bundles:?}");
    for path in bundles {
        let bundle = Bundle::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let held = bundle.golden().check(&bundle.recognizer().unwrap(), 1e-4);
        held.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

#[test]
fn an_exact_copy_is_accepted() {
    let place = Place::default();
    let bundle = copy(&place);
    let mut run = mien();
    run.args(["run", "--source", "demo", "--frames", "1", "--bundle"]).arg(bundle);
    run.assert().success();
}

#[test]
fn a_flipped_bit_in_any_file_is_refused() {
    let place = Place::default();
    let bundle = copy(&place);
    for name in file_names(&default_bundle().manifest) {
        let path = bundle.join(&name);
        let sound = fs::read(&path).unwrap();
        for at in [0, sound.len() / 2, sound.len() - 1] {
            let mut broken = sound.clone();
            broken[at] ^= 1;
            fs::write(&path, broken).unwrap();
            refused_by_both(&place, &bundle, &[&name, "sha-256"]);
        }
        fs::write(&path, sound).unwrap();
    }
    // What a flipped bit in the manifest does depends on where it is; in the first letter it makes another key.
    let path = bundle.join(MANIFEST);
    let mut manifest = fs::read(&path).unwrap();
    manifest[0] ^= 1;
    fs::write(&path, manifest).unwrap();
    refused_by_both(&place, &bundle, &[MANIFEST]);
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let place = Place::default();
    let bundle = copy(&place);
    let path = bundle.join(MANIFEST);
    let manifest = fs::read_to_string(&path).unwrap();
    let line = manifest.lines().position(|line| line == "[gate]").unwrap() + 2;
    fs::write(&path, manifest.replace("[gate]\n", "[gate]\nthreshhold = 1\n")).unwrap();
    refused_by_both(&place, &bundle, &[&format!("{MANIFEST}:{line}:"), "threshhold"]);
}

#[test]
fn labels_that_do_not_match_the_outputs_are_refused() {
    let place = Place::default();
    let bundle = forge(&place, |manifest, _| manifest.labels = LabelSet::basic6());
    refused_by_both(&place, &bundle, &["clear.onnx", "1,7,F32", "1,6,F32", "labels"]);
}

#[test]
fn a_network_for_another_side_is_refused() {
    let place = Place::default();
    let bundle = forge(&place, |manifest, _| manifest.input.side *= 2);
    refused_by_both(&place, &bundle, &["clear.onnx", "side"]);
}

#[test]
fn a_file_that_is_no_network_is_refused() {
    let place = Place::default();
    let bundle = forge(&place, |_, files| files[1].1 = b"no network".to_vec());
    refused_by_both(&place, &bundle, &["robust.onnx", "no usable ONNX network"]);
    let place = Place::default();
    let bundle = forge(&place, |_, files| {
        let half = files[0].1.len() / 2;
        files[0].1.truncate(half);
    });
    refused_by_both(&place, &bundle, &["clear.onnx", "no usable ONNX network"]);
}

#[test]
fn exchanged_models_are_refused() {
    let place = Place::default();
    let bundle = forge(&place, |_, files| {
        let (clear, others) = files.split_first_mut().unwrap();
        std::mem::swap(&mut clear.1, &mut others[0].1);
    });
    refused_by_both(&place, &bundle, &["golden.json", "pair 0"]);
}

#[test]
fn a_folder_that_is_no_bundle_is_refused() {
    let place = Place::default();
    place.write("photos/me.txt", "me");
    refused_by_both(&place, &place.path("photos"), &[MANIFEST]);
    refused_by_both(&place, &place.path("nowhere"), &["nowhere"]);
}
