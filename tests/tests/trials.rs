//! The trials of the studies can be run, and a trained network can be the start or the teacher of another.

#![allow(clippy::unwrap_used)]

use models::{Bundle, Expression, GrayImage, ModelChoice};
use tests::data::drawn;
use tests::place::Place;
use tests::program::{BAD_INPUT, refused, succeeds, trainer};
use tests::project;

/// Faces drawn: 20 of each label.
const FACES: usize = 140;

/// Trains `config`, a path of the project or of `place`, in a minute's time; gives what the trainer told.
fn quick(place: &Place, config: &str, more: &[&str]) -> String {
    let config = if place.path(config).exists() { place.path(config) } else { project(config) };
    place.write("faces.csv", drawn(FACES));
    let mut run = trainer();
    run.current_dir(place.path("")).args(["train", "--quick", "--data", "faces.csv", "--config"]).arg(config);
    succeeds(run.args(more)).1
}

/// Runs a shipped trial; gives the bundle.
fn ships(trial: &str) -> Bundle {
    let place = Place::default();
    quick(&place, &format!("host-trainer/trials/{trial}.toml"), &["--out", "bundle"]);
    let bundle = Bundle::open(&place.path("bundle")).unwrap();
    bundle.recognizer().unwrap();
    bundle
}

#[test]
fn the_blur_study_runs() {
    let bundle = ships("r1/googlenet");
    assert_eq!(bundle.manifest.name, "r1-googlenet-quick");
    assert_eq!(bundle.manifest.labels.index_of(Expression::Neutral), None);
    assert!(bundle.manifest.model(ModelChoice::Robust).unwrap().trained_on.contains("from random weights"));
}

#[test]
fn the_acting_mirror_study_runs() {
    let bundle = ships("r2/10-no-disgust-sixfold");
    assert_eq!(bundle.manifest.labels.len(), 6);
}

#[test]
fn the_transfer_learning_studies_run() {
    assert_eq!(ships("r3/cnn-4").manifest.models[0].network, "plain CNN of 4");
    assert_eq!(ships("r4/mobilenet-v2-modified").manifest.models[0].network, "MobileNetV2");
}

#[test]
fn a_bundle_can_spread_the_grey_levels() {
    for normalisation in ["{ kind = \"equalised\" }", "{ kind = \"clahe\", tiles = 4, clip-limit = 2, min-std = 8 }"] {
        let place = Place::default();
        place.write("trial.toml", small(&format!("[input]\nside = 48\nnormalisation = {normalisation}\n")));
        quick(&place, "trial.toml", &["--out", "bundle"]);
        let bundle = Bundle::open(&place.path("bundle")).unwrap();
        bundle.recognizer().unwrap();
        let text = std::fs::read_to_string(place.path("bundle/bundle.toml")).unwrap();
        assert!(text.contains("kind = \"equalised\"") || text.contains("clip-limit = 2.0"), "{text}");
    }
}

/// A trial of a small network, with more of its keys.
fn small(more: &str) -> String {
    format!("name = \"small\"\n{more}\n[network]\nkind = \"plain-cnn\"\ndepth = 2\n")
}

