//! Displays that hang on wires: the board's pins were written down, and the pictures are put together from them.

use std::path::Path;

use image::RgbImage;
use tests::program::{mien, succeeds};
use tests::readings::faces;
use tests::skip;
use tests::wire::mipi::MipiDisplay;
use tests::wire::oled::OledDisplay;
use tests::wire::{Controller, Sent, pins};

use super::{board, lines, text};

/// Size of both displays, px.
const WIDTH: usize = 128;
const HEIGHT: usize = 64;
/// Address of the OLED on its bus.
const OLED: u8 = 0x3c;
/// Command that begins to set up an OLED (display off), and a colour panel (leave sleep).
const SETS_UP_OLED: u8 = 0xae;
const SETS_UP_COLOUR: u8 = 0x11;
/// Share of the pixels in which a reading's screen may differ from this machine's: the figures of time do.
const TOLERANCE: f64 = 0.1;

/// The pictures of a display: with a reading, and with the test card.
struct Shown {
    reading: RgbImage,
    card: RgbImage,
}

/// What this machine draws for a panel of that size.
fn drawn(place: &Path, name: &str, arguments: &[&str]) -> RgbImage {
    let folder = place.join(name);
    let panel = format!("png:{}:{WIDTH}x{HEIGHT}", folder.display());
    succeeds(mien().args(arguments).args(["--panel", &panel]));
    let picture = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
    image::open(picture.path()).unwrap().into_rgb8()
}

/// The picture as a display holds it that has fewer colours.
fn reduced(mut picture: RgbImage, colour: impl Fn([u8; 3]) -> [u8; 3]) -> RgbImage {
    picture.pixels_mut().for_each(|pixel| pixel.0 = colour(pixel.0));
    picture
}

/// Parts what was sent where the program set the display up for the last time.
fn parted(all: &[Sent], sets_up: u8) -> (&[Sent], &[Sent]) {
    let begins = |sent: &Sent| matches!(sent, Sent::Command(bytes) if bytes.first() == Some(&sets_up));
    all.split_at(all.iter().rposition(begins).unwrap_or_else(|| panic!("no {sets_up:#x} in {} messages", all.len())))
}

/// A level in the upper `bits` of a byte, the nearest that they can say.
fn rounded(level: u8, bits: u32) -> u8 {
    let most = (1 << bits) - 1;
    (((u32::from(level) * most + 127) / 255) << (8 - bits)) as u8
}

fn oled(all: &[Sent]) -> RgbImage {
    let mut display = OledDisplay::default();
    display.take(all);
    assert!(display.on);
    RgbImage::from_fn(WIDTH as u32, HEIGHT as u32, |x, y| {
        image::Rgb([if display.is_lit(x as usize, y as usize) { 255 } else { 0 }; 3])
    })
}

fn colour(all: &[Sent]) -> RgbImage {
    let mut display = MipiDisplay::new(240, 320);
    display.take(all);
    assert!(display.on);
    RgbImage::from_fn(WIDTH as u32, HEIGHT as u32, |x, y| image::Rgb(display.at(x as usize, y as usize)))
}

fn check(name: &str, shown: &Shown, colour: fn([u8; 3]) -> [u8; 3]) {
    let Some(board) = board() else { return };
    shown.reading.save(board.path(&format!("out/{name}-reading.png"))).unwrap();
    shown.card.save(board.path(&format!("out/{name}-card.png"))).unwrap();
    assert!(text(board, &format!("{name}.txt")).ends_with("exit 0\n"), "{}", text(board, &format!("{name}.txt")));
    assert_eq!(faces(&lines(board, &format!("{name}.jsonl"))[0]).len(), 1);

    let here = board.path(&format!("{name}-here"));
    let card = reduced(drawn(&here, "card", &["test-display"]), colour);
    assert!(shown.card == card, "{name}: another test card: {}", here.display());
    let bundle = board.path("bundle");
    let seen = board.path("out/seen-640x480.yuyv");
    let run = ["run", "--source", seen.to_str().unwrap(), "--bundle", bundle.to_str().unwrap()];
    let reading = reduced(drawn(&here, "reading", &run), colour);
    let pairs = reading.pixels().zip(shown.reading.pixels());
    let other = pairs.filter(|(here, there)| here != there).count() as f64 / (WIDTH * HEIGHT) as f64;
    assert!(other < TOLERANCE, "{name}: {other:.2} of the pixels are others");
}

/// The log of the pins, where the board has any.
fn log() -> Option<String> {
    let board = board()?;
    let log = std::fs::read_to_string(board.path("out/wires.log")).ok();
    if log.is_none() {
        skip("displays on wires: only the ARM board has any");
    }
    log
}

#[test]
fn an_oled_on_i2c_shows_what_was_drawn() {
    let Some(log) = log() else { return };
    let sent = pins::i2c(pins::levels(&log), OLED);
    let (reading, card) = parted(&sent, SETS_UP_OLED);
    check("oled", &Shown { reading: oled(reading), card: oled(card) }, |rgb| {
        let weighed = rgb.iter().zip([299, 587, 114]).map(|(level, weight)| u32::from(*level) * weight);
        [if weighed.sum::<u32>() >= 128_000 { 255 } else { 0 }; 3]
    });
}

#[test]
fn a_colour_panel_on_spi_shows_what_was_drawn() {
    let Some(log) = log() else { return };
    let sent = pins::spi(pins::levels(&log));
    let (reading, card) = parted(&sent, SETS_UP_COLOUR);
    check("spi", &Shown { reading: colour(reading), card: colour(card) }, |[red, green, blue]| {
        [rounded(red, 5), rounded(green, 6), rounded(blue, 5)]
    });
}
