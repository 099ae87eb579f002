//! Fixed readings on panels of several sizes, compared pixel for pixel with pictures in
//! `tests/golden`. `MIEN_BLESS=1 cargo test -p device golden` rewrites the pictures; look
//! at them before committing.

use std::path::{Path, PathBuf};

use embedded_graphics::geometry::{OriginDimensions, Size};
use models::Expression;

use super::{Screen, sample};
use crate::reading::{BoardState, Reading};
use crate::screen::canvas::Canvas;

/// A minute of readings at 5 a second that goes through expressions and in and out of
/// blur, and ends with `last`.
fn minute_before(last: &Reading) -> Vec<Reading> {
    let mut readings = Vec::new();
    for step in 0..300_u32 {
        let second = step / 5;
        let mut reading = sample::reading(2);
        reading.captured_at_ms = last.captured_at_ms - 200.0 * f64::from(300 - step);
        let blurred = matches!(second, 14..26 | 44..52);
        let face = &mut reading.faces[0];
        face.model = if blurred { models::ModelChoice::Robust } else { models::ModelChoice::Clear };
        face.expression = match second {
            0..9 => Expression::Neutral,
            9..17 => Expression::Surprise,
            17..28 => Expression::Fear,
            28..34 => Expression::Angry,
            34..43 => Expression::Disgust,
            43..51 => Expression::Sad,
            _ => Expression::Happy,
        };
        face.unsure = matches!(second, 22..26 | 50..52);
        if (31..33).contains(&second) {
            reading.faces.clear();
        }
        readings.push(reading);
    }
    readings
}

/// The screen after a minute that ended with `last`.
fn render(size: (u32, u32), mut last: Reading) -> Canvas {
    last.captured_at_ms = 90_000.0;
    let mut screen = Screen::new(Size::new(size.0, size.1));
    let frame = sample::frame(last.frame);
    for reading in minute_before(&last) {
        screen.draw(&frame, &reading);
    }
    screen.draw(&frame, &last).clone()
}

/// A sharp, happy face in front, a blurred, unsure one behind.
fn sharp() -> Reading {
    sample::reading(2)
}

/// One face, blurred and unsure.
fn blurred() -> Reading {
    let mut reading = sample::reading(2);
    reading.faces.remove(0);
    let rect = &mut reading.faces[0].rect;
    (rect.x, rect.y, rect.width, rect.height) = (220.0, 130.0, 180.0, 180.0);
    reading
}

/// The same on a board that is too hot and short of power.
fn troubled() -> Reading {
    let board = BoardState { temperature_celsius: Some(84.0), throttled: true, under_voltage: true };
    Reading { board: Some(board), ..blurred() }
}

/// A sharp face on a board that is well.
fn warm() -> Reading {
    let board = BoardState { temperature_celsius: Some(61.7), ..BoardState::default() };
    Reading { board: Some(board), ..sharp() }
}

/// Nobody there.
fn empty() -> Reading {
    sample::reading(0)
}

#[test]
fn golden_big_text_128x64() {
    check("128x64-sharp", &render((128, 64), sharp()));
    check("128x64-blurred", &render((128, 64), blurred()));
    check("128x64-empty", &render((128, 64), empty()));
    check("128x64-warm", &render((128, 64), warm()));
    check("128x64-troubled", &render((128, 64), troubled()));
}

#[test]
fn golden_big_text_128x32() {
    check("128x32-sharp", &render((128, 32), sharp()));
    check("128x32-troubled", &render((128, 32), troubled()));
}

#[test]
fn golden_small_160x128() {
    check("160x128-warm", &render((160, 128), warm()));
    check("160x128-troubled", &render((160, 128), troubled()));
    check("160x128-empty", &render((160, 128), empty()));
}

#[test]
fn golden_small_240x135() {
    check("240x135-warm", &render((240, 135), warm()));
}

#[test]
fn golden_square_240x240() {
    check("240x240-warm", &render((240, 240), warm()));
    check("240x240-troubled", &render((240, 240), troubled()));
}

#[test]
fn golden_compact_480x320() {
    check("480x320-warm", &render((480, 320), warm()));
}

#[test]
fn golden_compact_320x240() {
    check("320x240-sharp", &render((320, 240), sharp()));
    check("320x240-blurred", &render((320, 240), blurred()));
    check("320x240-warm", &render((320, 240), warm()));
    check("320x240-troubled", &render((320, 240), troubled()));
}

#[test]
fn golden_upright_240x320() {
    check("240x320-sharp", &render((240, 320), sharp()));
}

#[test]
fn golden_wide_800x480() {
    check("800x480-sharp", &render((800, 480), sharp()));
    check("800x480-blurred", &render((800, 480), blurred()));
    check("800x480-empty", &render((800, 480), empty()));
    check("800x480-warm", &render((800, 480), warm()));
    check("800x480-troubled", &render((800, 480), troubled()));
}

#[test]
fn golden_wide_1280x800() {
    check("1280x800-sharp", &render((1280, 800), sharp()));
}

fn check(name: &str, actual: &Canvas) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.png"));
    if std::env::var_os("MIEN_BLESS").is_some() {
        save(actual, &golden);
    }
    let expected = image::open(&golden).map(|picture| picture.into_rgb8());
    let same = expected.is_ok_and(|expected| expected.as_raw() == actual.pixels());
    if !same {
        let beside = target_dir().join(format!("golden-{name}.actual.png"));
        save(actual, &beside);
        panic!("the screen differs from {}; it is now {}", golden.display(), beside.display());
    }
}

/// The folder of build outputs that the test runs from: `target/release` or the like.
fn target_dir() -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    let beside = exe.ancestors().nth(2).map(Path::to_path_buf);
    beside.unwrap_or_else(std::env::temp_dir)
}

fn save(canvas: &Canvas, path: &Path) {
    let Size { width, height } = canvas.size();
    let colour = image::ExtendedColorType::Rgb8;
    let saved = image::save_buffer(path, canvas.pixels(), width, height, colour);
    assert!(saved.is_ok(), "{} cannot be written: {saved:?}", path.display());
}
