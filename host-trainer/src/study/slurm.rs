//! `--engine slurm`: the trials of a study as an array of jobs, one task a trial.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, anyhow};
use clap::Args;

use super::folder::Study;
use super::options::RunArgs;
use crate::failure::bad_input;
use crate::report::settings::quoted;

/// What Slurm is told.
#[derive(Args)]
pub struct SlurmArgs {
    /// Option of sbatch for every task: --sbatch=--gres=gpu:1 --sbatch=--time=12:00:00. May be given several times.
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    sbatch: Vec<String>,
}

/// Writes the script of the array and gives it to Slurm; `pending` are the places of the trials to be run, `at_once` of them at
/// the same time at most. Results and data must lie where the nodes see them under the same paths.
///
/// # Errors
/// A folder that cannot be written, no Slurm here, one that refuses.
pub fn submit(
    study: &Study,
    pending: &[usize],
    results: &Path,
    run: &RunArgs,
    at_once: Option<u16>,
    slurm: &SlurmArgs,
) -> anyhow::Result<()> {
    let folder = results.join("slurm");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let folder = folder.canonicalize()?;
    let path = folder.join("array.sh");
    let places: Vec<String> = pending.iter().map(usize::to_string).collect();
    let at_once = at_once.map_or_else(String::new, |count| format!("%{count}"));
    let text = script(study, &format!("{}{at_once}", places.join(",")), &folder, run, slurm)?;
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    let output = Command::new("sbatch").arg("--parsable").arg(&path).output().map_err(|error| {
        bad_input(format!(
            "cannot start sbatch: {error}\n  the script is written: run `sbatch {}` where Slurm is",
            path.display()
        ))
    })?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(anyhow!("sbatch refused {}: {}\n  --sbatch passes options to it", path.display(), why.trim()));
    }
    let job = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    println!("job {job}: {} tasks", pending.len());
    eprintln!("`squeue --job {job}` shows them; the same command submits again what did not end");
    Ok(())
}

/// The script: all trials are in its list, of which `tasks` says in sbatch's way which are to be run, and how many at once.
fn script(study: &Study, tasks: &str, folder: &Path, run: &RunArgs, slurm: &SlurmArgs) -> anyhow::Result<String> {
    let text = |path: PathBuf| -> anyhow::Result<String> {
        let path = path.into_os_string().into_string();
        path.map_err(|path| bad_input(format!("{}: Slurm's scripts take only paths in UTF-8", path.display())))
    };
    let program = quoted(&text(std::env::current_exe().context("cannot find this program")?)?);
    let here = text(std::env::current_dir().context("cannot find the current folder")?)?;
    let mut options = vec![
        format!("--job-name=mien-{}", study.name),
        format!("--array={tasks}"),
        format!("--output={}", text(folder.join("%A_%a.txt"))?),
        format!("--chdir={here}"),
        "--open-mode=append".into(),
        // A minute before the time is over the trial is asked to stop, and keeps its checkpoint.
        "--signal=B:TERM@60".into(),
    ];
    options.extend(slurm.sbatch.iter().cloned());
    let options: String = options.iter().map(|option| format!("#SBATCH {}\n", quoted(option))).collect();
    let mut trials = String::new();
    for trial in &study.trials {
        trials += &format!("  {}\n", quoted(&text(trial.path.clone())?));
    }
    let mut arguments = String::new();
    for argument in run.arguments() {
        arguments += &format!(" {}", quoted(&text(argument.into())?));
    }
    Ok(format!(
        "#!/bin/bash\n{options}\ntrials=(\n{trials})\n\
         # In place of the shell, so that Slurm's signals reach it.\n\
         exec {program} trial run \"${{trials[$SLURM_ARRAY_TASK_ID]}}\"{arguments}\n"
    ))
}
