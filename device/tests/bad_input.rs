//! Whatever is wrong with what `mien` is given: one clear message that names it, the
//! right exit code, nothing half-written, no panic.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use assert_cmd::assert::Assert;
use predicates::prelude::*;
use predicates::str::contains;
use support::Place;

const BAD_INPUT: i32 = 2;
const FAILURE: i32 = 1;

/// Fails with this code and one message that has these parts in it.
fn refused(run: Assert, code: i32, parts: &[&str]) {
    let mut run = run.code(code).stderr(contains("panicked").not()).stderr(contains("error: ").count(1));
    for part in parts {
        run = run.stderr(contains(*part));
    }
}

#[test]
fn a_source_that_is_not_there() {
    let place = Place::new();
    let run = place.run(Path::new("nothing.png")).assert();
    refused(run, BAD_INPUT, &["nothing.png", "No such file"]);
}

#[test]
fn a_file_that_is_neither_picture_nor_video() {
    let place = Place::new();
    let run = place.run(&place.write("notes.txt", "text")).assert();
    refused(run, BAD_INPUT, &["notes.txt", "neither a picture nor a video"]);
}

#[test]
fn a_picture_cut_off_or_none_at_all() {
    let place = Place::new();
    let whole = std::fs::read(place.flat_picture("whole.png")).unwrap();
    for (name, bytes) in
        [("cut.png", &whole[..whole.len() / 2]), ("text.jpg", b"text"), ("empty.png", b""), ("cut.gif", b"GIF89a\x10")]
    {
        let run = place.run(&place.write(name, bytes)).assert();
        refused(run, BAD_INPUT, &[name]);
    }
}

#[test]
fn a_bad_picture_in_a_folder_is_named_and_leaves_nothing_behind() {
    let place = Place::new();
    place.flat_picture("in/a.png");
    place.write("in/b.png", "text");
    let run = place.run(&place.path("in")).args(["--json", "out.jsonl"]).assert();
    refused(run, BAD_INPUT, &["b.png", "--skip-bad"]);
    assert_eq!(place.names("."), ["bundle", "in"]);
}

#[test]
fn skipped_pictures_are_named_and_counted() {
    let place = Place::new();
    place.flat_picture("in/a.png");
    place.write("in/b.png", "text");
    place
        .run(&place.path("in"))
        .arg("--skip-bad")
        .assert()
        .stdout(contains("a.png  no face"))
        .stderr(contains("skipped: picture ").and(contains("b.png")))
        .stderr(contains("skipped 1 of 2 pictures"));
}

#[test]
fn an_empty_folder() {
    let place = Place::new();
    place.write("in/notes.txt", "text");
    let run = place.run(&place.path("in")).assert();
    refused(run, BAD_INPUT, &["in has no picture in it"]);
}

