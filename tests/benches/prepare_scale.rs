//! How fast `mien-trainer prepare` is on a large data set, and how much memory it takes: on made pictures like those of
//! Aff-Wild2, 112x112 px in colour as JPEG, in folders named after their labels.
//!
//! `MIEN_BENCH_PICTURES` says how many [100000]; `MIEN_BENCH_FOLDER` where they are kept for the next time [removed again].

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use models::{GrayImage, LabelSet, resize};
use tests::place::Place;
use tests::program::path_of;
use tests::random::Random;

const SIDE: usize = 112;
/// Side of the coarse pattern that every picture is made from, px.
const COARSE: usize = 14;
/// Frames of Aff-Wild2 with an expression, about.
const AFF_WILD2: f64 = 2.5e6;

fn main() {
    let count: usize = std::env::var("MIEN_BENCH_PICTURES").map_or(100_000, |text| text.parse().expect("a number"));
    let place = Place::default();
    let kept = std::env::var_os("MIEN_BENCH_FOLDER").map(PathBuf::from);
    let faces = kept.unwrap_or_else(|| place.path("faces"));
    let began = Instant::now();
    make(&faces, count);
    println!("{count} pictures are there after {:.0} s", began.elapsed().as_secs_f64());
    for aligned in [true, false] {
        // The detector is some forty times slower than all the rest.
        let part = if aligned { faces.clone() } else { place.path("few") };
        if !aligned {
            make(&part, count / 50);
        }
        let pictures = if aligned { count } else { count / 50 };
        measure(&place, &part, aligned, pictures);
    }
}

/// Writes the pictures that are not there yet, on all cores.
fn make(folder: &Path, count: usize) {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for first in 0..threads {
            scope.spawn(move || (first..count).step_by(threads).for_each(|number| picture(folder, number)));
        }
    });
}

fn picture(folder: &Path, number: usize) {
    let labels = LabelSet::fer2013();
    let folder = folder.join(labels.as_slice()[number % labels.len()].name());
    let path = folder.join(format!("{number:07}.jpg"));
    if path.exists() {
        return;
    }
    fs::create_dir_all(&folder).expect("a folder");
    let mut random = Random(number as u64);
    let coarse = (0..COARSE * COARSE).map(|_| random.byte()).collect();
    let coarse = GrayImage::from_vec(coarse, COARSE, COARSE).expect("a pattern");
    let smooth = resize(coarse.view(), SIDE, SIDE);
    let pixels = smooth.pixels().iter().flat_map(|&pixel| [pixel.saturating_add(random.byte() % 16); 3]).collect();
    let picture = RgbImage::from_raw(SIDE as u32, SIDE as u32, pixels).expect("a picture");
    let mut jpeg = Vec::new();
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, 90)).expect("JPEG");
    fs::write(path, jpeg).expect("room on the disk");
}

fn measure(place: &Place, faces: &Path, aligned: bool, pictures: usize) {
    let out = place.path(if aligned { "aligned" } else { "detected" });
    let mut command = Command::new(path_of("mien-trainer"));
    command.arg("prepare").arg(faces).arg("--out").arg(&out).args(["--side", "112"]).stdout(Stdio::null());
    if aligned {
        command.arg("--aligned");
    }
    let began = Instant::now();
    let mut running = command.spawn().expect("mien-trainer");
    let peak_kib = peak_memory(&mut running);
    let secs = began.elapsed().as_secs_f64();
    let rate = pictures as f64 / secs;
    let what = if aligned { "aligned already" } else { "faces detected and aligned" };
    println!(
        "{what}: {pictures} pictures in {secs:.1} s, {rate:.0} a second, {:.0} MiB at most; Aff-Wild2: {:.1} h",
        peak_kib as f64 / 1024.0,
        AFF_WILD2 / rate / 3600.0
    );
}

/// The peak of its resident memory in KiB, as Linux has counted it when the program ends.
fn peak_memory(running: &mut Child) -> u64 {
    let status = format!("/proc/{}/status", running.id());
    let mut peak = 0;
    while running.try_wait().expect("a program").is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(peak);
        thread::sleep(Duration::from_millis(20));
    }
    assert!(running.wait().expect("a program").success(), "mien-trainer failed");
    peak
}
