//! The `robustness` command: how good a bundle is on faces that are blurred, noisy, dark, covered, compressed or small, and
//! whether deblurring or equalising them first would do better than a second model.

mod degradation;
mod degrade;
mod measure;
mod page;
#[cfg(test)]
mod pictures;
mod psf;
mod remedy;
mod report;
mod rival;
mod sharpness;
mod wiener;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::{Args, ValueEnum};
use models::GrayImage;
use rand::seq::SliceRandom;

use self::measure::{Measurement, Numbered};
use self::remedy::Deblurring;
use self::report::{Report, SCHEMA, Settings, WienerSettings};
use self::rival::Rival;
use self::sharpness::RadiusTable;
use self::wiener::{NOISE_TO_SIGNAL, Wiener};
use crate::augment::stream;
use crate::evaluate::{MeasuredArgs, faces};
use crate::failure::bad_input;
use crate::report::folder::OutputFolder;
use crate::report::settings::Origin;
use crate::sample::{DataSet, UsageFilter};
use crate::say::say;

/// Seed of the degradations, of the choice of faces and of the bootstrap. Fixed, so that reports can be compared.
const SEED: u64 = 1;
/// Random streams of their own, beyond those of the degradations.
const CHOICE: u64 = 1000;
const TABLE: u64 = 1001;
/// Training faces from which blind deblurring learns how sharp faces are.
const TABLE_FACES: usize = 500;

/// What `robustness` is given.
#[derive(Args)]
pub struct RobustnessArgs {
    #[command(flatten)]
    measured: MeasuredArgs,
    /// Measure the clear model on deblurred faces as well; needs training faces in the data.
    #[arg(long, value_enum, value_name = "FILTER")]
    deblur: Option<Deblur>,
    /// Power of the noise over that of the picture that the Wiener filter counts with.
    #[arg(long, value_name = "RATIO", default_value_t = NOISE_TO_SIGNAL, requires = "deblur")]
    noise_to_signal: f32,
    /// Show beside the two models what one network does in their place: the robust model of another bundle, which knows
    /// the same expressions.
    #[arg(long, value_name = "DIR")]
    rival: Option<PathBuf>,
    /// Measure only so many of the faces, drawn with a fixed seed.
    #[arg(long, value_name = "N")]
    faces: Option<NonZeroUsize>,
    /// Folder of the report: robustness.json, robustness.html and the plots; an earlier report there is replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// How faces can be deblurred.
#[derive(Copy, Clone, ValueEnum)]
enum Deblur {
    /// Wiener's filter, with the blur known and with one guessed from the sharpness of the face.
    Wiener,
}

/// Measures a bundle under every degradation and writes the report.
///
/// # Errors
/// A bundle or data that do not hold, no face to measure, a model that fails, a folder that cannot be written.
pub fn run(args: &RobustnessArgs) -> anyhow::Result<()> {
    let folder = OutputFolder::prepare(&args.out, "robustness.json", &["json", "html", "svg"])?;
    let MeasuredArgs { bundle: path, usage, .. } = &args.measured;
    let (bundle, data) = args.measured.open()?;
    let recognizer = bundle.recognizer().map_err(|error| bad_input(error.to_string()))?;
    let rival = args.rival.as_deref().map(|path| Rival::open(path, recognizer.labels())).transpose()?;
    let (all, skipped) = faces(&data, *usage, recognizer.labels())?;
    let mut faces: Vec<Numbered<'_>> = (0..).zip(all).collect();
    if let Some(wanted) = args.faces {
        faces.shuffle(&mut stream(SEED, CHOICE, 0, 0));
        faces.truncate(wanted.get());
    }
    let deblurring = args.deblur.map(|Deblur::Wiener| deblurring(&data, args.noise_to_signal)).transpose()?;
    let (deblurring, wiener) = deblurring.unzip();
    let settings = Settings::new(Origin::of(path, &bundle, &data, *usage), SEED, wiener);
    say(&format!("{}: {} faces ({})", data.path.display(), faces.len(), usage.name()));

    let began = Instant::now();
    let measurement = Measurement {
        recognizer: &recognizer,
        rival: rival.as_ref(),
        deblurring: deblurring.as_ref(),
        side: data.side,
        seed: SEED,
    };
    let (none, degradations) = measurement.run(&faces)?;
    let report = Report {
        schema: SCHEMA,
        samples: faces.len(),
        skipped,
        labels: recognizer.labels().clone(),
        none,
        degradations,
        rival: rival.map(|rival| rival.about),
        settings,
        duration_secs: began.elapsed().as_secs_f64(),
    };
    write(folder, &report)?;
    println!("{report}");
    println!("report: {}", args.out.join("robustness.html").display());
    Ok(())
}

/// The filter, and what blind deblurring knows, from training faces alone.
fn deblurring(data: &DataSet, noise_to_signal: f32) -> anyhow::Result<(Deblurring, WienerSettings)> {
    if !(noise_to_signal > 0.0 && noise_to_signal.is_finite()) {
        return Err(bad_input(format!(
            "--noise-to-signal {noise_to_signal} is not above 0; 0.001 suits sharp cameras"
        )));
    }
    let mut faces = data.select(UsageFilter::Training);
    if faces.is_empty() {
        return Err(bad_input(format!(
            "{} has no training faces, from which --deblur learns how sharp faces are; leave --deblur out",
            data.path.display()
        )));
    }
    faces.shuffle(&mut stream(SEED, TABLE, 0, 0));
    faces.truncate(TABLE_FACES);
    let faces = faces.into_iter().map(|sample| sample.face.read()).collect::<anyhow::Result<Vec<_>>>()?;
    let faces: Vec<&GrayImage> = faces.iter().map(AsRef::as_ref).collect();
    let table = RadiusTable::fit(&faces, data.side);
    let settings = WienerSettings { noise_to_signal, table_faces: faces.len(), table: table.rows().to_vec() };
    Ok((Deblurring { filter: Wiener::new(data.side, noise_to_signal), table }, settings))
}

/// Writes the report into a folder that was prepared for it.
///
/// # Errors
/// The disk refuses; nothing is left behind then.
fn write(mut folder: OutputFolder, report: &Report) -> anyhow::Result<()> {
    let mut json = serde_json::to_vec_pretty(report).context("cannot put the report into JSON")?;
    json.push(b'\n');
    folder.write("robustness.json", &json)?;
    let charts: Vec<_> = report.degradations.iter().map(|part| page::chart(report, part)).collect();
    for chart in &charts {
        folder.write(&format!("{}.svg", chart.name), chart.file().as_bytes())?;
    }
    folder.write("robustness.html", page::page(report, &charts).as_bytes())?;
    folder.put()
}