#[test]
fn a_trained_network_is_the_start_and_the_teacher_of_another() {
    let place = Place::default();
    place.write("first.toml", small(""));
    quick(&place, "first.toml", &["--out", "first"]);

    place.write("second.toml", small("[clear]\nfrozen = \"base\"\n"));
    let told = quick(&place, "second.toml", &["--out", "second", "--init", "first"]);
    assert!(told.contains("init: 12 of the network's 12 tensors from first"), "{told}");
    let listed = std::fs::read_to_string(place.path("second.work/init.txt")).unwrap();
    assert!(listed.contains("loaded PlainCnn.convs.0.conv.weight as convs.0.conv.weight"), "{listed}");
    let trained_on = &Bundle::open(&place.path("second")).unwrap().manifest.models[0].trained_on;
    assert!(trained_on.ends_with("from first"), "{trained_on}");

    // Without epochs of its own the clear model stays what it was, to the last bit.
    place.write("kept.toml", small("robust-start = \"init-robust\"\n[clear]\nepochs = 0\n"));
    quick(&place, "kept.toml", &["--out", "kept", "--init", "first"]);
    let files = |name: &str| ["first", "kept"].map(|bundle| std::fs::read(place.path(bundle).join(name)).unwrap());
    let [[clear, kept], [robust, learned]] = ["clear.onnx", "robust.onnx"].map(files);
    assert!(clear == kept, "the clear model changed");
    assert!(robust != learned, "the robust model learned nothing");
    let mut run = trainer();
    run.current_dir(place.path("")).args(["train", "--quick", "--data", "faces.csv", "--config", "kept.toml"]);
    refused(run.args(["--out", "none"]), BAD_INPUT, &["init"]);
    place.write("lost.toml", small("robust-start = \"init\"\n[robust]\nepochs = 0\n"));
    let mut run = trainer();
    run.current_dir(place.path("")).args(["train", "--quick", "--data", "faces.csv", "--config", "lost.toml"]);
    refused(run.args(["--out", "none"]), BAD_INPUT, &["robust.epochs = 0", "--init"]);

    // A stage that is done is not taught again, so that what taught it may be gone.
    place.write("packed.toml", small("[distil]\nteachers = [\"first\"]\n"));
    quick(&place, "packed.toml", &["--out", "packed"]);
    let told = quick(&place, "packed.toml", &["--out", "packed"]);
    assert!(told.contains("going on after epoch 1") && !told.contains("teacher first"), "{told}");

    // A bundle alone learns on as well, also where several processors share the work.
    std::fs::remove_dir_all(place.path("first.work")).unwrap();
    let told = quick(&place, "first.toml", &["--out", "third", "--init", "first", "--replicas", "3"]);
    assert!(told.contains("init: 6 of the network's 12 tensors from first"), "{told}");
    assert!(told.contains("init: 6 more made of the faces"), "{told}");

    place.write("taught.toml", small("[distil]\nteachers = [\"first\", \"second\"]\n"));
    let told = quick(&place, "taught.toml", &["--out", "taught"]);
    assert!(told.contains("teacher first: asked about") && told.contains("teacher second: asked about"), "{told}");

    // So does its robust network, where the trial says so.
    place.write("robust.toml", small("robust-start = \"init-robust\"\n"));
    quick(&place, "robust.toml", &["--out", "fourth", "--init", "first"]);
    let trained_on = &Bundle::open(&place.path("fourth")).unwrap().manifest.models[1].trained_on;
    assert!(trained_on.contains("from the robust model of first"), "{trained_on}");
    assert!(place.path("fourth.work/init-robust.txt").is_file());
    let mut run = trainer();
    run.current_dir(place.path("")).args(["train", "--quick", "--data", "faces.csv", "--config", "robust.toml"]);
    refused(run.args(["--out", "none"]), BAD_INPUT, &["init-robust", "--init"]);

    // Teachers of other expressions cannot teach.
    place.write("other.toml", small("drop-classes = [\"fear\"]\n[distil]\nteachers = [\"first\"]\n"));
    let mut run = trainer();
    run.current_dir(place.path("")).args(["train", "--quick", "--data", "faces.csv", "--config", "other.toml"]);
    refused(run.args(["--out", "other"]), BAD_INPUT, &["teacher first", "same expressions"]);
}

#[test]
fn teachers_see_what_the_pupil_sees_or_are_kept_in_a_file() {
    let place = Place::default();
    place.write("teacher.toml", small("[robust]\nepochs = 0\n"));
    quick(&place, "teacher.toml", &["--out", "teacher"]);
    // A robust model without epochs of its own is the clear one.
    let recognizer = Bundle::open(&place.path("teacher")).unwrap().recognizer().unwrap();
    let crop = GrayImage::from_vec((0..16 * 16).map(|at| (at * 7 % 251) as u8).collect(), 16, 16).unwrap();
    let [clear, robust] =
        [ModelChoice::Clear, ModelChoice::Robust].map(|role| recognizer.logits_with(crop.view(), role));
    assert_eq!(clear.unwrap(), robust.unwrap());

    place.write("seen.toml", small("[distil]\nteachers = [\"teacher\"]\nconsistent = true\n"));
    let told = quick(&place, "seen.toml", &["--out", "seen"]);
    assert!(!told.contains("asked about"), "{told}");

    // A training on the same data teaches before it is done; on other data its outputs might mean other things.
    place.write(
        "early.toml",
        small("[distil]\nteachers = [\"teacher.work\"]\nconsistent = true\n[robust-distil]\nconsistent = true\n"),
    );
    quick(&place, "early.toml", &["--out", "early"]);
    place.write("others.csv", drawn(FACES).replace(" 12", " 13"));
    let mut run = trainer();
    run.current_dir(place.path("")).args(["train", "--quick", "--data", "others.csv", "--config", "early.toml"]);
    refused(run.args(["--out", "others"]), BAD_INPUT, &["teacher teacher.work", "other data"]);

    // What a teacher said can be kept, and learned from when it is gone.
    let mut run = trainer();
    run.current_dir(place.path("")).args(["answers", "--bundle", "teacher", "--data", "faces.csv"]);
    let (_, told) = succeeds(run.args(["--out", "said.csv.gz"]));
    assert!(told.contains(&format!("asked about {FACES} faces")), "{told}");
    std::fs::remove_dir_all(place.path("teacher.work")).unwrap();
    let mut run = trainer();
    run.current_dir(place.path("")).args(["train", "--quick", "--data", "faces.csv", "--config", "seen.toml"]);
    refused(run.args(["--out", "blind"]), BAD_INPUT, &["teacher teacher", "no work folder", "consistent = false"]);
    std::fs::rename(place.path("teacher"), place.path("gone")).unwrap();
    place.write("kept.toml", small("[distil]\nanswers = [\"said.csv.gz\"]\ntemperature = 0.5\n"));
    let told = quick(&place, "kept.toml", &["--out", "kept"]);
    assert!(told.contains("answers said.csv.gz: about"), "{told}");
    let mut run = trainer();
    run.current_dir(place.path("")).args(["train", "--quick", "--data", "others.csv", "--config", "kept.toml"]);
    refused(run.args(["--out", "strange"]), BAD_INPUT, &["answers said.csv.gz", "says nothing of the face of row"]);
}

