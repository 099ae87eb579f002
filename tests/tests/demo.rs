//! The demo: composite faces of nobody that move, change expression, and go in and out of blur. Only what `mien` says
//! about them is looked at.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde_json::Value;
use tests::place::{Place, names_in};
use tests::program::{mien, succeeds};
use tests::project;
use tests::readings::{faces, number, readings, share};

/// Frames that the demo shows an expression before it has changed to the next one; it shows all seven in turns.
const TURN: usize = 70;
const TURNS: usize = 7;

/// Every expression once, and blur of each strength.
fn demo() -> &'static [Value] {
    static DEMO: OnceLock<Vec<Value>> = OnceLock::new();
    DEMO.get_or_init(|| {
        let frames = (TURN * TURNS).to_string();
        readings(mien().args(["run", "--source", "demo", "--frames", &frames]))
    })
}

/// The expression that the biggest face has in most of the frames.
fn commonest(readings: &[Value]) -> &str {
    let mut counts = BTreeMap::new();
    for face in readings.iter().filter_map(|reading| faces(reading).first()) {
        *counts.entry(face["expression"].as_str().unwrap()).or_insert(0) += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).unwrap().0
}

#[test]
fn most_frames_have_a_face_under_one_id() {
    let found = share(demo(), |reading| !faces(reading).is_empty());
    assert!(found > 0.9, "a face in {found:.2} of the frames");
    let first = demo().iter().find_map(|reading| faces(reading).first()).unwrap();
    let with_face = demo().iter().filter(|reading| !faces(reading).is_empty());
    let same = share(with_face, |reading| faces(reading).iter().any(|face| face["id"] == first["id"]));
    assert!(same > 0.95, "the first face is in {same:.2} of them");
    let ids: BTreeSet<_> = demo().iter().flat_map(faces).map(|face| face["id"].as_u64().unwrap()).collect();
    assert!(ids.len() <= 4, "two faces were taken for {}", ids.len());
}

#[test]
fn there_is_a_second_face_at_times() {
    let two = share(demo(), |reading| faces(reading).len() == 2);
    assert!((0.1..0.8).contains(&two), "two faces in {two:.2} of the frames");
}

#[test]
fn expressions_are_read() {
    let turns: BTreeSet<&str> = demo().chunks(TURN).map(commonest).collect();
    assert!(turns.len() >= 5, "of seven expressions these were read: {turns:?}");
}

#[test]
fn both_models_have_their_share_and_the_gate_says_why() {
    let of_face = |reading: &Value, model| faces(reading).first().is_some_and(|face| face["model"] == model);
    for model in ["clear", "robust"] {
        let share = share(demo(), |reading| of_face(reading, model));
        assert!(share > 0.15, "{model} in {share:.2} of the frames");
    }
    for face in demo().iter().flat_map(faces) {
        let sharpness = number(&face["blur"]["value"]) / number(&face["blur"]["threshold"]);
        let expected = match sharpness {
            ..0.5 => "robust",
            2.0.. => "clear",
            _ => continue,
        };
        assert_eq!(face["model"], expected, "{face}");
    }
}

#[test]
fn figures_are_what_they_are_said_to_be() {
    let mut last = -1.0;
    for (index, reading) in demo().iter().enumerate() {
        assert_eq!(reading["schema"], 1);
        assert_eq!(reading["frame"], index);
        let at = number(&reading["captured_at_ms"]);
        assert!(at > last, "frame {index}: {at} after {last}");
        last = at;
        for face in faces(reading) {
            let scores = face["scores"].as_object().unwrap();
            let sum: f64 = scores.values().map(number).sum();
            assert!((sum - 1.0).abs() < 1e-3, "{face}");
            assert!(scores.contains_key(face["expression"].as_str().unwrap()), "{face}");
            assert!((0.0..=1.0).contains(&number(&face["detector_score"])), "{face}");
        }
    }
}

#[test]
fn the_form_is_the_documented_one() {
    let text = std::fs::read_to_string(project("device/READINGS.md")).unwrap();
    let reading = demo().iter().find(|reading| !faces(reading).is_empty()).unwrap();
    let face = &faces(reading)[0];
    // Only pictures have a name; only live cameras have an exposure time and the board's state beside them.
    let is_here = |key: &String| !["source_name", "exposure_us", "board"].contains(&key.as_str());
    let frame: BTreeSet<_> = documented(&text, "## A frame").into_iter().filter(is_here).collect();
    assert_eq!(keys(reading), frame);
    let nested = keys(&face["blur"]).into_iter().map(|key| format!("blur.{key}"));
    let flat = keys(face).into_iter().filter(|key| key != "blur");
    assert_eq!(flat.chain(nested).collect::<BTreeSet<_>>(), documented(&text, "## A face"));
    assert_eq!(keys(&reading["stages"]), documented(&text, "## Stage times"));
}

fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

/// The keys in the first column of the table under a heading.
fn documented(text: &str, heading: &str) -> BTreeSet<String> {
    let section = text.split_once(heading).unwrap().1.split("\n## ").next().unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    cells.flat_map(|cell| cell.split(", ")).map(|key| key.trim_matches('`').to_owned()).collect()
}

#[test]
fn without_a_command_the_demo_runs_and_says_what_it_does() {
    let place = Place::default();
    let (_, told) = succeeds(mien().current_dir(place.path("")));
    for part in ["demo", "mien-demo", "--help"] {
        assert!(told.contains(part), "no `{part}` in: {told}");
    }
    assert_eq!(place.names(), ["mien-demo"]);
    let pictures = names_in(&place.path("mien-demo"));
    let open = |name: &String| image::open(place.path("mien-demo").join(name)).unwrap();
    assert!(pictures.len() > 2 && pictures.iter().map(open).all(|picture| picture.width() > 100), "{pictures:?}");
}
