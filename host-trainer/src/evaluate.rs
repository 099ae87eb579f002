//! The `evaluate` command: how good a bundle is on labelled faces, sharp and blurred, measured through the very code that
//! the device runs.

pub mod answer;
pub mod bootstrap;
pub mod calibration;
mod confusion;
pub mod figures;
pub mod gate;
pub mod metrics;
pub mod pose;
pub mod roc;
pub mod slices;
pub mod sweep;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use models::{BlurLevel, BlurMeasure, Bundle, LabelSet, ModelChoice, Recognizer, YunetDetector};

use self::answer::Answer;
use self::gate::GateSample;
use self::metrics::Metrics;
use self::sweep::{Face, LevelAnswers};
use crate::failure::bad_input;
use crate::reader::{self, DataOptions};
use crate::report::settings::{Origin, Settings};
use crate::report::{self, GateRow, LevelRow, Report, Timing};
use crate::sample::{DataSet, UsageFilter};
use crate::say::say;

/// Seed of the bootstrap. Fixed, so that equal answers give equal reports.
const SEED: u64 = 1;

/// What is measured, and on what.
#[derive(Args)]
pub struct MeasuredArgs {
    /// The bundle to measure.
    #[arg(long, value_name = "DIR")]
    pub bundle: PathBuf,
    /// Labelled faces of one size in any of the formats of --format.
    #[arg(long, value_name = "PATH")]
    pub data: PathBuf,
    #[command(flatten)]
    pub options: DataOptions,
    /// The part of the data to measure on; data without parts is all `training`.
    #[arg(long, value_enum, default_value_t)]
    pub usage: UsageFilter,
}

impl MeasuredArgs {
    /// Opens the bundle and reads the data.
    ///
    /// # Errors
    /// One of them does not hold.
    pub fn open(&self) -> anyhow::Result<(Bundle, DataSet)> {
        let bundle = Bundle::open(&self.bundle).map_err(|error| bad_input(error.to_string()))?;
        Ok((bundle, reader::read(&self.data, &self.options)?))
    }
}

/// What `evaluate` is given.
#[derive(Args)]
pub struct EvaluateArgs {
    #[command(flatten)]
    measured: MeasuredArgs,
    /// Measure the faces blurred to every level as well.
    #[arg(long)]
    blur_sweep: bool,
    /// ONNX file of a detector with points, of the YuNet form: figures by the turn of the head, and of faces that are cut
    /// out by their eyes.
    #[arg(long, value_name = "FILE")]
    detector: Option<PathBuf>,
    /// Markdown file for the model card, with sections on what the data is and how the networks learned; any number of them.
    #[arg(long, value_name = "FILE")]
    notes: Vec<PathBuf>,
    /// Folder of the report: report.json, report.html, the plots and the model card; an earlier report there is replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Measures a bundle and writes the report.
///
/// Labels are matched by expression, not by number. Faces whose expression the bundle does not know are skipped, and
/// counted in the report: a six-class bundle can be measured on seven-class data.
///
/// # Errors
/// A bundle or data that do not hold, no face to measure, a model that fails, a folder that cannot be written.
pub fn run(args: &EvaluateArgs) -> anyhow::Result<()> {
    let mut folder = report::folder::OutputFolder::prepare(&args.out, "report.json", &["json", "html", "svg", "md"])?;
    let read_notes = |path: &PathBuf| {
        std::fs::read_to_string(path).map_err(|error| bad_input(format!("cannot read {}: {error}", path.display())))
    };
    let notes = args.notes.iter().map(read_notes).collect::<anyhow::Result<Vec<_>>>()?.join("\n");
    // Before the measurement, so that a wrong one is refused at once.
    let open = |path: &PathBuf| {
        let detector = YunetDetector::from_onnx(path).map_err(|error| bad_input(error.to_string()))?;
        anyhow::Ok((detector, path.display().to_string()))
    };
    let detector = args.detector.as_ref().map(open).transpose()?;
    let measured = &args.measured;
    let (bundle, data) = measured.open()?;
    let levels = if args.blur_sweep { &BlurLevel::ALL[..] } else { &[BlurLevel::None][..] };
    let Measurement { mut report, recognizer, faces, answers } =
        measure(&measured.bundle, &bundle, &data, measured.usage, levels)?;
    if let Some((detector, name)) = &detector {
        let pose = pose::pose((detector, name), &recognizer, (&faces, &without_blur(&answers)), SEED)?;
        report.slices.push(pose.slicing);
        report.cuts = pose.cuts;
    }
    folder.write("CARD.md", report::card::card(&bundle, &report, &notes).as_bytes())?;
    report::write(folder, &report)?;
    println!("{report}");
    println!("report: {}", args.out.join("report.html").display());
    Ok(())
}

/// What was measured, and what it was measured on.
pub struct Measurement<'a> {
    /// All figures.
    pub report: Report,
    /// What was asked.
    pub recognizer: Recognizer,
    /// The faces.
    pub faces: Vec<Face<'a>>,
    /// What the bundle said of them at each level, without blur first.
    pub answers: Vec<LevelAnswers>,
}

