//! Preparing and inspecting data sets with the real program.

#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tests::data::{drawn, drawn_pictures};
use tests::disk::{Disk, run_on};
use tests::place::{Place, names_in};
use tests::program::{BAD_INPUT, FAILURE, path_of, refused, refused_with, succeeds, trainer};
use tests::project;

/// Pictures a part holds when faces are as large as they may be.
const PART: usize = 64;

fn prepare(place: &Place, more: &[&str]) -> assert_cmd::Command {
    let mut run = trainer();
    run.current_dir(place.path("")).args(["prepare", "faces", "--aligned"]).args(more);
    run
}

fn json(place: &Place, name: &str) -> Value {
    serde_json::from_slice(&fs::read(place.path(name)).unwrap()).unwrap()
}

#[test]
fn duplicates_are_dropped_with_their_reasons() {
    let place = Place::default();
    let faces = drawn_pictures(&place, "faces", 70);
    // The first face again under its own label, the second one under another, and one that shows nothing.
    fs::copy(&faces[0], place.path("faces/angry/copy.png")).unwrap();
    fs::copy(&faces[1], place.path("faces/neutral/copy.png")).unwrap();
    let blank = image::GrayImage::from_pixel(48, 48, image::Luma([9]));
    blank.save(place.path("faces/sad/blank.png")).unwrap();
    let (told, _) = succeeds(&mut prepare(&place, &["--out", "out", "--keep-near"]));
    assert!(told.contains("73 pictures, 69 faces kept"), "{told}");

    let report = json(&place, "out/report.json");
    for (reason, count) in [("exact-duplicate", 1), ("conflicting-labels", 2), ("blank", 1)] {
        assert_eq!(report["dropped"][reason], count, "{report}");
    }
    let list = fs::read_to_string(place.path("out/dropped.csv")).unwrap();
    for line in [
        "angry/copy.png,angry,exact-duplicate,angry/00000.png",
        "disgust/00001.png,disgust,conflicting-labels,neutral/copy.png",
        "neutral/copy.png,neutral,conflicting-labels,disgust/00001.png",
        "sad/blank.png,,blank,",
    ] {
        assert!(list.lines().any(|found| found == line), "no `{line}` in: {list}");
    }
    assert_eq!(names_in(&place.path("out")), ["dropped.csv", "report.json", "shard-00000.bin", "shards.json"]);
    // A tenth became the test part.
    let tested: u64 = report["classes"]["public-test"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert!((5..=9).contains(&tested), "{tested}");

    // The same command has nothing left to do; another one does not replace the result.
    assert!(succeeds(&mut prepare(&place, &["--out", "out", "--keep-near"])).0.contains("already"));
    refused(&mut prepare(&place, &["--out", "out", "--side", "64"]), BAD_INPUT, &["out", "other settings", "--out"]);
    refused(&mut prepare(&place, &["--out", "faces"]), BAD_INPUT, &["faces", "other things"]);
}

#[test]
fn labels_are_balanced_and_the_result_is_data() {
    let place = Place::default();
    drawn_pictures(&place, "faces", 80);
    succeeds(&mut prepare(&place, &["--out", "out", "--balance", "down", "--test-share", "0", "--keep-near"]));
    let report = json(&place, "out/report.json");
    // Three labels of the seven had twelve faces, the others eleven.
    assert_eq!(report["dropped"]["balance"], 3);
    assert!(report["classes"]["training"].as_object().unwrap().values().all(|count| count == 11), "{report}");

    let mut inspect = trainer();
    inspect.current_dir(place.path("")).args(["inspect", "out", "--out", "report"]);
    let (told, _) = succeeds(&mut inspect);
    assert!(told.contains("77 pictures, 0 bad"), "{told}");
    let names = names_in(&place.path("report"));
    for name in ["report.html", "report.json", "samples.png", "classes.svg", "sharpness.svg"] {
        assert!(names.contains(&name.to_owned()), "no {name}");
    }
    assert_eq!(json(&place, "report/report.json")["duplicates"]["exact"], 0);
}

#[test]
fn faces_in_shards_are_measured_and_learned_from_like_the_pictures() {
    let place = Place::default();
    drawn_pictures(&place, "faces", 140);
    succeeds(&mut prepare(&place, &["--out", "shards", "--side", "48", "--keep-near", "--test-share", "0.5"]));
    let bundle = project("models/bundles/default");
    let answers = |data: &str, usage: &str| {
        let mut run = trainer();
        run.current_dir(place.path("")).args(["evaluate", "--data", data, "--usage", usage, "--out", "report"]);
        succeeds(run.arg("--bundle").arg(&bundle));
        json(&place, "report/report.json")["confusion"].clone()
    };
    let all = answers("faces", "all");
    assert!(!all.is_null() && answers("shards", "all") == all, "{all}");

    let mut train = trainer();
    train.current_dir(place.path("")).args(["train", "--quick", "--data", "shards", "--out", "bundle"]);
    succeeds(&mut train);
    assert_ne!(answers("shards", "public-test"), all);
}

/// Starts a preparation of large faces, of which few fill a part.
fn start(place: &Place, out: &str) -> Child {
    Command::new(path_of("mien-trainer"))
        .current_dir(place.path(""))
        .args(["prepare", "faces", "--aligned", "--side", "1024", "--keep-near", "--out", out])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_killed_run_goes_on_from_its_parts() {
    let place = Place::default();
    drawn_pictures(&place, "faces", 3 * PART + 8);
    let mut running = start(&place, "out");
    while !place.path("out/work/part-00000.bin").exists() {
        assert!(running.try_wait().unwrap().is_none(), "it ended before the first part");
        std::thread::yield_now();
    }
    running.kill().unwrap();
    running.wait().unwrap();
    assert!(!place.path("out/shards.json").exists());

    let again = ["--side", "1024", "--keep-near", "--out", "out"];
    let (_, told) = succeeds(&mut prepare(&place, &again));
    assert!(told.contains("earlier"), "{told}");
    assert!(start(&place, "whole").wait().unwrap().success());
    let hashes = |name: &str| json(&place, name)["shards"].clone();
    assert_eq!(hashes("out/shards.json"), hashes("whole/shards.json"));
    assert_eq!(hashes("out/shards.json").as_array().unwrap().len(), 4);
    damaged_shards(&place);
}

/// A shard that was changed is named, and passed over when that is allowed.
fn damaged_shards(place: &Place) {
    let shard = place.path("out/shard-00001.bin");
    let mut bytes = fs::read(&shard).unwrap();
    bytes[5000] ^= 1;
    fs::write(&shard, bytes).unwrap();
    let inspect = |bad: &str| {
        let mut run = trainer();
        run.current_dir(place.path("")).args(["inspect", "out", "--out", "report", "--max-bad", bad]);
        run
    };
    refused(&mut inspect("0"), BAD_INPUT, &["shard-00001.bin", "SHA-256 does not hold"]);
    let (told, warned) = succeeds(&mut inspect("1"));
    assert!(told.contains("136 pictures, 1 bad"), "{told}");
    assert!(warned.contains("passed over: ") && warned.contains("shard-00001.bin"), "{warned}");
}

#[test]
fn bad_pictures_are_named_and_counted() {
    let place = Place::default();
    let faces = drawn_pictures(&place, "faces", 30);
    for face in [&faces[3], &faces[17]] {
        fs::write(face, "no picture").unwrap();
    }
    for (max_bad, named) in [("0", "00017.png"), ("1", "00017.png")] {
        let out = format!("out{max_bad}");
        let parts =
            if max_bad == "0" { vec!["not a whole picture"] } else { vec![named, "number 2", "--max-bad allows 1"] };
        refused(&mut prepare(&place, &["--out", &out, "--max-bad", max_bad]), BAD_INPUT, &parts);
        assert_eq!(names_in(&place.path(&out)), ["work"]);
    }
    let lenient = ["--out", "out2", "--max-bad", "2", "--keep-near"];
    let (told, warned) = succeeds(&mut prepare(&place, &lenient));
    assert!(told.contains("2 unreadable") && warned.contains("00003.png"), "{told}{warned}");
}

#[test]
fn two_runs_do_not_share_a_folder() {
    let place = Place::default();
    drawn_pictures(&place, "faces", 7);
    let held = File::create(place.write("out/work/lock", "")).unwrap();
    held.lock().unwrap();
    refused(&mut prepare(&place, &["--out", "out"]), BAD_INPUT, &["another mien-trainer", "--out"]);
    drop(held);
    succeeds(&mut prepare(&place, &["--out", "out"]));
}

#[test]
fn a_full_disk_keeps_what_was_finished() {
    let place = Place::default();
    place.write("faces.csv", drawn(70));
    let args = ["prepare", "faces.csv", "--out", "disk/out"];
    let Some(ended) = run_on(&place, (Disk::Full, "disk"), "mien-trainer", &args) else { return };
    let told = String::from_utf8_lossy(&ended.output.stderr);
    let parts = ["part-00000.bin", "No space left on device", "the same command goes on"];
    refused_with(&told, ended.output.status.code(), FAILURE, &parts);
    assert_eq!(ended.left, ["./out/work/lock", "./out/work/plan.json"]);
}
