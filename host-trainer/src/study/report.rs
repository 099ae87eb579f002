//! `study report`: what the trials of a study reached, beside the published figures.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::compare::{self, Found};
use super::contents::{Report, TrialPart};
use super::folder::Study;
use super::one::EVALUATION;
use super::options::results_folder;
use super::page;
use super::record::{Record, config_sha256};
use super::samples;
use super::trial::Trial;
use crate::COMMIT;
use crate::failure::bad_input;
use crate::report::folder::OutputFolder;
use crate::report::settings::command_line;

/// What `study report` is given.
#[derive(Args)]
pub struct ReportArgs {
    /// The folder of trial files.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Folder of the study's results [default: runs/NAME-OF-STUDY].
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// Report on the quick runs.
    #[arg(long)]
    quick: bool,
    /// Folder of the report: report.json, report.html and the sheets of samples; an earlier report there is replaced
    /// [default: `report` in the folder of the results].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Writes the report.
///
/// # Errors
/// Bad input: no such study, no trial of it that is done. A folder that cannot be written.
pub fn run(args: &ReportArgs) -> anyhow::Result<()> {
    let study = Study::open(&args.folder)?;
    let results = results_folder(args.results.as_deref(), &study.name, args.quick);
    let out = args.out.clone().unwrap_or_else(|| results.join("report"));
    let found: Found = study.trials.iter().map(|trial| (trial.id.clone(), find(&results, trial))).collect();
    for (id, why) in found.iter().filter_map(|(id, found)| Some((id, found.as_ref().err()?))) {
        eprintln!("{id}: no figures: {why}");
    }
    if found.values().all(Result::is_err) {
        return Err(bad_input(format!(
            "{}: no trial of {} is done here\n  run `mien-trainer study run {}`, or name the folder with --results",
            results.display(),
            study.name,
            args.folder.display()
        )));
    }
    let mut folder = OutputFolder::prepare(&out, "report.json", &["json", "html", "png"])?;
    let mut trials = Vec::new();
    for (id, found) in &found {
        let sheets = match found {
            Ok(record) => copy_sheets(&results.join(id), record, &mut folder)?,
            Err(_) => Vec::new(),
        };
        trials.push(TrialPart {
            id,
            record: found.as_ref().ok(),
            why: found.as_ref().err().map(String::as_str),
            sheets,
        });
    }
    let published = study.published.as_ref();
    let report = Report {
        study: &study.name,
        title: published.map_or(&study.name, |published| &published.title),
        source: published.map(|published| published.source.as_str()),
        note: published.and_then(|published| published.note.as_deref()),
        quick: found.values().flatten().any(|record| record.quick),
        rows: compare::rows(&study, &found),
        trials,
        command: command_line(),
        commit: COMMIT,
    };
    let mut json = serde_json::to_vec_pretty(&report).context("cannot put the report into JSON")?;
    json.push(b'\n');
    folder.write("report.json", &json)?;
    folder.write("report.html", page::page(&report, &compare::columns(&study)).as_bytes())?;
    folder.put()?;
    println!("report: {}", out.join("report.html").display());
    Ok(())
}

/// What a trial reached, or why there is nothing.
fn find(results: &Path, trial: &Trial) -> Result<Record, String> {
    let record = Record::read(&results.join(&trial.id)).map_err(|error| format!("{error:#}"))?;
    let record = record.ok_or_else(|| "our trial is not done".to_owned())?;
    let config = if record.quick { trial.config.clone().quick() } else { trial.config.clone() };
    if record.config_sha256 != config_sha256(&config) {
        return Err("our trial was done with other settings than it has now".to_owned());
    }
    Ok(record)
}

/// Puts the sheets of a trial beside the report.
fn copy_sheets(trial: &Path, record: &Record, folder: &mut OutputFolder) -> anyhow::Result<Vec<(String, String)>> {
    let mut sheets = Vec::new();
    for test in &record.tests {
        let path = trial.join(EVALUATION).join(&test.name).join(samples::FILE);
        let Ok(sheet) = fs::read(&path) else {
            eprintln!("{}: no sheet of samples: cannot read {}", record.trial, path.display());
            continue;
        };
        let name = format!("samples-{}-{}.png", record.trial, test.name);
        folder.write(&name, &sheet)?;
        sheets.push((test.name.clone(), name));
    }
    Ok(sheets)
}