/// Measures a bundle, which lies at `path`, on a part of the data at `levels`, of which the first is `none`.
///
/// # Errors
/// Data without such faces, a model that fails.
pub fn measure<'a>(
    path: &Path,
    bundle: &Bundle,
    data: &'a DataSet,
    usage: UsageFilter,
    levels: &[BlurLevel],
) -> anyhow::Result<Measurement<'a>> {
    let recognizer = bundle.recognizer().map_err(|error| bad_input(error.to_string()))?;
    let (faces, skipped) = faces(data, usage, recognizer.labels())?;
    say(&format!("{}: {} faces ({})", data.path.display(), faces.len(), usage.name()));
    let began = Instant::now();
    let rows = sweep::sweep(&recognizer, &faces, levels).context("a model of the bundle failed")?;
    let duration_secs = began.elapsed().as_secs_f64();

    let blur: Vec<LevelRow> = rows.iter().map(|row| level_row(row, &recognizer, data.side)).collect();
    // The sweep always begins without blur.
    let overall = blur.first().map(|row| row.routed.clone()).context("nothing was measured")?;
    let report = Report {
        samples: faces.len(),
        slices: slices::by_light(&faces, &without_blur(&rows), recognizer.labels(), SEED)?,
        cuts: None,
        skipped,
        labels: recognizer.labels().clone(),
        overall,
        gate: (levels.len() > 1).then(|| gate_row(&rows, &recognizer)),
        blur,
        settings: settings(path, bundle, data, usage, levels),
        timing: Timing {
            duration_secs,
            faces_per_sec: (faces.len() * levels.len()) as f64 / duration_secs,
            threads: rayon::current_num_threads(),
        },
    };
    Ok(Measurement { report, recognizer, faces, answers: rows })
}

/// What the device would say of the faces as they are: the first of the levels.
fn without_blur(rows: &[LevelAnswers]) -> Vec<Answer> {
    rows.first().map_or_else(Vec::new, |row| row.answers.iter().map(|answer| answer.routed().clone()).collect())
}

/// The wanted faces with their labels as indices into the bundle's `labels`, and how many were skipped of each label that
/// is not among those.
///
/// # Errors
/// Data without such faces.
pub fn faces<'a>(
    data: &'a DataSet,
    usage: UsageFilter,
    labels: &LabelSet,
) -> anyhow::Result<(Vec<Face<'a>>, BTreeMap<String, usize>)> {
    let samples = data.select(usage);
    if samples.is_empty() {
        let message =
            format!("{} has no {} faces; choose another --usage, such as all", data.path.display(), usage.name());
        return Err(bad_input(message));
    }
    let mut faces = Vec::with_capacity(samples.len());
    let mut skipped = BTreeMap::new();
    for sample in samples {
        let expression = data.labels.get(sample.label).context("a sample without a label")?;
        match labels.index_of(expression) {
            Some(truth) => faces.push(Face { picture: &sample.face, truth }),
            None => *skipped.entry(expression.name().to_owned()).or_insert(0) += 1,
        }
    }
    for (label, count) in &skipped {
        say(&format!("skipped: {count} faces of `{label}`, which the bundle does not know"));
    }
    if faces.is_empty() {
        return Err(bad_input(format!("the bundle knows none of the labels of {}", data.path.display())));
    }
    Ok((faces, skipped))
}

fn level_row(row: &LevelAnswers, recognizer: &Recognizer, side: usize) -> LevelRow {
    let metrics = |pick: fn(&sweep::FaceAnswer) -> &Answer| {
        let answers: Vec<Answer> = row.answers.iter().map(pick).cloned().collect();
        Metrics::of(recognizer.labels(), &answers, SEED)
    };
    let robust = row.answers.iter().filter(|answer| answer.model == ModelChoice::Robust).count();
    LevelRow {
        level: row.level,
        radius_px: row.level.radius_px(side),
        clear: metrics(|answer| &answer.clear.answer),
        robust: metrics(|answer| &answer.robust.answer),
        routed: metrics(sweep::FaceAnswer::routed),
        routed_share: robust as f64 / row.answers.len().max(1) as f64,
    }
}

/// How the bundle's gate does on these faces. Only measured here, never fitted.
fn gate_row(rows: &[LevelAnswers], recognizer: &Recognizer) -> GateRow {
    let samples: Vec<GateSample> =
        rows.iter().flat_map(|row| row.answers.iter().map(|answer| answer.gate_sample(row.level))).collect();
    let gate = *recognizer.gate();
    GateRow {
        gate,
        shipped: gate::assess(&samples, gate.measure, gate.threshold),
        alone: gate::Alone::of(&samples),
        auc: BlurMeasure::ALL.map(|measure| (measure.name(), gate::Separation::of(&samples, measure))).into(),
    }
}

fn settings(path: &Path, bundle: &Bundle, data: &DataSet, usage: UsageFilter, levels: &[BlurLevel]) -> Settings {
    Settings {
        origin: Origin::of(path, bundle, data, usage),
        degradation: "box-blur, at the size of the pictures",
        levels: levels.to_vec(),
        bootstrap_resamples: bootstrap::RESAMPLES,
        bootstrap_seed: SEED,
        calibration_bins: calibration::BINS,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use models::GrayImage;

    use super::*;
    use crate::failure::is_bad_input;
    use crate::sample::{Sample, Usage};

    #[test]
    fn labels_are_matched_by_expression_and_unknown_ones_skipped() {
        let sample = |label| Sample::new(2, Usage::PublicTest, label, GrayImage::new(48, 48));
        let data = DataSet {
            path: "faces.csv".into(),
            sha256: String::new(),
            labels: LabelSet::fer2013(),
            side: 48,
            draws_labels: false,
            samples: vec![sample(6), sample(3), sample(6)],
        };
        let (found, skipped) = faces(&data, UsageFilter::All, &LabelSet::ferplus()).unwrap();
        assert_eq!(found.iter().map(|face| face.truth).collect::<Vec<_>>(), [0, 1, 0]);
        assert!(skipped.is_empty());
        let (found, skipped) = faces(&data, UsageFilter::PublicTest, &LabelSet::basic6()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(skipped, [("neutral".to_owned(), 2)].into());
        assert!(is_bad_input(&faces(&data, UsageFilter::Training, &LabelSet::fer2013()).err().unwrap()));
    }
}
