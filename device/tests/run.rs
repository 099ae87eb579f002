//! `mien` from the outside, where everything is well.

#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use support::Place;

fn lines_of(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn json_of(run: &mut assert_cmd::Command) -> Vec<Value> {
    let output = run.args(["--json", "-"]).assert().success();
    lines_of(std::str::from_utf8(&output.get_output().stdout).unwrap())
}

#[test]
fn the_demo_has_faces_that_keep_their_ids() {
    let place = Place::new();
    let readings = json_of(place.run(Path::new("demo")).args(["--frames", "25"]));
    assert_eq!(readings.len(), 25);
    let with_faces = readings.iter().filter(|r| r["faces"][0].is_object()).count();
    assert!(with_faces >= 20, "{with_faces} of 25");
    for (number, reading) in readings.iter().enumerate() {
        assert_eq!(reading["schema"], 1);
        assert_eq!(reading["frame"], number);
        assert!(reading["stages"]["total_us"].as_u64().unwrap() > 0);
    }
}

#[test]
fn people_get_a_line_a_change_and_a_summary() {
    let place = Place::new();
    place
        .run(Path::new("demo"))
        .args(["--frames", "5", "--json", "out.jsonl"])
        .assert()
        .success()
        .stdout(contains("face 1").and(contains("model: sharpness")))
        .stderr(contains("bundle constant; detector rustface"))
        .stderr(contains("5 frames in"));
    let text = std::fs::read_to_string(place.path("out.jsonl")).unwrap();
    assert_eq!(lines_of(&text).len(), 5);
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let place = Place::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_mien"))
        .args(["run", "--source", "demo", "--frames", "200", "--json", "-", "--bundle"])
        .arg(place.bundle())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    drop(lines);
    let output = child.wait_with_output().unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{messages}");
    assert!(!messages.contains("error"), "{messages}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_finishes_what_was_begun() {
    let place = Place::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_mien"))
        .current_dir(place.path(""))
        .args(["run", "--source", "demo", "--json", "out.jsonl", "--bundle"])
        .arg(place.bundle())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The first line for people means that frames are flowing.
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    let id = child.id().to_string();
    let killed = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(killed.success());
    assert!(child.wait().unwrap().success());
    assert_eq!(place.names("."), ["bundle", "out.jsonl"]);
    let text = std::fs::read_to_string(place.path("out.jsonl")).unwrap();
    assert!(!lines_of(&text).is_empty());
}

#[test]
fn the_shipped_configuration_is_valid() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/mien.toml");
    let place = Place::new();
    let with_bundle = std::fs::read_to_string(shipped)
        .unwrap()
        .replace("#bundle = \"/usr/share/mien/bundle\"", "bundle = \"bundle\"");
    place.write("mien.toml", with_bundle);
    place
        .mien(["validate", "--config", "mien.toml"])
        .assert()
        .success()
        .stdout(contains("mien.toml is fine: bundle constant, detector rustface"));
}

#[test]
fn a_bench_has_a_figure_for_every_stage() {
    let place = Place::new();
    place
        .mien(["bench", "--source", "demo", "--frames", "12", "--json", "bench.json", "--bundle"])
        .arg(place.bundle())
        .assert()
        .success()
        .stdout(contains("frames a second"));
    let text = std::fs::read(place.path("bench.json")).unwrap();
    let report: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(report["frames"], 7);
    let stages: Vec<_> = report["stages"].as_array().unwrap().iter().map(|stage| stage["name"].clone()).collect();
    assert_eq!(stages, ["decode", "detect", "align", "blur", "classify", "draw", "flush", "total"]);
    assert!(report["fps"].as_f64().unwrap() > 0.0);
}

/// A recorded video of one walking person, if the data is here.
fn recorded(name: &str) -> Option<PathBuf> {
    let data = std::env::var_os("MIEN_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let path = data.join("videos").join(name);
    if !path.exists() {
        println!("skipped: no MIEN_DATA");
        return None;
    }
    Some(path)
}

/// Shares of the frames with a face, and of those with the commonest id.
fn shares(readings: &[Value]) -> (f64, f64) {
    let mut seen = std::collections::BTreeMap::new();
    let mut with_face = 0;
    for reading in readings {
        let faces = reading["faces"].as_array().unwrap();
        with_face += usize::from(!faces.is_empty());
        for face in faces {
            *seen.entry(face["id"].as_u64().unwrap()).or_insert(0) += 1;
        }
    }
    let commonest = seen.values().copied().max().unwrap_or(0);
    let all = readings.len() as f64;
    (with_face as f64 / all, f64::from(commonest) / all)
}

#[test]
fn a_real_gif_has_its_face_in_most_frames_under_one_id() {
    let Some(gif) = recorded("head-pose-face-detection-female.gif") else {
        return;
    };
    let place = Place::new();
    let readings = json_of(place.run(&gif).args(["--frames", "60"]));
    let (with_face, commonest) = shares(&readings);
    assert!(with_face > 0.6, "a face in {with_face:.2} of the frames");
    assert!(commonest > 0.8 * with_face, "{commonest:.2} under one id");
}

#[test]
fn a_video_by_ffmpeg_gives_what_the_gif_gives() {
    let Some(gif) = recorded("head-pose-face-detection-female.gif") else {
        return;
    };
    let place = Place::new();
    let video = place.path("clip.mkv");
    let made = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-i"])
        .arg(&gif)
        .args(["-frames:v", "20", "-c:v", "ffv1"])
        .arg(&video)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: no ffmpeg");
        return;
    }
    let from_gif = json_of(place.run(&gif).args(["--frames", "20"]));
    let from_video = json_of(&mut place.run(&video));
    assert_eq!(from_video.len(), 20);
    assert_eq!(from_video[0]["width"], from_gif[0]["width"]);
    let (gif_share, video_share) = (shares(&from_gif).0, shares(&from_video).0);
    assert!((gif_share - video_share).abs() < 0.15, "{gif_share} {video_share}");

    let whole = std::fs::read(&video).unwrap();
    let cut = place.write("cut.mkv", &whole[..whole.len() / 2]);
    place.run(&cut).assert().success().stderr(contains("cut.mkv is damaged: ffmpeg: "));
}
