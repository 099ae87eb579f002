//! The `composites` command: for each expression the mean of many different faces, in which nobody can be recognised. The
//! device's demo shows them.

mod choose;
mod draw;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use models::Expression;
use serde::Serialize;

use self::choose::{NormalisedFace, choose, mean};
use crate::clean::drop_duplicates;
use crate::failure::bad_input;
use crate::reader::DataOptions;
use crate::report::folder::OutputFolder;
use crate::report::settings::command_line;
use crate::sample::{DataSet, Sample, UsageFilter};
use crate::{COMMIT, reader};

/// Fewer faces than this might leave somebody recognisable.
const FEWEST: usize = 50;

/// What `composites` is given.
#[derive(Args)]
pub struct CompositesArgs {
    /// Labelled faces of one size in any of the formats of --format. Only training faces are used.
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    #[command(flatten)]
    options: DataOptions,
    /// Folder of the pictures: a PNG for each expression and composites.json; earlier ones there are replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Different faces in each composite, at least 50.
    #[arg(long, value_name = "N", default_value_t = 60)]
    per_class: usize,
    /// Width and height of the pictures, px.
    #[arg(long, value_name = "PX", default_value_t = 192, value_parser = clap::value_parser!(u32).range(16..=1024))]
    side: u32,
    /// Strength of the sharpening that makes up for the softness of a mean; 0 leaves the mean as it is.
    #[arg(long, value_name = "AMOUNT", default_value_t = 1.0, value_parser = sharpness)]
    sharpen: f32,
}

/// An amount of sharpening from the command line.
fn sharpness(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(amount) if (0.0..=10.0).contains(&amount) => Ok(amount),
        _ => Err("give a number of 0 to 10".to_owned()),
    }
}

/// Where composites come from: composites.json. It tells which data, not which faces.
#[derive(Serialize)]
struct Provenance {
    command: String,
    version: &'static str,
    commit: &'static str,
    data_sha256: String,
    /// Exact duplicates that were removed first.
    duplicates_dropped: usize,
    side_px: u32,
    sharpen: f32,
    composites: Vec<Composite>,
}

/// One picture.
#[derive(Serialize)]
struct Composite {
    expression: Expression,
    file: String,
    /// Different faces it is the mean of.
    faces: usize,
    /// Faces they were chosen from.
    candidates: usize,
    /// Mean correlation of the faces with their mean.
    correlation: f32,
}

/// Makes a composite for each label of the data.
///
/// # Errors
/// Bad data, fewer than 50 faces asked for or there, a folder that cannot be written.
pub fn run(args: &CompositesArgs) -> anyhow::Result<()> {
    if args.per_class < FEWEST {
        let message = format!(
            "--per-class {}: a composite needs at least {FEWEST} faces, so that nobody can be recognised",
            args.per_class
        );
        return Err(bad_input(message));
    }
    let mut folder = OutputFolder::prepare(&args.out, "composites.json", &["json", "png"])?;
    let data = reader::read(&args.data, &args.options)?;
    let cleaned = drop_duplicates(&data.select(UsageFilter::Training));
    let mut composites = Vec::new();
    for (label, expression) in data.labels.iter().enumerate() {
        let samples: Vec<&Sample> = cleaned.kept.iter().copied().filter(|sample| sample.label == label).collect();
        let (png, composite) = composite(&data, expression, &samples, args)?;
        println!(
            "{:<10} {} of {} faces, mean correlation {:.3}",
            expression.name(),
            composite.faces,
            composite.candidates,
            composite.correlation
        );
        folder.write(&composite.file, &png)?;
        composites.push(composite);
    }
    let provenance = Provenance {
        command: command_line(),
        version: env!("CARGO_PKG_VERSION"),
        commit: COMMIT,
        data_sha256: data.sha256.clone(),
        duplicates_dropped: cleaned.dropped,
        side_px: args.side,
        sharpen: args.sharpen,
        composites,
    };
    let mut json = serde_json::to_vec_pretty(&provenance).context("cannot put the provenance into JSON")?;
    json.push(b'\n');
    folder.write("composites.json", &json)?;
    folder.put()
}

fn composite(
    data: &DataSet,
    expression: Expression,
    samples: &[&Sample],
    args: &CompositesArgs,
) -> anyhow::Result<(Vec<u8>, Composite)> {
    let faces = samples.iter().filter_map(|sample| {
        let normalised = sample.face.read().map(|picture| NormalisedFace::of(picture.pixels()));
        normalised.transpose()
    });
    let faces = faces.collect::<anyhow::Result<Vec<NormalisedFace>>>()?;
    let chosen = choose(&faces, args.per_class);
    if chosen.len() < args.per_class {
        return Err(bad_input(format!(
            "{}: only {} different faces of `{expression}`, {} are needed; give more data",
            data.path.display(),
            chosen.len(),
            args.per_class
        )));
    }
    let middle = mean(&chosen).with_context(|| format!("the faces of `{expression}` cancel out"))?;
    let correlation = chosen.iter().map(|face| face.correlation(&middle)).sum::<f32>() / chosen.len() as f32;
    let png = draw::png(&draw::toned(&middle), data.side, args.side, args.sharpen)?;
    let file = format!("{}.png", expression.name());
    Ok((png, Composite { expression, file, faces: chosen.len(), candidates: faces.len(), correlation }))
}