/// A trial whose network is one or several residual networks.
fn residual(name: &str, network: &str, epochs: usize) -> String {
    format!(
        "name = \"{name}\"\nrobust-start = \"init-robust\"\n[network]\ndropout = 0.1\n{network}\n[clear]\nepochs = {epochs}\n[robust]\nepochs = {epochs}\n"
    )
}

#[test]
fn trained_networks_are_put_side_by_side_and_learn_on_as_one() {
    let place = Place::default();
    let shapes = ["widths = [8, 16]\nblocks = [1, 0]", "widths = [12, 16]\nblocks = [0, 1]"];
    for (name, shape) in ["first", "second"].into_iter().zip(shapes) {
        let trial = residual(name, &format!("kind = \"residual\"\n{shape}"), 1);
        place.write("alone.toml", trial.replace("init-robust", "clear"));
        quick(&place, "alone.toml", &["--out", name]);
    }
    let both = "kind = \"branches\"\nbranches = [\
                { widths = [8, 16], blocks = [1, 0], init = \"first\" }, \
                { widths = [12, 16], blocks = [0, 1], init = \"second\" }]";
    place.write("both.toml", residual("both", both, 0));
    quick(&place, "both.toml", &["--out", "both"]);
    let uneven = both.replace("\"first\"", "\"first\", share = 0.75").replace("\"second\"", "\"second\", share = 0.25");
    place.write("uneven.toml", residual("uneven", &uneven, 0));
    quick(&place, "uneven.toml", &["--out", "uneven"]);
    // Their shares are all in which these two differ.
    let between = residual("between", both, 0).replace("robust-start", "init = \"both\"\nrobust-start");
    place.write("between.toml", between + "[blend]\ninit = \"uneven\"\nshare = 0.5\n");
    quick(&place, "between.toml", &["--out", "between"]);
    let open = |name: &str| Bundle::open(&place.path(name)).unwrap();
    let recognizers = ["first", "second", "both", "uneven", "between"].map(|name| open(name).recognizer().unwrap());
    let crop = GrayImage::from_vec((0..16 * 16).map(|at| (at * 7 % 251) as u8).collect(), 16, 16).unwrap();
    for role in ModelChoice::ALL {
        let [first, second, both, uneven, between] =
            recognizers.each_ref().map(|one| one.logits_with(crop.view(), role).unwrap());
        for (mean, share) in [(both, 0.5), (uneven, 0.75), (between, 0.625)] {
            for ((first, second), mean) in first.iter().zip(&second).zip(&mean) {
                let expected = first * share + second * (1.0 - share);
                assert!((expected - mean).abs() < 1e-4, "{role}: {first} and {second} became {mean}");
            }
        }
    }
    let model = &open("both").manifest.models[0];
    assert_eq!(model.network, "residual 8-16 x 1-0 beside residual 12-16 x 0-1");
    assert!(model.trained_on.ends_with("from first beside second"), "{}", model.trained_on);
    let blended = &open("between").manifest.models[0].trained_on;
    assert!(blended.ends_with("from the mean of both (0.50) and uneven (0.50)"), "{blended}");

    // As one it is a start like any other.
    std::fs::remove_dir_all(place.path("both.work")).unwrap();
    let told = quick(&place, "both.toml", &["--out", "further", "--init", "both"]);
    assert!(told.contains("tensors from both") && !told.contains("skipped"), "{told}");
    place.write("lost.toml", residual("lost", &both.replace("second", "none"), 0));
    let mut run = trainer();
    run.current_dir(place.path("")).args(["train", "--quick", "--data", "faces.csv", "--config", "lost.toml"]);
    refused(run.args(["--out", "none"]), BAD_INPUT, &["init = none", "no such"]);
}

#[test]
fn networks_are_timed_without_being_trained() {
    let place = Place::default();
    place.write("small.toml", small(""));
    let mut run = trainer();
    run.current_dir(place.path("")).args(["trial", "time", "--rounds", "1", "--json", "small.toml"]);
    let (written, _) = succeeds(run.arg(project("host-trainer/trials/mini-xception.toml")));
    let rows: Vec<serde_json::Value> = serde_json::from_str(&written).unwrap();
    let texts = |key: &str| rows.iter().map(|row| row[key].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(texts("network"), ["plain CNN of 2", "mini-Xception"]);
    for row in &rows {
        assert!(row["weights"].as_u64().unwrap() > 1000 && row["median-ms"].as_f64().unwrap() > 0.0, "{row}");
    }
    assert_eq!(rows[0]["share-of-first"], 1.0);
    let mut run = trainer();
    run.current_dir(place.path("")).args(["trial", "time", "nothing.toml"]);
    refused(&mut run, BAD_INPUT, &["nothing.toml", "no such"]);
}
