//! Both programs on a disk that is full or read-only.

use tests::bundles::copy;
use tests::data::drawn;
use tests::disk::{Disk, run_on};
use tests::place::Place;
use tests::program::{FAILURE, mien, refused, refused_with};

const NO_ROOM: &str = "No space left on device";
const READ_ONLY: &str = "Read-only file system";

/// The program fails on such a disk with these parts in its message, and leaves nothing on it.
fn fails_on(place: &Place, disk: Disk, program: &str, args: &[&str], part: &str) {
    let Some(ended) = run_on(place, (disk, "disk"), program, args) else { return };
    let told = String::from_utf8_lossy(&ended.output.stderr);
    refused_with(&told, ended.output.status.code(), FAILURE, &[part, "disk/"]);
    assert!(ended.left.is_empty(), "{disk:?}, {args:?}: left {:?}", ended.left);
}

#[test]
fn readings_and_pictures_of_the_device() {
    let place = Place::default();
    for (option, output) in [
        ("--json", "disk/out.jsonl"),
        ("--save", "disk/out.png"),
        ("--save", "disk/out.gif"),
        ("--save", "disk/shots/"),
        ("--panel", "png:disk/screen"),
    ] {
        // One frame a picture; enough of them for the lines of JSON not to fit either.
        let frames = if option == "--json" { "40" } else { "1" };
        let args = ["run", "--source", "demo", "--frames", frames, option, output];
        fails_on(&place, Disk::Full, "mien", &args, NO_ROOM);
        fails_on(&place, Disk::ReadOnly, "mien", &args, READ_ONLY);
    }
}

#[test]
fn a_device_that_is_always_full() {
    let mut run = mien();
    run.args(["run", "--source", "demo", "--frames", "1", "--json", "/dev/full"]);
    refused(&mut run, FAILURE, &["/dev/full", NO_ROOM]);
}

#[test]
fn reports_of_the_trainer() {
    let place = Place::default();
    place.write("faces.csv", drawn(14));
    copy(&place);
    let args = [
        "evaluate",
        "--bundle",
        "bundle",
        "--data",
        "faces.csv",
        "--usage",
        "all",
        "--blur-sweep",
        "--out",
        "disk/report",
    ];
    fails_on(&place, Disk::Full, "mien-trainer", &args, NO_ROOM);
    fails_on(&place, Disk::ReadOnly, "mien-trainer", &args, READ_ONLY);
}

#[test]
fn checkpoints_and_bundles_of_the_trainer() {
    let place = Place::default();
    place.write("faces.csv", drawn(140));
    let network = "[network]\nkind = \"residual\"\nwidths = [8, 16]\nblocks = [1, 1]\ndropout = 0.0\n";
    let recipe = "epochs = 1\nbatch = 16\n";
    place.write("trial.toml", format!("{network}[clear]\n{recipe}[robust]\n{recipe}"));
    let train = |out, work| {
        ["train", "--data", "faces.csv", "--config", "trial.toml", "--out", out, "--work", work].map(str::to_owned)
    };
    // The work folder stays, with the lock that the trainer holds in it.
    let full = train("bundle", "disk/work");
    if let Some(ended) = run_on(&place, (Disk::Full, "disk"), "mien-trainer", &full) {
        let told = String::from_utf8_lossy(&ended.output.stderr);
        refused_with(&told, ended.output.status.code(), FAILURE, &["disk/work", "checkpoint", "full"]);
        assert_eq!(ended.left, ["./work/lock"]);
        assert!(!place.path("bundle").exists());
    }
    let bundle = train("disk/bundle", "work");
    let bundle: Vec<&str> = bundle.iter().map(String::as_str).collect();
    fails_on(&place, Disk::Full, "mien-trainer", &bundle, NO_ROOM);
    fails_on(&place, Disk::ReadOnly, "mien-trainer", &bundle, READ_ONLY);
}
