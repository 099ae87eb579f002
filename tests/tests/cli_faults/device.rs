//! `mien` with bad input.

use image::codecs::gif::GifEncoder;
use image::{Delay, Frame, Rgba, RgbaImage};
use tests::place::Place;
use tests::program::{BAD_INPUT, FAILURE, mien, refused, succeeds};

/// `mien run` in a place; all that it is asked to write goes to names that are not there yet.
fn run(place: &Place, source: &str) -> assert_cmd::Command {
    let mut run = mien();
    run.current_dir(place.path("")).args(["run", "--source", source, "--json", "out.jsonl"]);
    run
}

/// A GIF of `frames` gray pictures.
fn gif(frames: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for number in 0..frames {
        let level = 40 + 20 * number;
        let picture = RgbaImage::from_fn(96, 72, |x, y| {
            let [x, y] = [x, y].map(|at| (at % 8) as u8);
            Rgba([level + x, level + y, level, 255])
        });
        encoder.encode_frame(Frame::from_parts(picture, 0, 0, Delay::from_numer_denom_ms(40, 1))).unwrap();
    }
    drop(encoder);
    bytes
}

#[test]
fn a_picture_cut_off_or_none_at_all() {
    let place = Place::default();
    let whole = std::fs::read(place.flat_picture("whole.png")).unwrap();
    place.write("cut.png", &whole[..whole.len() / 2]);
    place.write("notes.jpg", "no picture");
    place.write("empty.png", "");
    place.write("notes.txt", "no picture");
    let names = place.names();
    for source in ["cut.png", "notes.jpg", "empty.png", "notes.txt", "nowhere.png"] {
        refused(&mut run(&place, source), BAD_INPUT, &[source]);
        refused(run(&place, source).args(["--save", "out.png"]), BAD_INPUT, &[source]);
    }
    assert_eq!(place.names(), names);
}

#[test]
fn a_folder_without_a_picture() {
    let place = Place::default();
    place.write("empty/notes.txt", "no picture");
    refused(&mut run(&place, "empty"), BAD_INPUT, &["empty", "no picture"]);
    assert_eq!(place.names(), ["empty"]);
}

#[test]
fn a_folder_with_a_bad_picture_names_it() {
    let place = Place::default();
    place.flat_picture("in/a.png");
    place.write("in/b.png", "no picture");
    refused(run(&place, "in").args(["--save", "out.gif"]), BAD_INPUT, &["b.png"]);
    assert_eq!(place.names(), ["in"]);
}

#[test]
fn a_folder_without_a_face() {
    let place = Place::default();
    for name in ["in/a.png", "in/b.png"] {
        place.flat_picture(name);
    }
    refused(&mut run(&place, "in"), BAD_INPUT, &["no face", "in"]);
    // What was asked for is whole: a line a picture, which says that there was nobody.
    let lines = std::fs::read_to_string(place.path("out.jsonl")).unwrap();
    assert_eq!(lines.matches(r#""faces":[]"#).count(), 2);
    assert_eq!(place.names(), ["in", "out.jsonl"]);
}

#[test]
fn a_gif_that_breaks_off() {
    let place = Place::default();
    let whole = gif(3);
    let name = "cut.gif";
    place.write(name, &whole[..whole.len() - whole.len() / 4]);
    refused(run(&place, name).args(["--save", "out.gif"]), BAD_INPUT, &["frame 2", name]);
    place.write(name, &whole[..20]);
    refused(&mut run(&place, name), BAD_INPUT, &[name]);
    assert_eq!(place.names(), [name]);
}

#[test]
fn a_source_that_ends_is_no_fault() {
    let place = Place::default();
    place.write("whole.gif", gif(3));
    let (_, told) = succeeds(run(&place, "whole.gif").args(["--frames", "100"]));
    assert!(told.contains("3 frames"), "{told}");
    assert_eq!(std::fs::read_to_string(place.path("out.jsonl")).unwrap().lines().count(), 3);
}

#[test]
fn a_configuration_with_an_unknown_key() {
    let place = Place::default();
    place.write("mien.toml", "[smooth]\nhold = 0.1\nhould = 0.1\n");
    refused(run(&place, "demo").args(["--config", "mien.toml"]), BAD_INPUT, &["mien.toml:3:", "hould"]);
    let mut validate = mien();
    validate.current_dir(place.path("")).args(["validate", "--config", "mien.toml"]);
    refused(&mut validate, BAD_INPUT, &["mien.toml:3:", "hould"]);
    assert_eq!(place.names(), ["mien.toml"]);
}

#[test]
fn a_camera_that_is_not_there() {
    let place = Place::default();
    refused(&mut run(&place, "/dev/video93"), BAD_INPUT, &["/dev/video93"]);
    assert!(place.names().is_empty());
}

#[test]
fn outputs_below_a_file() {
    let place = Place::default();
    place.write("file", "text");
    place.flat_picture("a.png");
    let names = place.names();
    for (option, output) in [
        ("--json", "file/out.jsonl"),
        ("--save", "file/out.png"),
        ("--save", "file/out.gif"),
        ("--save", "file/shots/"),
        ("--panel", "png:file/screen"),
    ] {
        let mut run = mien();
        run.current_dir(place.path("")).args(["run", "--source", "a.png", option, output]);
        refused(&mut run, FAILURE, &["file"]);
    }
    assert_eq!(place.names(), names);
    assert_eq!(std::fs::read(place.path("file")).unwrap(), b"text");
}
