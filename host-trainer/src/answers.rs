//! The `answers` command, and the files that it writes: what a trained network says of every face of a data set, so that
//! others can learn from it where it is not at hand, being too large to keep beside the project or trained on a GPU.
//!
//! A file is CSV, gzipped: comments (`#`) of where it comes from, a head (`face`, then the labels), and a line a face: the
//! first digits of the SHA-256 of its pixels, and the probability of each label in thousandths.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use models::LabelSet;

use crate::COMMIT;
use crate::ask::is_greatest;
use crate::compute::Processors;
use crate::failure::bad_input;
use crate::reader::{self, DataOptions, unreadable};
use crate::report::settings::command_line;
use crate::sample::{Sample, UsageFilter, hex};
use crate::say::say;
use crate::teachers::{Pupil, Teacher};
use crate::whole::put;

/// What `answers` is given.
#[derive(Args)]
pub struct AnswersArgs {
    /// The bundle whose clear network is asked; the work folder of its training must lie beside it.
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// Labelled faces in any of the formats of --format.
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    #[command(flatten)]
    options: DataOptions,
    /// The part of the data to ask about; data without parts is all `training`.
    #[arg(long, value_enum, default_value_t = UsageFilter::Training)]
    usage: UsageFilter,
    /// The file to write, a .csv.gz.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    processors: Processors,
}

/// Bytes of a face's hash that tell it from all others of a data set.
const BYTES: usize = 5;
const THOUSAND: f32 = 1000.0;

/// Asks the network about every face and its mirror image, and writes the means.
///
/// # Errors
/// A bundle or data that do not hold, labels that the bundle does not know, a file that cannot be written.
pub fn run(args: &AnswersArgs) -> anyhow::Result<()> {
    let device = args.processors.open_one()?;
    let data = reader::read(&args.data, &args.options)?;
    let pupil = Pupil { labels: &data.labels, data_sha256: &data.sha256, device: &device };
    let teacher = Teacher::open(&args.bundle, &pupil)?;
    let samples = data.select(args.usage);
    let rows = teacher.answers(&samples, &device)?;
    let right = samples.iter().zip(&rows).filter(|(sample, row)| is_greatest(row, sample.label));
    say(&format!("{}: asked about {} faces, right about {}", args.bundle.display(), samples.len(), right.count()));
    let mut file = GzEncoder::new(Vec::new(), Compression::best());
    writeln!(file, "# {}, trainer at commit {COMMIT}", command_line())?;
    writeln!(file, "# thousandths, of the data with the SHA-256 {}", data.sha256)?;
    writeln!(file, "face,{}", data.labels.iter().map(|label| label.name()).collect::<Vec<_>>().join(","))?;
    for (sample, row) in samples.iter().zip(&rows) {
        let shares: Vec<String> = row.iter().map(|share| (share * THOUSAND).round().to_string()).collect();
        writeln!(file, "{},{}", digits(sample), shares.join(","))?;
    }
    put(&args.out, &file.finish()?)
}

/// What `file` says of every one of `samples`, a probability for each of `labels`, a row a face.
///
/// # Errors
/// Bad input: a file that does not hold, that has other labels, or that does not have all faces.
pub fn read(file: &Path, labels: &LabelSet, samples: &[&Sample]) -> anyhow::Result<Vec<Vec<f32>>> {
    let refused = |cause: String| bad_input(format!("answers {}: {cause}", file.display()));
    let open = File::open(file).map_err(|error| unreadable(file, &error))?;
    let mut text = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(GzDecoder::new(BufReader::new(open)));
    let head = text.headers().map_err(|error| refused(error.to_string()))?.clone();
    let column = |label: &str| head.iter().skip(1).position(|name| name == label);
    let columns: Option<Vec<usize>> = labels.iter().map(|label| column(label.name())).collect();
    let columns = columns.filter(|columns| columns.len() + 1 == head.len()).ok_or_else(|| {
        refused(format!(
            "its labels are {:?}, those of the data {:?}\n  name answers about the same labels",
            head.iter().skip(1).collect::<Vec<_>>(),
            labels.as_slice()
        ))
    })?;
    let mut rows = HashMap::new();
    for line in text.records() {
        let line = line.map_err(|error| refused(error.to_string()))?;
        let number = |text: &str| text.parse::<f32>().ok().filter(|share| (0.0..=THOUSAND).contains(share));
        let shares: Option<Vec<f32>> = line.iter().skip(1).map(number).collect();
        let total = shares.as_ref().map_or(0.0, |shares| shares.iter().sum());
        let Some(shares) = shares.filter(|_| total > 0.0) else {
            let at = line.position().map_or(0, csv::Position::line);
            return Err(refused(format!("line {at}: no thousandths, of which one at least is more than 0")));
        };
        // Rounding leaves a little more or less than all.
        let row: Vec<f32> = columns.iter().map(|&column| shares[column] / total).collect();
        rows.insert(line[0].to_owned(), row);
    }
    let of = |sample: &&Sample| {
        rows.get(&digits(sample)).cloned().ok_or_else(|| {
            refused(format!("it says nothing of the face of row {}\n  name answers about this very data", sample.row))
        })
    };
    samples.iter().map(of).collect()
}

fn digits(sample: &Sample) -> String {
    hex(&sample.face.salted_hash(0)[..BYTES])
}
