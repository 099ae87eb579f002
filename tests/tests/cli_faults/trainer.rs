//! `mien-trainer` with bad input.

use assert_cmd::Command;
use tests::bundles::copy;
use tests::data::{HEADER, SIDE, drawn, line};
use tests::place::Place;
use tests::program::{BAD_INPUT, FAILURE, refused, trainer};

fn train(place: &Place, data: &str) -> Command {
    let mut run = trainer();
    run.current_dir(place.path("")).args(["train", "--data", data, "--out", "out/bundle"]);
    run
}

fn evaluate(place: &Place, data: &str) -> Command {
    copy(place);
    let mut run = trainer();
    run.current_dir(place.path("")).args(["evaluate", "--bundle", "bundle", "--data", data, "--out", "report"]);
    run
}

/// Both commands refuse the data with these parts in the message, and leave nothing behind.
fn data_refused(place: &Place, data: &str, parts: &[&str]) {
    copy(place);
    let names = place.names();
    refused(&mut train(place, data), BAD_INPUT, parts);
    refused(evaluate(place, data).args(["--usage", "all"]), BAD_INPUT, parts);
    assert_eq!(place.names(), names);
}

#[test]
fn a_line_with_a_pixel_too_few() {
    let place = Place::default();
    let bad = line("3", &[7; SIDE * SIDE - 1], "Training");
    place.write("faces.csv", drawn(2) + &bad);
    data_refused(&place, "faces.csv", &["faces.csv, line 4", "2303 pixels instead of 2304"]);
}

#[test]
fn a_line_with_label_9() {
    let place = Place::default();
    place.write("faces.csv", drawn(2) + &line("9", &[7; SIDE * SIDE], "Training"));
    data_refused(&place, "faces.csv", &["faces.csv, line 4", "label `9`"]);
}

#[test]
fn files_that_hold_no_faces() {
    let place = Place::default();
    place.write("notes.txt", "no faces");
    place.write("header.csv", HEADER);
    for name in ["notes.txt", "header.csv", "nowhere.csv"] {
        data_refused(&place, name, &[name]);
    }
}

#[test]
fn a_packed_file_that_breaks_off() {
    use std::io::Write;
    let place = Place::default();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(drawn(7).as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    place.write("faces.csv.gz", &packed[..packed.len() / 2]);
    data_refused(&place, "faces.csv.gz", &["faces.csv.gz", "breaks off or is damaged"]);
}

#[test]
fn folders_of_pictures() {
    let place = Place::default();
    std::fs::create_dir(place.path("empty")).unwrap();
    data_refused(&place, "empty", &["empty"]);
    place.write("faces/happy/a.png", "no picture");
    place.write("faces/sad/a.png", "no picture");
    data_refused(&place, "faces", &["a.png", "not a whole picture"]);
}

#[test]
fn a_part_of_the_data_that_is_empty() {
    let place = Place::default();
    place.write("faces.csv", drawn(7));
    refused(&mut evaluate(&place, "faces.csv"), BAD_INPUT, &["faces.csv", "public-test"]);
}

#[test]
fn a_trial_with_an_unknown_key() {
    let place = Place::default();
    place.write("faces.csv", drawn(7));
    place.write("trial.toml", "name = \"a\"\n\n[clear]\nepochs = 1\nepoch = 2\n");
    let names = place.names();
    let parts = ["trial.toml", "line 5", "epoch"];
    refused(train(&place, "faces.csv").args(["--config", "trial.toml"]), BAD_INPUT, &parts);
    place.write("trial.toml", "[clear]\nbatch = 0\n");
    refused(train(&place, "faces.csv").args(["--config", "trial.toml"]), BAD_INPUT, &["trial.toml", "clear.batch"]);
    assert_eq!(place.names(), names);
}

#[test]
fn a_device_that_is_not_there() {
    let place = Place::default();
    place.write("faces.csv", drawn(7));
    for device in ["cuda", "vulkan", "libtorch", "libtorch-cuda"] {
        let named = format!("--device {device}");
        refused(train(&place, "faces.csv").args(["--device", device]), BAD_INPUT, &[&named, "--device cpu"]);
    }
    assert_eq!(place.names(), ["faces.csv"]);
}

#[test]
fn outputs_below_a_file() {
    let place = Place::default();
    place.write("faces.csv", drawn(7));
    copy(&place);
    place.write("file", "text");
    let names = place.names();
    let mut run = trainer();
    run.current_dir(place.path("")).args(["evaluate", "--bundle", "bundle", "--data", "faces.csv"]);
    refused(run.args(["--usage", "all", "--out", "file/report"]), FAILURE, &["file/report"]);
    let mut run = trainer();
    run.current_dir(place.path("")).args(["train", "--data", "faces.csv", "--out", "file/bundle"]);
    refused(&mut run, FAILURE, &["file/bundle"]);
    assert_eq!(place.names(), names);
}

#[test]
fn a_report_does_not_replace_other_things() {
    let place = Place::default();
    place.write("faces.csv", drawn(7));
    place.write("report/me.jpg", "a picture of somebody");
    refused(evaluate(&place, "faces.csv").args(["--usage", "all"]), BAD_INPUT, &["report"]);
    assert_eq!(std::fs::read(place.path("report/me.jpg")).unwrap(), b"a picture of somebody");
}