#[test]
fn a_folder_without_a_face_is_read_to_its_end_and_then_refused() {
    let place = Place::new();
    for name in ["in/a.png", "in/b.png"] {
        place.flat_picture(name);
    }
    let run = place.run(&place.path("in")).args(["--json", "out.jsonl"]).assert();
    refused(run, BAD_INPUT, &["no face found in 2 pictures of"]);
    let lines = std::fs::read_to_string(place.path("out.jsonl")).unwrap();
    assert_eq!(lines.matches(r#""faces":[]"#).count(), 2);
}

#[test]
fn a_camera_that_is_not_there_says_what_to_use_instead() {
    let place = Place::new();
    let run = place.run(Path::new("/dev/video93")).assert();
    refused(run, BAD_INPUT, &["camera /dev/video93", "no such device", "list-cameras", "--source demo"]);
    let run = place.run(Path::new("/dev/v4l/by-id/none")).assert();
    refused(run, BAD_INPUT, &["/dev/v4l/by-id/none", "no such device"]);
}

#[test]
fn the_doctor_tells_the_cure() {
    let place = Place::new();
    place.write("mien.toml", "[detect]\nmodel = \"no.onnx\"\n");
    let run = place.mien(["doctor", "--config", "mien.toml"]).assert().code(FAILURE);
    let output = run.get_output().clone();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("TROUBLE models: detector") && told.contains("no.onnx"), "{told}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("needs attention"));
}

#[test]
fn a_display_that_is_not_there_cannot_be_tested() {
    let place = Place::new();
    let run = place.mien(["test-display", "--panel", "fb:/dev/fb93"]).assert();
    refused(run, FAILURE, &["panel /dev/fb93 cannot be used", "--panel none"]);
    let run = place.mien(["test-display", "--panel", "drm:/dev/dri/card93"]).assert();
    refused(run, FAILURE, &["card93 cannot be opened", "ls /dev/dri"]);
    let run = place.mien(["test-display", "--panel", "window"]).env_remove("DISPLAY").assert();
    refused(run, FAILURE, &["no window can be opened", "--panel drm"]);
    let wiring = "[panel-spi]\ndevice = \"/dev/spidev93.0\"\n[panel-oled]\ndevice = \"/dev/i2c-93\"\n";
    place.write("wiring.toml", wiring);
    for (panel, told) in [("spi", "/dev/spidev93.0"), ("spi:ili9341", "dtparam=spi=on"), ("oled", "/dev/i2c-93")] {
        let run = place.mien(["test-display", "--config", "wiring.toml", "--panel", panel]).assert();
        refused(run, FAILURE, &[told, "cannot be used"]);
    }
    let run = place.mien(["test-display", "--panel", "none"]).assert();
    refused(run, BAD_INPUT, &["no panel to test", "--panel fb"]);
    place.mien(["test-display", "--panel", "png:card"]).assert().success();
    assert_eq!(std::fs::read_dir(place.path("card")).unwrap().count(), 1);
}

#[test]
fn a_bundle_with_one_flipped_bit() {
    let place = Place::new();
    let picture = place.flat_picture("a.png");
    for name in ["clear.onnx", "robust.onnx", "golden.json"] {
        let path = place.bundle().join(name);
        let sound = std::fs::read(&path).unwrap();
        let mut broken = sound.clone();
        broken[sound.len() / 2] ^= 1;
        std::fs::write(&path, broken).unwrap();
        refused(place.run(&picture).assert(), BAD_INPUT, &[name, "sha-256"]);
        std::fs::write(&path, sound).unwrap();
    }
}

#[test]
fn a_bundle_that_is_none() {
    let place = Place::new();
    let picture = place.flat_picture("a.png");
    std::fs::remove_file(place.bundle().join("bundle.toml")).unwrap();
    refused(place.run(&picture).assert(), BAD_INPUT, &["bundle.toml"]);
}

#[test]
fn a_detector_that_is_none() {
    let place = Place::new();
    let picture = place.flat_picture("a.png");
    let detector = place.bundle().join("clear.onnx");
    let mut command = place.run(&picture);
    let run = command.arg("--detector").arg(detector).assert();
    refused(run, BAD_INPUT, &["clear.onnx"]);
}

#[test]
fn a_configuration_with_a_mistake() {
    let place = Place::new();
    place.write("mien.toml", "[detect]\nevery = 1\n\n[smoth]\nhold = 1\n");
    let run = place.mien(["validate", "--config", "mien.toml"]).assert();
    refused(run, BAD_INPUT, &["mien.toml:4", "smoth"]);
    let mut command = place.run(Path::new("demo"));
    let run = command.args(["--config", "none.toml"]).assert();
    refused(run, BAD_INPUT, &["none.toml"]);
}

#[test]
fn an_output_that_cannot_be_written() {
    let place = Place::new();
    let picture = place.flat_picture("a.png");
    for output in ["no/such/folder/out.jsonl", "/proc/out.jsonl", "bundle"] {
        let run = place.run(&picture).args(["--json", output]).assert();
        refused(run, FAILURE, &["cannot be written"]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let place = Place::new();
    let picture = place.flat_picture("a.png");
    let run = place.run(&picture).args(["--json", "/dev/full"]).assert();
    refused(run, FAILURE, &["/dev/full", "free some space"]);
}

#[test]
fn a_video_without_ffmpeg() {
    let place = Place::new();
    let video = place.write("clip.mp4", "video");
    let run = place.run(&video).env("PATH", place.path("")).assert();
    refused(run, FAILURE, &["clip.mp4 needs the program ffmpeg", "apt install ffmpeg"]);
}

#[test]
fn a_video_that_ffmpeg_refuses() {
    if std::process::Command::new("ffmpeg").arg("-version").output().is_err() {
        println!("skipped: no ffmpeg");
        return;
    }
    let place = Place::new();
    let video = place.write("clip.mp4", "video");
    let run = place.run(&video).assert();
    refused(run, BAD_INPUT, &["clip.mp4 cannot be decoded: ffmpeg: "]);
}

#[test]
fn a_command_line_with_a_mistake() {
    let place = Place::new();
    for args in [
        &["run"][..],
        &["run", "--source", "demo", "--panel", "hdmi"],
        &["run", "--source", "demo", "--frames", "0"],
        &["walk"],
    ] {
        place.mien(args.iter().copied()).assert().code(BAD_INPUT);
    }
}
