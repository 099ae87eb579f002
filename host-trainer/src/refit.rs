//! The `refit` command: an existing bundle's temperatures and gate, fitted anew on other faces, such as those of the camera
//! and the light that it is to work with; its detector may be another one from then on. Its networks stay what they are.

use std::path::PathBuf;

use clap::Args;
use models::Bundle;

use crate::calibrate::calibrate;
use crate::failure::bad_input;
use crate::pack::BundledDetector;
use crate::reader::{self, DataOptions};
use crate::report::settings::command_line;
use crate::sample::{Sample, UsageFilter};
use crate::say::say;
use crate::split::validation_split;

/// What `refit` is given.
#[derive(Args)]
pub struct RefitArgs {
    /// The bundle whose temperatures and gate are to be fitted.
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// Labelled faces, sharp ones, in any of the formats of --format: they are blurred and made noisy here.
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    #[command(flatten)]
    options: DataOptions,
    /// The part of the data to fit on; data without parts is all `training`.
    #[arg(long, value_enum, default_value_t = UsageFilter::Training)]
    usage: UsageFilter,
    /// Fit only on the faces that a training with this `validation-share` and the bundle's seed did not learn from. Needed
    /// where these are the faces that the bundle was trained on: on those its networks look better than they are.
    #[arg(long, value_name = "SHARE")]
    validation_share: Option<f32>,
    /// ONNX file of a face detector, of the YuNet form, that the bundle is to have from now on; the framing that it needs is
    /// measured on the same faces.
    #[arg(long, value_name = "FILE")]
    detector: Option<PathBuf>,
    /// Folder of the new bundle; an older bundle there is replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Fits temperatures and gate, puts another detector in where one is given, and writes the bundle.
///
/// # Errors
/// A bundle, a detector or data that do not hold, labels that the bundle does not know, a folder that cannot be written.
pub fn run(args: &RefitArgs) -> anyhow::Result<()> {
    if let Some(share) = args.validation_share
        && !(0.01..=0.5).contains(&share)
    {
        return Err(bad_input(format!("--validation-share {share} is not within 0.01 and 0.5")));
    }
    let detector = args.detector.as_deref().map(BundledDetector::read).transpose()?;
    let bundle = Bundle::open(&args.bundle).map_err(|error| bad_input(error.to_string()))?;
    let recognizer = bundle.recognizer().map_err(|error| bad_input(error.to_string()))?;
    let data = reader::read(&args.data, &args.options)?;
    if data.labels != *recognizer.labels() {
        return Err(bad_input(format!(
            "{}: its labels are {:?}, those of the bundle {:?}\n  give faces with the bundle's labels",
            args.data.display(),
            data.labels.as_slice(),
            recognizer.labels().as_slice()
        )));
    }
    let all: Vec<&Sample> = data.select(args.usage);
    let faces = match args.validation_share {
        Some(share) => validation_split(&all, share, bundle.manifest.provenance.seed).validation,
        None => all,
    };
    say(&format!("{}: fitting on {} faces ({})", args.data.display(), faces.len(), args.usage.name()));
    let calibration = calibrate(&recognizer, &faces, None)?;
    println!("{}", calibration.gate);

    let mut manifest = bundle.manifest.clone();
    calibration.enter(&mut manifest);
    manifest.provenance.command = format!("{} && {}", manifest.provenance.command, command_line());
    let mut parts = bundle.parts();
    if let Some(detector) = detector {
        let (name, onnx) = detector.enter(&mut manifest, &faces)?;
        parts.retain(|(part, _)| *part != name);
        parts.push((name, onnx));
    }
    models::write(&args.out, &manifest, &parts)?;
    say(&format!("bundle written to {}", args.out.display()));
    Ok(())
}
