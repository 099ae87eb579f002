//! `mien` on a machine with a camera and a display: an emulated one, with the kernel's own test camera behind a real
//! V4L2 driver and a real framebuffer.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use tests::place::Place;
use tests::program::{mien, path_of};
use tests::readings::{faces, number, readings};
use tests::{project, skip};

/// Exit code of the script when a program that it needs is not there.
const NOT_HERE: i32 = 3;
/// How far the scores may be from those for the picture itself: the camera's colours have fewer steps.
const TOLERANCE: f64 = 0.05;

/// What the board left behind; without an emulator the test is skipped.
fn board() -> Option<&'static Place> {
    static BOARD: OnceLock<Option<Place>> = OnceLock::new();
    let board = BOARD.get_or_init(|| {
        let place = Place::default();
        let mut run = Command::new(project("tests/virtual-board/run"));
        run.args([path_of("mien"), project("device/assets/demo/happy.png"), place.path("out")]);
        let output = run.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(NOT_HERE) {
            println!("{told}");
            return None;
        }
        assert!(output.status.success(), "{told}");
        Some(place)
    });
    if board.is_none() {
        skip("no virtual board: see tests/virtual-board/run for the packages it needs");
    }
    board.as_ref()
}

fn text(board: &Place, name: &str) -> String {
    fs::read_to_string(board.path("out").join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn lines(board: &Place, name: &str) -> Vec<Value> {
    text(board, name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_camera_gives_what_the_picture_gives() {
    let Some(board) = board() else { return };
    assert!(text(board, "list-cameras.txt").contains("/dev/video0: vivid (vivid), camera"));
    let picture = board.path("out/face.png");
    let wanted = readings(mien().args(["run", "--source"]).arg(&picture));
    let wanted = &faces(&wanted[0])[0];
    let found = lines(board, "yuyv.jsonl");
    assert_eq!(found.len(), 4);
    for reading in &found {
        let [face] = faces(reading) else { panic!("not one face: {reading}") };
        assert_eq!((&face["expression"], &face["model"]), (&wanted["expression"], &wanted["model"]));
        for (name, score) in wanted["scores"].as_object().unwrap() {
            let off = (number(score) - number(&face["scores"][name])).abs();
            assert!(off <= TOLERANCE, "{name}: {score}, and by the camera {}", face["scores"][name]);
        }
    }
}

#[test]
fn every_plain_pixel_format_streams_and_another_is_refused() {
    let Some(board) = board() else { return };
    for format in ["yuyv", "uyvy", "nv12", "grey"] {
        let told = text(board, &format!("{format}.txt"));
        assert!(told.contains(&format!("{} 640x480", format.to_uppercase())) && told.ends_with("exit 0\n"), "{told}");
        let readings = lines(board, &format!("{format}.jsonl"));
        assert_eq!(readings.len(), 4, "{format}");
        let times: Vec<f64> = readings.iter().map(|reading| number(&reading["captured_at_ms"])).collect();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{format}: {times:?}");
    }
    let told = text(board, "mjpeg.txt");
    assert!(told.contains("it has only the pixel formats YUYV") && told.ends_with("exit 2\n"), "{told}");
}

#[test]
fn a_lost_camera_and_a_broken_stream_come_back() {
    let Some(board) = board() else { return };
    let told = text(board, "faults.txt");
    assert_eq!(told.matches("waiting for it").count(), 2, "{told}");
    assert!(told.contains("it is gone"), "{told}");
    assert_eq!(told.matches("is back").count(), 2, "{told}");
    assert!(told.ends_with("exit 0\n") && !told.contains("panicked"), "{told}");
    let readings = lines(board, "faults.jsonl");
    let numbers: Vec<u64> = readings.iter().map(|reading| reading["frame"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..32).collect::<Vec<_>>());
}

#[test]
fn the_doctor_finds_camera_and_display() {
    let Some(board) = board() else { return };
    let told = text(board, "doctor.txt");
    for line in ["ok      models: ", "ok      faces: ", "ok      camera /dev/video0: vivid, YUYV 640x480"] {
        assert!(told.contains(line), "no `{line}` in {told}");
    }
    assert!(told.contains("ok      display /dev/fb0: 1280x800 px") && told.ends_with("exit 0\n"), "{told}");
}

#[test]
fn a_camera_in_use_is_said_to_be() {
    let Some(board) = board() else { return };
    let told = text(board, "busy.txt");
    assert!(told.contains("it is in use") && told.contains("fuser") && told.ends_with("exit 1\n"), "{told}");
}

#[test]
fn the_display_shows_the_screen() {
    let Some(board) = board() else { return };
    let display = image::open(board.path("out/display.png")).unwrap().into_rgb8();
    assert_eq!(display.dimensions(), (1280, 800));
    // The card behind the headline, in the colour of the screen's cards and of nothing else.
    let card = display.get_pixel(1200, 620).0;
    assert!(card.iter().all(|&level| (15..50).contains(&level)), "{card:?}");
    let words = display.enumerate_pixels().filter(|(x, y, pixel)| *x > 800 && *y < 200 && pixel.0[0] > 150).count();
    let told = text(board, "test-display.txt");
    assert!(told.ends_with("exit 0\n"), "{told}");
    assert!(words > 500, "{words} bright pixels where the headline stands");
}
