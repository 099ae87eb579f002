//! `trial run`: trains a trial, measures it, and writes down what it reached.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use models::{BlurLevel, Bundle};

use super::options::{RunArgs, name};
use super::record::{
    BUNDLE, DataRecord, LOG, Record, StageRecord, Standing, TestRecord, Wanted, config_sha256, standing,
};
use super::samples;
use super::trial::Trial;
use crate::checkpoint::{Store, WORK};
use crate::config::TrialConfig;
use crate::evaluate::{Measurement, measure};
use crate::failure::bad_input;
use crate::lock::lock;
use crate::report::folder::OutputFolder;
use crate::report::settings::command_line;
use crate::sample::{DataSet, UsageFilter};
use crate::say::{log_to, note, say};
use crate::trial::{Outcome, Training, cropped, data_of, read};
use crate::{COMMIT, report, stop};

/// Folder of the evaluations in a trial's folder, one in it for each set of faces.
pub const EVALUATION: &str = "evaluation";

/// What `trial run` is given.
#[derive(Args)]
pub struct TrialRunArgs {
    /// The trial file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    run: RunArgs,
    /// A study that runs this trial holds the other end of standard input, and closes it to stop.
    #[arg(long, hide = true)]
    of_study: bool,
}

/// Runs one trial, unless it is done.
///
/// # Errors
/// Bad input, a training that fails, a folder that cannot be written or is another process's, a wish to stop. The trial's
/// log ends with the cause.
pub fn run(args: &TrialRunArgs) -> anyhow::Result<()> {
    stop::on_signal(|| ())?;
    if args.of_study {
        stop::at_end_of_input();
    }
    let trial = Trial::open(&args.file)?;
    let folder = args.run.results(&trial.study).join(&trial.id);
    let _lock = lock(&folder, "--results")?;
    log_to(&folder.join(LOG))?;
    note(&format!("--- {}/{}, commit {COMMIT}: {}", trial.study, trial.id, command_line()));
    run_in(&folder, &trial, &args.run).inspect_err(|error| {
        note(&format!("{}: {error:#}", if stop::was_stopped(error) { "stopped" } else { "error" }));
    })
}

/// Faces to measure on.
struct Test<'a> {
    name: String,
    data: &'a DataSet,
    usage: UsageFilter,
}

fn run_in(folder: &Path, trial: &Trial, args: &RunArgs) -> anyhow::Result<()> {
    let config = args.config(trial);
    let path = data_of(args.data.as_deref(), &config)?;
    let read = |path: &Path| read(path, &args.options, args.quick);
    let data = read(path)?.without(&config.drop_classes)?;
    let also = args.also.iter().map(|also| read(&also.path)).collect::<anyhow::Result<Vec<_>>>()?;
    let wanted = Wanted {
        config_sha256: config_sha256(&config),
        quick: args.quick,
        data_sha256: data.sha256.clone(),
        also: args.also.iter().zip(&also).map(|(also, data)| (also.name.clone(), data.sha256.clone())).collect(),
    };
    match standing(folder, &wanted)? {
        Standing::Done(_) => {
            say(&format!("{}/{}: done already, in {}", trial.study, trial.id, folder.display()));
            return Ok(());
        }
        Standing::ToDo(how) => say(&format!("{}/{}: {how}", trial.study, trial.id)),
    }
    // Not sooner: what is done already needs no detector.
    let data = cropped(&config, data)?;
    let also = also.into_iter().map(|data| cropped(&config, data)).collect::<anyhow::Result<Vec<_>>>()?;
    let (mut tests, left_out) = parts(&config, &data)?;
    let others = args.also.iter().zip(&also);
    tests.extend(others.map(|(also, data)| Test { name: also.name.clone(), data, usage: UsageFilter::All }));

    let config = args.with_teachers(args.with_weights(config)?, &trial.study)?;
    let outcome = train(folder, &config, &data, args)?;
    let bundle_path = folder.join(BUNDLE);
    let bundle = Bundle::open(&bundle_path)?;
    let tests = tests.iter().map(|test| measure_on(folder, &bundle_path, &bundle, test)).collect::<Result<_, _>>()?;
    let [clear, robust] = outcome.stages;
    let record = Record {
        schema: Record::SCHEMA,
        study: trial.study.clone(),
        trial: trial.id.clone(),
        quick: wanted.quick,
        config_sha256: wanted.config_sha256,
        data: data_record(&data),
        training_faces: outcome.training_faces,
        validation_faces: outcome.validation_faces,
        weights: config.init.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned()),
        device: name(args.processors.device).to_string_lossy().into_owned(),
        seed: config.seed,
        config,
        command: command_line(),
        commit: COMMIT.into(),
        stages: vec![StageRecord::of("clear", clear.history), StageRecord::of("robust", robust.history)],
        tests,
        left_out,
    };
    record.write(folder)?;
    say(&format!("{}/{}: done, in {}", trial.study, trial.id, folder.display()));
    Ok(())
}

