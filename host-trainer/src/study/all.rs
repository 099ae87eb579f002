//! `study run`: every trial of a folder that is not done, each in a process of its own, so that one that fails, however
//! it fails, takes no other with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};

use super::folder::{Study, Trial};
use super::options::RunArgs;
use super::record::{LOG, Record, Standing, Wanted, config_sha256, standing};
use super::slurm::{self, SlurmArgs};
use crate::lock::lock;
use crate::report::percent;
use crate::trial::data_of;
use crate::{reader, stop};

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
    #[command(flatten)]
    slurm: SlurmArgs,
}

/// Where trials run.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// Here, one after another.
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
        Engine::Slurm => slurm::submit(&study, &ready(&study, &pending), &results, &args.run, &args.slurm),
        Engine::Local => run_here(&study, &pending, &results, &args.run),
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
    let ids: Vec<&str> = pending.iter().map(|&index| study.trials[index].id.as_str()).collect();
    let teacher = |index: usize| {
        let distil = study.trials[index].config.distil.as_ref();
        distil.and_then(|distil| distil.trials.iter().find(|name| ids.contains(&name.as_str())))
    };
    let mut ready = pending.to_vec();
    ready.retain(|&index| match teacher(index) {
        Some(name) => {
            eprintln!("  {}: learns from {name}; submit again when that is done", study.trials[index].id);
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

/// The trial that runs now ends its work when this is closed.
static RUNNING: Mutex<Option<ChildStdin>> = Mutex::new(None);

fn running() -> MutexGuard<'static, Option<ChildStdin>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run_here(study: &Study, pending: &[usize], results: &Path, args: &RunArgs) -> anyhow::Result<()> {
    stop::on_signal(|| drop(running().take()))?;
    let count = study.trials.len();
    let mut failed = Vec::new();
    for &index in pending {
        let trial = &study.trials[index];
        stop::check(|| "the same command goes on from there".into())?;
        eprintln!("trial {}/{count} {}: {}", index + 1, trial.id, trial.config.network.name());
        let log = results.join(&trial.id).join(LOG);
        let said_before = std::fs::metadata(&log).map_or(0, |log| log.len());
        let status = run_one(trial, args)?;
        stop::check(|| format!("in trial {}; the same command goes on from there", trial.id))?;
        if !status.success() {
            let cause = cause(&log, said_before).unwrap_or_else(|| format!("it ended with {status}; see above"));
            eprintln!("trial {}/{count} {}: failed", index + 1, trial.id);
            failed.push(format!("\n{}: {cause}\n  log: {}", trial.id, log.display()));
        }
    }
    let done = pending.len() - failed.len();
    eprintln!(
        "study {}: {done} trials done now, {} before, {} failed",
        study.name,
        count - pending.len(),
        failed.len()
    );
    eprintln!("  `mien-trainer study report` puts the figures beside the published ones");
    if failed.is_empty() {
        return Ok(());
    }
    Err(anyhow!("{} of {} trials failed; the same command tries them again{}", failed.len(), count, failed.concat()))
}

/// Runs a trial in a process of its own until that ends.
fn run_one(trial: &Trial, args: &RunArgs) -> anyhow::Result<ExitStatus> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut child = Command::new(&program)
        .args(["trial", "run"])
        .arg(&trial.path)
        .arg("--of-study")
        .args(args.arguments())
        .stdin(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    *running() = child.stdin.take();
    if stop::is_asked() {
        // It was before there was anything to close.
        drop(running().take());
    }
    let status = child.wait();
    drop(running().take());
    status.context("cannot wait for a trial")
}

/// The first error that a log tells of behind what was in it before, bytes.
fn cause(log: &Path, said_before: u64) -> Option<String> {
    let text = std::fs::read(log).ok()?;
    let text = String::from_utf8_lossy(text.get(said_before as usize..)?);
    let (_, cause) = text.split_once("\nerror: ")?;
    Some(cause.trim_end().to_owned())
}
