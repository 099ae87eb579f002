//! Recorded people, who turn their heads and walk by.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use image::AnimationDecoder;
use image::codecs::gif::GifDecoder;
use serde_json::Value;
use tests::data;
use tests::program::mien;
use tests::readings::{faces, number, readings, share, timeless};
use tests::skip;

fn replay(video: &Path) -> Vec<Value> {
    readings(mien().args(["run", "--source"]).arg(video))
}

/// Readings of a video of the data; without it the test is skipped.
fn recorded(name: &str) -> Option<Vec<Value>> {
    let video = data::folder()?.join("videos").join(name);
    if !video.is_file() {
        skip(&format!("no videos/{name} in MIEN_DATA"));
        return None;
    }
    let readings = replay(&video);
    let decoder = GifDecoder::new(BufReader::new(File::open(&video).unwrap())).unwrap();
    assert_eq!(readings.len(), decoder.into_frames().count(), "{name}: as many readings as frames");
    for pair in readings.windows(2) {
        assert!(number(&pair[0]["captured_at_ms"]) < number(&pair[1]["captured_at_ms"]), "{name}: time goes on");
    }
    Some(readings)
}

/// Share of the frames with a face, and share of the faces that have one of the `people` commonest ids.
fn found(readings: &[Value], people: usize) -> (f64, f64) {
    let mut seen = BTreeMap::new();
    for face in readings.iter().flat_map(faces) {
        *seen.entry(face["id"].as_u64().unwrap()).or_insert(0_u32) += 1;
    }
    let mut counts: Vec<u32> = seen.into_values().collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let of_people: u32 = counts.iter().take(people).sum();
    let all: u32 = counts.iter().sum();
    (share(readings, |reading| !faces(reading).is_empty()), f64::from(of_people) / f64::from(all.max(1)))
}

#[test]
fn a_woman_who_turns_her_head() {
    let Some(readings) = recorded("head-pose-face-detection-female.gif") else { return };
    let (with_face, steady) = found(&readings, 1);
    assert!(with_face > 0.9 && steady > 0.95, "faces in {with_face:.2}, {steady:.2} of them one");
}

#[test]
fn a_man_who_turns_his_head() {
    let Some(readings) = recorded("head-pose-face-detection-male.gif") else { return };
    let (with_face, steady) = found(&readings, 1);
    assert!(with_face > 0.9 && steady > 0.95, "faces in {with_face:.2}, {steady:.2} of them one");
}

#[test]
fn two_people_at_once() {
    let Some(readings) = recorded("head-pose-face-detection-female-and-male.gif") else { return };
    let (with_face, steady) = found(&readings, 2);
    assert!(with_face > 0.9 && steady > 0.95, "faces in {with_face:.2}, {steady:.2} of them two");
    let both = share(&readings, |reading| faces(reading).len() >= 2);
    assert!(both > 0.9, "both in {both:.2} of the frames");
}

#[test]
fn somebody_who_walks_by_two_others() {
    let Some(readings) = recorded("face-demographics-walking-and-pause.gif") else { return };
    let (with_face, steady) = found(&readings, 3);
    assert!(with_face > 0.9 && steady > 0.95, "faces in {with_face:.2}, {steady:.2} of them three");
}

#[test]
fn a_replay_gives_the_same_readings_again() {
    let Some(folder) = data::folder() else { return };
    let video = folder.join("videos/head-pose-face-detection-female.gif");
    if !video.is_file() {
        return skip("no videos in MIEN_DATA");
    }
    let [first, second] = [(); 2].map(|()| replay(&video).iter().map(timeless).collect::<Vec<_>>());
    assert_eq!(first, second);
}
