//! Training from end to end on drawn faces: small enough for every test run.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use models::{Bundle, LabelSet, ModelChoice};
use serde_json::Value;
use tests::bundles::default_bundle;
use tests::data::drawn;
use tests::place::Place;
use tests::program::{BAD_INPUT, path_of, refused, succeeds, trainer};
use tests::project;
use tests::readings::number;

/// Faces drawn: 40 of each label.
const FACES: usize = 280;

/// A trial of a narrow network; nothing random happens to the faces but blur.
fn trial(epochs: usize) -> String {
    let recipe = format!(
        "epochs = {epochs}\nsmall-epochs = 0\nbatch = 16\nlearning-rate = 0.05\nwarm-up-steps = 4\nema-decay = 0.8\npatience = 50\n"
    );
    let augment = "shift = 0.0\nscale = 0.0\nrotation-deg = 0.0\nerase-probability = 0.0\n";
    format!(
        "name = \"quick\"\nvalidation-share = 0.2\n\n\
         [network]\nkind = \"residual\"\nwidths = [8, 16]\nblocks = [1, 1]\ndropout = 0.0\n\n\
         [clear]\n{recipe}[clear.augment]\n{augment}\n\
         [robust]\n{recipe}[robust.augment]\n{augment}blur-probability = 0.7\n"
    )
}

/// A place with faces and a trial.
fn place(epochs: usize) -> Place {
    let place = Place::default();
    place.write("faces.csv", drawn(FACES));
    place.write("trial.toml", trial(epochs));
    place
}

const TRAIN: [&str; 9] =
    ["train", "--data", "faces.csv", "--config", "trial.toml", "--out", "bundle", "--device", "cpu"];

#[test]
fn a_trial_gives_a_bundle_that_reads_its_faces() {
    let place = place(6);
    succeeds(trainer().current_dir(place.path("")).args(TRAIN));

    let bundle = Bundle::open(&place.path("bundle")).unwrap();
    bundle.recognizer().unwrap();
    assert_eq!(bundle.manifest.name, "quick");
    assert_eq!(bundle.manifest.labels, LabelSet::fer2013());
    let clear = bundle.manifest.model(ModelChoice::Clear).unwrap();
    assert_eq!(clear.network, "residual 8-16 x 1-1");
    assert_eq!(bundle.manifest.provenance.data, "faces.csv");

    let mut run = trainer();
    run.current_dir(place.path("")).args(["evaluate", "--bundle", "bundle", "--data", "faces.csv"]);
    succeeds(run.args(["--usage", "training", "--out", "report"]));
    let report: Value = serde_json::from_slice(&fs::read(place.path("report/report.json")).unwrap()).unwrap();
    assert_eq!(report["samples"], FACES);
    let accuracy = number(&report["accuracy"]);
    // One in seven would be luck.
    assert!(accuracy > 0.5, "{accuracy}");
}

#[test]
fn the_gate_of_another_bundle_is_kept_where_the_trial_names_it() {
    let place = place(1);
    let gate = default_bundle().manifest.gate;
    let gate_of = |bundle: &Path| place.write("trial.toml", format!("gate-of = {bundle:?}\n{}", trial(1)));
    gate_of(&place.path("nowhere"));
    let mut training = trainer();
    training.current_dir(place.path("")).args(TRAIN);
    refused(&mut training, BAD_INPUT, &["gate-of: ", "nowhere"]);
    // Before hours have gone into it.
    assert!(!place.path("bundle.work").exists());

    gate_of(&project("models/bundles/default"));
    let (_, told) = succeeds(&mut training);
    assert!(told.contains(&format!("kept: {}", gate.measure.name())), "{told}");
    assert_eq!(Bundle::open(&place.path("bundle")).unwrap().manifest.gate, gate);
}

/// Normalisations of a bundle were folded, and what they lost is made anew of the faces: the first steps must not change what
/// it says.
#[test]
fn a_robust_model_that_learns_on_from_a_bundle_says_what_it_said() {
    let place = place(6);
    succeeds(trainer().current_dir(place.path("")).args(TRAIN));
    // It has the weights as they were trained, which would be taken.
    fs::remove_dir_all(place.path("bundle.work")).unwrap();
    let on = trial(12).replace("batch = 16", "batch = 112").replace("learning-rate = 0.05", "learning-rate = 0.000001");
    let on = on.replacen("epochs = 12", "epochs = 0", 1);
    place.write("trial.toml", format!("init = \"bundle\"\nrobust-start = \"init-robust\"\n{on}"));
    succeeds(trainer().current_dir(place.path("")).args(TRAIN.map(|arg| if arg == "bundle" { "onward" } else { arg })));

    let [before, after] = ["bundle", "onward"].map(|name| Bundle::open(&place.path(name)).unwrap());
    let logits =
        |bundle: &Bundle| bundle.golden().pairs.iter().flat_map(|pair| pair.robust.clone()).collect::<Vec<f32>>();
    let (before, after) = (logits(&before), logits(&after));
    let spread = before.iter().map(|logit| logit.abs()).sum::<f32>() / before.len() as f32;
    let off = before.iter().zip(&after).map(|(a, b)| (a - b).abs()).sum::<f32>() / before.len() as f32;
    assert!(off < 0.03 * spread, "logits of {spread} in the mean differ by {off}");
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let place = place(3);
    let mut running = Command::new(path_of("mien-trainer"))
        .current_dir(place.path(""))
        .args(TRAIN)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(running.stderr.take().unwrap()).lines().map(Result::unwrap);
    // An epoch is on disk at the latest when the next one is over.
    assert!(told.any(|line| line.starts_with("clear epoch 2/3")), "it ended before the second epoch");
    running.kill().unwrap();
    running.wait().unwrap();
    assert!(!place.path("bundle").exists());

    let (_, told) = succeeds(trainer().current_dir(place.path("")).args(TRAIN));
    assert!(told.contains("clear: going on after epoch "), "{told}");
    assert!(!told.contains("clear epoch 1/3") && told.contains("clear epoch 3/3"), "{told}");

    // As if nothing had happened: the same networks as of a run that nobody stopped.
    let resumed = Bundle::open(&place.path("bundle")).unwrap();
    let whole = TRAIN.map(|arg| if arg == "bundle" { "whole" } else { arg });
    succeeds(trainer().current_dir(place.path("")).args(whole));
    let whole = Bundle::open(&place.path("whole")).unwrap();
    for model in &whole.manifest.models {
        assert!(whole.file(&model.file) == resumed.file(&model.file), "{} differs", model.file);
    }
}

#[test]
fn checkpoints_of_another_trial_are_refused() {
    let place = place(1);
    succeeds(trainer().current_dir(place.path("")).args(TRAIN));
    place.write("trial.toml", trial(2));
    let mut run = trainer();
    let parts = ["bundle.work", "other settings", "--work"];
    refused(run.current_dir(place.path("")).args(TRAIN), BAD_INPUT, &parts);
    Bundle::open(&place.path("bundle")).unwrap();
}
