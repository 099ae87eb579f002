//! `study run`: every trial of a folder that is not done, here or by Slurm.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::folder::Study;
use super::local;
use super::options::RunArgs;
use super::record::{Record, Standing, Wanted, config_sha256, standing};
use super::slurm::{self, SlurmArgs};
use crate::lock::lock;
use crate::reader;
use crate::report::percent;
use crate::trial::data_of;

/// What `study run` is given.
#[derive(Args)]
pub struct StudyRunArgs {
    /// The folder of trial files.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    run: RunArgs,
    /// Where the trials run.
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
    /// Trials that run at the same time at most [default: one here, as many as it has room for with Slurm]. A GPU that one
    /// training does not fill does more with several.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    at_once: Option<u16>,
    #[command(flatten)]
    slurm: SlurmArgs,
}

/// Where trials run.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// Here, each in a process of its own.
    #[default]
    Local,
    /// As an array of jobs of Slurm, one task a trial.
    Slurm,
}

/// Runs what is not done.
///
/// # Errors
/// Bad input, before any trial began; trials that failed, all others being done; a wish to stop.
pub fn run(args: &StudyRunArgs) -> anyhow::Result<()> {
    let study = Study::open(&args.folder)?;
    let results = args.run.results(&study.name);
    let _lock = lock(&results, "--results")?;
    let pending = plan(&study, &results, &args.run)?;
    if pending.is_empty() {
        eprintln!("study {}: all is done", study.name);
        return Ok(());
    }
    match args.engine {
        Engine::Slurm => {
            slurm::submit(&study, &ready(&study, &pending), &results, &args.run, args.at_once, &args.slurm)
        }
        Engine::Local => local::run(&study, &pending, &results, &args.run, args.at_once.unwrap_or(1).into()),
    }
}

/// Says how every trial stands; gives the places of those to be run.
fn plan(study: &Study, results: &Path, args: &RunArgs) -> anyhow::Result<Vec<usize>> {
    let mut hashes = Hashes { args, known: BTreeMap::new() };
    let mut also = Vec::new();
    for other in &args.also {
        also.push((other.name.clone(), hashes.of(&other.path)?));
    }
    eprintln!("study {}: {} trials, results in {}", study.name, study.trials.len(), results.display());
    let mut pending = Vec::new();
    for (index, trial) in study.trials.iter().enumerate() {
        let config = args.config(trial);
        let wanted = Wanted {
            config_sha256: config_sha256(&config),
            quick: args.quick,
            data_sha256: hashes.of(data_of(args.data.as_deref(), &config)?)?,
            also: also.clone(),
        };
        match standing(&results.join(&trial.id), &wanted)? {
            Standing::Done(record) => eprintln!("  {}: done{}", trial.id, reached(&record)),
            Standing::ToDo(how) => {
                eprintln!("  {}: {how}", trial.id);
                pending.push(index);
            }
        }
    }
    Ok(pending)
}

/// Those of the pending trials that learn from none of the others; the tasks of an array do not wait for each other.
fn ready(study: &Study, pending: &[usize]) -> Vec<usize> {
    let id = |place: usize| &study.trials[place].id;
    let mut ready = pending.to_vec();
    ready.retain(|&place| match study.teachers(place).into_iter().find(|teacher| pending.contains(teacher)) {
        Some(teacher) => {
            eprintln!("  {}: learns from {}; submit again when that is done", id(place), id(teacher));
            false
        }
        None => true,
    });
    ready
}

/// What a trial reached on its first test faces.
fn reached(record: &Record) -> String {
    let first = record.tests.first().and_then(|test| Some((test, test.blur.first()?)));
    first.map_or_else(String::new, |(test, sharp)| {
        format!(", accuracy of the clear model {} on {}", percent(sharp.clear.figures.accuracy), test.name)
    })
}

/// SHA-256 of data sets, each read once, and found to be bad before hours of work.
struct Hashes<'a> {
    args: &'a RunArgs,
    known: BTreeMap<PathBuf, String>,
}

impl Hashes<'_> {
    fn of(&mut self, path: &Path) -> anyhow::Result<String> {
        if let Some(sha256) = self.known.get(path) {
            return Ok(sha256.clone());
        }
        let sha256 = reader::read(path, &self.args.options)?.sha256;
        self.known.insert(path.to_owned(), sha256.clone());
        Ok(sha256)
    }
}
