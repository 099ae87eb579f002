//! `mien` on a machine with cameras and displays: an emulated one, with the kernel's own test cameras behind real V4L2
//! drivers and a real framebuffer. Where the program for 64-bit ARM was built (`MIEN_ARM64` names it) it is an ARM
//! board, else one of this machine's architecture.

#![allow(clippy::unwrap_used)]

mod instructions;
mod wires;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use tests::bundles;
use tests::data;
use tests::place::Place;
use tests::program::{mien, path_of};
use tests::readings::{faces, number, readings};
use tests::{project, skip};

/// Exit code of the script when a program that it needs is not there.
const NOT_HERE: i32 = 3;
/// How far scores may be from those of this machine for the same bytes: processors add in different orders.
const TOLERANCE: f64 = 1e-3;

/// Lets a board go through parts of its life; `None`, with the reason told, where there is no emulator.
fn boot(parts: &str) -> Option<Place> {
    let place = Place::default();
    let (arch, program) = arm_program().map_or_else(|| ("amd64", path_of("mien")), |program| ("arm64", program));
    let mut run = Command::new(project("deploy/virtual-board/run"));
    run.arg(arch).args([program, picture(&place), place.path("out")]);
    run.arg(quick_bundle(&place)).env("MIEN_BOARD_PARTS", parts);
    let output = run.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(NOT_HERE) {
        println!("{told}");
        skip("no virtual board: see deploy/virtual-board/run for the packages it needs");
        return None;
    }
    assert!(output.status.success(), "{told}");
    Some(place)
}

/// What the cameras are to show: a frame of a real clip, where the data is there, else a face of the demo.
fn picture(place: &Place) -> PathBuf {
    let composite = project("device/assets/demo/happy.png");
    let clip = data::folder().map(|folder| folder.join("videos/head-pose-face-detection-female.gif"));
    let Some(clip) = clip.filter(|clip| clip.is_file()) else { return composite };
    let frame = place.path("frame.png");
    let mut cut = Command::new("ffmpeg");
    cut.args(["-v", "error", "-i"]).arg(clip).args(["-vf", r"select=eq(n\,18)", "-frames:v", "1"]).arg(&frame);
    match cut.status() {
        Ok(status) if status.success() => frame,
        // The board needs ffmpeg too, and says so.
        _ => composite,
    }
}

/// The program for 64-bit ARM, where it was built.
fn arm_program() -> Option<PathBuf> {
    let program = std::env::var_os("MIEN_ARM64").filter(|path| !path.is_empty()).map(PathBuf::from);
    if program.is_none() {
        skip("the board is not an ARM one: MIEN_ARM64 names no program; see deploy/cross-build");
    }
    program
}

/// What the board left behind that all tests but one look at.
fn board() -> Option<&'static Place> {
    static BOARD: OnceLock<Option<Place>> = OnceLock::new();
    BOARD.get_or_init(|| boot("plain-formats,faults,mjpeg,displays")).as_ref()
}

/// The default bundle with the first of its golden pairs alone: an emulated processor needs a second for each, and mien
/// repeats them at every start.
fn quick_bundle(place: &Place) -> PathBuf {
    bundles::forge(place, |manifest, files| {
        let golden = files.iter_mut().find(|(name, _)| *name == manifest.golden.file).unwrap();
        let mut pairs: Value = serde_json::from_slice(&golden.1).unwrap();
        pairs["pairs"].as_array_mut().unwrap().truncate(1);
        golden.1 = serde_json::to_vec(&pairs).unwrap();
    })
}

/// The bundle that the board was given.
fn bundle_of(board: &Place) -> PathBuf {
    board.path("bundle")
}

/// The only face that this machine reads in a recording.
fn face_here(board: &Place, recording: &str) -> Value {
    let mut run = mien();
    run.args(["run", "--frames", "1", "--source"]).arg(board.path(recording)).arg("--bundle").arg(bundle_of(board));
    let read = readings(&mut run);
    let [face] = faces(&read[0]) else { panic!("not one face in {recording}: {}", read[0]) };
    face.clone()
}

/// The only face of a reading from the board must be the one that was read here.
fn assert_same(reading: &Value, wanted: &Value) {
    let [face] = faces(reading) else { panic!("not one face: {reading}") };
    assert_eq!((&face["expression"], &face["model"]), (&wanted["expression"], &wanted["model"]));
    for (name, score) in wanted["scores"].as_object().unwrap() {
        let off = (number(score) - number(&face["scores"][name])).abs();
        assert!(off <= TOLERANCE, "{name}: {score}, and on the board {}", face["scores"][name]);
    }
}

fn text(board: &Place, name: &str) -> String {
    fs::read_to_string(board.path("out").join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn lines(board: &Place, name: &str) -> Vec<Value> {
    text(board, name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_board_reads_what_this_machine_reads_in_the_same_bytes() {
    let Some(board) = board() else { return };
    assert!(text(board, "list-cameras.txt").contains("/dev/video0: vivid (vivid), camera"));
    let wanted = face_here(board, "out/seen-640x480.yuyv");
    let found = lines(board, "yuyv.jsonl");
    assert_eq!(found.len(), 4);
    for reading in &found {
        assert_same(reading, &wanted);
    }
}

#[test]
fn bad_pictures_among_good_jpegs_are_counted_and_said() {
    let Some(board) = board() else { return };
    let told = text(board, "mjpeg.txt");
    assert!(told.contains("MJPG 640x480") && told.ends_with("exit 0\n"), "{told}");
    assert_eq!(told.matches("such pictures are left out and counted").count(), 1, "{told}");
    let one = board.path("one.mjpeg");
    fs::copy(board.path("out/input/mjpeg/1.jpg"), &one).unwrap();
    let wanted = face_here(board, "one.mjpeg");
    let found = lines(board, "mjpeg.jsonl");
    assert_eq!(found.len(), 16);
    assert_same(&found[0], &wanted);
    assert!(found.iter().all(|reading| faces(reading).len() == 1));
    let bad = found.last().unwrap()["bad_frames"].as_u64().unwrap();
    // Three in eight are; how many of them are passed over for newer ones depends on how fast the board is emulated.
    assert!(bad >= 1, "none of the pictures, and three in eight are bad");
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
    let told = text(board, "no-mjpeg.txt");
    assert!(told.contains("it has only the pixel formats YUYV") && told.ends_with("exit 2\n"), "{told}");
}

#[test]
fn a_lost_camera_and_a_broken_stream_and_a_late_start_come_back() {
    let Some(board) = board() else { return };
    let told = text(board, "faults.txt");
    assert_eq!(told.matches("waiting for it").count(), 3, "{told}");
    assert!(told.contains("it is gone"), "{told}");
    assert_eq!(told.matches("is back").count(), 3, "{told}");
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
    let display = image::open(board.path("out/screen.png")).unwrap().into_rgb8();
    assert_eq!(display.dimensions(), (1280, 800));
    // The card behind the headline, in the colour of the screen's cards and of nothing else.
    let card = display.get_pixel(1200, 620).0;
    assert!(card.iter().all(|&level| (15..50).contains(&level)), "{card:?}");
    let words = display.enumerate_pixels().filter(|(x, y, pixel)| *x > 800 && *y < 200 && pixel.0[0] > 150).count();
    let told = text(board, "test-display.txt");
    assert!(told.ends_with("exit 0\n"), "{told}");
    assert!(words > 500, "{words} bright pixels where the headline stands");
}
