//! The `evaluate-detector` command: faces found and lost, points, false boxes and time, sharp and blurred.

pub mod figures;
pub mod framing;
mod matching;
mod page;
mod trials;
mod videos;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use models::{Alignment, FaceDetector, RustfaceDetector, YunetDetector};
use serde::Serialize;

use self::framing::Framing;
use self::trials::{SetReport, Speed, Trials};
use self::videos::VideoRow;
use super::faces;
use crate::COMMIT;
use crate::failure::bad_input;
use crate::reader::{self, DataOptions};
use crate::report::folder::OutputFolder;
use crate::report::settings::command_line;
use crate::sample::sha256_hex;
use crate::say::say;

/// Faces of the framing that are looked at, at most.
const FRAMED_FACES: usize = 2000;

/// What `evaluate-detector` is given.
#[derive(Args)]
pub struct EvaluateDetectorArgs {
    /// Folder with faces.csv and its pictures, in images.tar or images/.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// `rustface`, or an ONNX file of the YuNet form; any number of them.
    #[arg(long = "detector", value_name = "NAME|FILE", required = true)]
    detectors: Vec<PathBuf>,
    /// Folder with GIF files to count the faces of.
    #[arg(long, value_name = "DIR")]
    videos: Option<PathBuf>,
    /// Labelled faces, such as FER-2013, in which each detector's framing is measured.
    #[arg(long, value_name = "PATH")]
    framing: Option<PathBuf>,
    /// Frames that are composed, and pictures looked at, at most.
    #[arg(long, value_name = "N", default_value_t = 400)]
    frames: usize,
    /// Smallest face that detectors report, px; without it each detector's own limit, a share of the picture (rustface looks
    /// for none below 40).
    #[arg(long, value_name = "PX")]
    min_face_px: Option<u16>,
    /// Least score of a face, 0..=1; without it each detector's own limit.
    #[arg(long, value_name = "SCORE")]
    min_score: Option<f32>,
    /// Share of the pictures, whole subjects, that is held out: that of the detector's training.
    #[arg(long, value_name = "SHARE", default_value_t = 0.15)]
    held_out_share: f32,
    /// Seed of the split and of the frames: that of the detector's training.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Folder of the report; an earlier report there is replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Everything that was measured.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    command: String,
    commit: &'static str,
    data_sha256: String,
    seed: u64,
    /// Boxes that overlap a face by this much have found it.
    found_from_iou: f32,
    /// Boxes that overlap every face by less than this are false.
    false_below_iou: f32,
    detectors: Vec<DetectorReport>,
}

/// The figures of one detector.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct DetectorReport {
    name: String,
    /// Of its file; none for the one that is built in.
    sha256: Option<String>,
    /// One held-out face, or none, composed into frames of 640x480 px.
    composed: SetReport,
    /// Held-out pictures as they are.
    pictures: SetReport,
    /// On the composed frames, sharp, on one thread.
    speed: Speed,
    videos: Vec<VideoRow>,
    framing: Option<Framing>,
    /// What the framing makes of a bundle's `[align]`.
    align: Option<Alignment>,
}

/// Measures detectors and writes the report.
///
/// # Errors
/// Bad data, a detector that cannot be loaded or fails, a folder that cannot be written.
pub fn run(args: &EvaluateDetectorArgs) -> anyhow::Result<()> {
    let folder = OutputFolder::prepare(&args.out, "report.json", &["json", "html", "svg"])?;
    if let Some(score) = args.min_score.filter(|score| !(0.0..=1.0).contains(score)) {
        return Err(bad_input(format!("--min-score {score} is not within 0 and 1")));
    }
    let open = |path: &PathBuf| Candidate::open(path, args.min_face_px.map(f32::from), args.min_score);
    let mut detectors = args.detectors.iter().map(open).collect::<anyhow::Result<Vec<_>>>()?;
    let set = faces::read(&args.data)?;
    let data_sha256 = set.sha256.clone();
    let held_out = set.split(args.held_out_share, args.seed).held_out;
    say(&format!("{}: {} held-out pictures", args.data.display(), held_out.len()));
    let trials = Trials::new(&held_out, args.frames, args.seed)?;
    let framed = args.framing.as_deref().map(|path| reader::read(path, &DataOptions::default())).transpose()?;
    let mut reports = Vec::new();
    for Candidate { name, sha256, detector } in &mut detectors {
        let detector = detector.as_mut();
        let (composed, pictures, speed) = trials.run(detector).with_context(|| format!("{name} failed"))?;
        let videos = match &args.videos {
            Some(folder) => videos::count(folder, detector)?,
            None => Vec::new(),
        };
        let framing = framed.as_ref().map(|data| {
            let faces = data.samples.iter().map(|sample| &sample.face).take(FRAMED_FACES);
            framing::find(detector, faces).map(|seen| Framing::of(&seen))
        });
        let framing = framing.transpose()?;
        let report = DetectorReport {
            name: name.clone(),
            sha256: sha256.clone(),
            composed,
            pictures,
            speed,
            videos,
            align: framing.as_ref().and_then(Framing::alignment),
            framing,
        };
        println!("{}", page::told(&report));
        reports.push(report);
    }
    let report = Report {
        command: command_line(),
        commit: COMMIT,
        data_sha256,
        seed: args.seed,
        found_from_iou: matching::MIN_IOU,
        false_below_iou: matching::FALSE_IOU,
        detectors: reports,
    };
    page::write(folder, &report)?;
    println!("report: {}", args.out.join("report.html").display());
    Ok(())
}

/// A detector that is measured.
struct Candidate {
    name: String,
    sha256: Option<String>,
    detector: Box<dyn FaceDetector>,
}

impl Candidate {
    fn open(path: &Path, min_face_px: Option<f32>, min_score: Option<f32>) -> anyhow::Result<Self> {
        if path == Path::new(RustfaceDetector::NAME) {
            let mut detector = RustfaceDetector::new()?;
            if let Some(side) = min_face_px {
                detector = detector.with_min_face_px(side);
            }
            if let Some(score) = min_score {
                detector = detector.with_threshold(score);
            }
            return Ok(Self { name: RustfaceDetector::NAME.into(), sha256: None, detector: Box::new(detector) });
        }
        let bytes =
            std::fs::read(path).map_err(|error| bad_input(format!("cannot read {}: {error}", path.display())))?;
        let name = path.display().to_string();
        let mut detector = YunetDetector::from_bytes(&bytes, &name).map_err(|error| bad_input(error.to_string()))?;
        if let Some(side) = min_face_px {
            detector = detector.with_min_face_px(side);
        }
        if let Some(score) = min_score {
            detector = detector.with_threshold(score);
        }
        let stem = path.file_stem().map_or(name, |stem| stem.to_string_lossy().into());
        Ok(Self { name: stem, sha256: Some(sha256_hex(&bytes)), detector: Box::new(detector) })
    }
}
