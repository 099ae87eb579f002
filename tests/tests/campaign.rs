//! The campaign of trainings that make the best bundle goes on where it was stopped, and packs what another machine needs.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;
use tests::data::{HEADER, drawn};
use tests::place::{Place, names_in};
use tests::program::{BAD_INPUT, path_of};
use tests::project;

/// Faces drawn: 16 of each label, every fourth for testing.
const FACES: usize = 112;
/// Exit code of a campaign that has more to do.
const MORE: i32 = 75;

/// A place with drawn faces and votes on them that agree with their labels.
fn place() -> Place {
    let place = Place::default();
    let (mut faces, mut votes) = (
        HEADER.to_owned(),
        "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n".to_owned(),
    );
    // In the columns of the votes.
    let columns = [4, 5, 6, 1, 3, 2, 0];
    for (index, line) in drawn(FACES).lines().skip(1).enumerate() {
        let usage = if index % 28 >= 21 { "PublicTest" } else { "Training" };
        faces += &format!("{}{usage}\n", line.strip_suffix("Training").unwrap());
        let mut counts = [0; 10];
        counts[columns[index % 7]] = 10;
        let counts: Vec<String> = counts.iter().map(i32::to_string).collect();
        votes += &format!("{usage},fer{index:07}.png,{}\n", counts.join(","));
    }
    place.write("data/fer2013.csv", faces);
    place.write("data/fer2013new.csv", votes);
    place
}

fn campaign(place: &Place, args: &[&str]) -> Output {
    let mut run = Command::new(project("host-trainer/campaign"));
    run.current_dir(place.path("")).env("MIEN_TRAINER", path_of("mien-trainer")).args(args);
    run.output().unwrap()
}

#[test]
fn a_campaign_goes_on_until_all_is_done() {
    let place = place();
    let told = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let args = |seconds| ["--quick", "--device", "cpu", "--seconds", seconds, "data/fer2013.csv", "results"];
    let first = campaign(&place, &args("2"));
    assert_eq!(first.status.code(), Some(MORE), "{}", told(&first));
    let last = campaign(&place, &args("900"));
    assert_eq!(last.status.code(), Some(0), "{}", told(&last));
    let text = told(&last);
    for part in ["01-teacher-wide/bundle: asked about", "10-student/bundle: asked about"] {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
    let report: Value = serde_json::from_slice(&fs::read(place.path("results/report/report.json")).unwrap()).unwrap();
    assert_eq!(report["quick"], true);
    let trials = report["trials"].as_array().unwrap();
    assert!(trials.len() == 9 && trials.iter().all(|trial| trial["record"].is_object()), "{report}");
}

#[test]
fn a_packed_campaign_can_be_run_elsewhere() {
    let place = place();
    let program = path_of("mien-trainer");
    let packed = campaign(&place, &["pack", program.to_str().unwrap(), "data/fer2013.csv", "packed"]);
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    for name in names_in(&place.path("packed")) {
        assert!(fs::metadata(place.path("packed").join(&name)).unwrap().len() < 64 << 20, "{name}");
    }
    let unpack = "mkdir there && cat packed/mien.tar.xz.* | tar xJ -C there";
    assert!(Command::new("sh").current_dir(place.path("")).args(["-c", unpack]).status().unwrap().success());
    let mut list = Command::new(place.path("there/mien/target/release/mien-trainer"));
    let list = list.args(["trial", "list"]).arg(place.path("there/mien/host-trainer/trials/best")).output().unwrap();
    assert!(String::from_utf8_lossy(&list.stdout).contains("10-student"), "{list:?}");
    assert!(
        place.path("there/mien/data/fer2013new.csv").exists()
            && place.path("there/mien/host-trainer/campaign").exists()
    );
}

#[test]
fn what_is_missing_is_named() {
    let place = place();
    for (args, part) in [
        (&["--quik", "data/fer2013.csv"][..], "--quik"),
        (&[][..], "give DATA"),
        (&["pack", "nothing", "data/fer2013.csv", "packed"][..], "nothing is no program"),
    ] {
        let output = campaign(&place, args);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(BAD_INPUT) && told.contains(part), "{told}");
    }
}