/// The parts of the data to measure on, and those that it does not have.
fn parts<'a>(config: &TrialConfig, data: &'a DataSet) -> anyhow::Result<(Vec<Test<'a>>, BTreeMap<String, String>)> {
    let (mut tests, mut left_out) = (Vec::new(), BTreeMap::new());
    for &usage in &config.test_on {
        let name = usage.name().to_owned();
        if data.select(usage).is_empty() {
            let why = format!("the data has no {name} faces");
            say(&format!("not measured on {name}: {why}"));
            left_out.insert(name, why);
        } else {
            tests.push(Test { name, data, usage });
        }
    }
    if tests.is_empty() {
        return Err(bad_input(format!(
            "{}: no faces to measure on: none of test-on = {:?}\n  give other data, or name another part with `test-on` in \
             the trial file",
            data.path.display(),
            left_out.keys().collect::<Vec<_>>()
        )));
    }
    Ok((tests, left_out))
}

/// Trains, from the checkpoints where they are of this trial and these data.
fn train(folder: &Path, config: &TrialConfig, data: &DataSet, args: &RunArgs) -> anyhow::Result<Outcome> {
    let work = folder.join(WORK);
    for (index, stage) in ["clear", "robust"].into_iter().enumerate() {
        if let Some(why) = Store::new(&work, stage).discard_unusable(config, index as u64, &data.sha256)? {
            say(&format!("{stage} begins again: {}", why.lines().next().unwrap_or_default()));
        }
    }
    let devices = args.processors.open()?;
    let out = folder.join(BUNDLE);
    Training { trial: config, data, work: &work, out: &out, detector: None, devices: &devices }.run()
}

/// Measures at every level of blur and writes the report and the sheet of samples.
fn measure_on(folder: &Path, path: &Path, bundle: &Bundle, test: &Test<'_>) -> anyhow::Result<TestRecord> {
    stop::check(|| "after the training, which is kept; the same command goes on with measuring".into())?;
    let place = folder.join(EVALUATION).join(&test.name);
    let mut output = OutputFolder::prepare(&place, "report.json", &["json", "html", "svg", "png"])?;
    let measured = measure(path, bundle, test.data, test.usage, &BlurLevel::ALL)
        .with_context(|| format!("measuring on {}", test.name))?;
    output.write(samples::FILE, &samples::png(&measured.report.labels, &measured)?)?;
    let Measurement { report, .. } = measured;
    report::write(output, &report)?;
    Ok(TestRecord {
        name: test.name.clone(),
        data: data_record(test.data),
        samples: report.samples,
        skipped: report.skipped,
        labels: report.labels,
        blur: report.blur,
    })
}

fn data_record(data: &DataSet) -> DataRecord {
    let path = fs::canonicalize(&data.path).unwrap_or_else(|_| data.path.clone());
    DataRecord { path, sha256: data.sha256.clone() }
}
