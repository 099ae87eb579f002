//! What every run of trials is given.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::record::BUNDLE;
use super::trial::Trial;
use crate::compute::Processors;
use crate::config::TrialConfig;
use crate::failure::bad_input;
use crate::reader::DataOptions;
use crate::sample::UsageFilter;

/// What `trial run` and `study run` have in common.
#[derive(Args)]
pub struct RunArgs {
    /// Labelled faces of one size in any of the formats of --format. Takes the place of the trials' own `data`.
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
    #[command(flatten)]
    pub options: DataOptions,
    /// Measure on all faces of this data set as well, under a name of yours: ck-plus=PATH. May be given several times.
    #[arg(long, value_name = "NAME=PATH", value_parser = Also::parse)]
    pub also: Vec<Also>,
    /// Folder with the published weights that trials name with `weights`.
    #[arg(long, value_name = "DIR")]
    pub weights: Option<PathBuf>,
    /// Folder of the study's results, with one folder a trial [default: runs/NAME-OF-STUDY].
    #[arg(long, value_name = "DIR")]
    pub results: Option<PathBuf>,
    /// Only prove that it can be run: one epoch on a few small faces. The figures are worth nothing and marked so.
    #[arg(long)]
    pub quick: bool,
    #[command(flatten)]
    pub processors: Processors,
}

/// Another data set to measure on.
#[derive(Clone, Debug, PartialEq)]
pub struct Also {
    /// What the reports call it.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
}

impl Also {
    fn parse(text: &str) -> Result<Self, String> {
        let (name, path) = text.split_once('=').ok_or("write it as NAME=PATH")?;
        let is_plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        if !is_plain {
            return Err(format!("{name:?}: use letters, digits, '-' and '_' for the name"));
        }
        let is_part = UsageFilter::value_variants().iter().any(|part| part.name() == name);
        if is_part || name == super::published::VALIDATION {
            return Err(format!("{name:?} is a part of the data itself; choose another name"));
        }
        Ok(Self { name: name.into(), path: path.into() })
    }
}

/// Where the results of a study lie unless the command line says it: quick ones never among the others.
pub fn results_folder(given: Option<&Path>, study: &str, quick: bool) -> PathBuf {
    let name = if quick { format!("{study}-quick") } else { study.to_owned() };
    given.map_or_else(|| Path::new("runs").join(name), Path::to_owned)
}

impl RunArgs {
    /// Where the results of a study go.
    pub fn results(&self, study: &str) -> PathBuf {
        results_folder(self.results.as_deref(), study, self.quick)
    }

    /// The trial as it is to be run.
    pub fn config(&self, trial: &Trial) -> TrialConfig {
        if self.quick { trial.config.clone().quick() } else { trial.config.clone() }
    }

    /// The trial with the file that it starts from, where it names one.
    ///
    /// # Errors
    /// Bad input: the file is not there. A quick run starts from random weights then.
    pub fn with_weights(&self, mut config: TrialConfig) -> anyhow::Result<TrialConfig> {
        let (None, Some(name)) = (&config.init, &config.weights) else { return Ok(config) };
        let file = self.weights.as_ref().map(|folder| folder.join(name)).filter(|file| file.is_file());
        match file {
            Some(file) => config.init = Some(file.canonicalize()?),
            None if self.quick => {}
            None => {
                let place = self.weights.as_ref().map_or_else(
                    || "and --weights names no folder".to_owned(),
                    |folder| format!("which is not in {}", folder.display()),
                );
                return Err(bad_input(format!(
                    "trial {} starts from the published weights {name}, {place}\n  put the file (torchvision's or timm's \
                     names of tensors) into a folder and name that with --weights DIR",
                    config.name
                )));
            }
        }
        Ok(config)
    }

    /// The trial with the bundles of the trials of its study that teach it.
    ///
    /// # Errors
    /// Bad input: one of them is not done.
    pub fn with_teachers(&self, mut config: TrialConfig, study: &str) -> anyhow::Result<TrialConfig> {
        let Some(distil) = &mut config.distil else { return Ok(config) };
        for name in std::mem::take(&mut distil.trials) {
            let bundle = self.results(study).join(&name).join(BUNDLE);
            let bundle = bundle.canonicalize().map_err(|error| {
                bad_input(format!(
                    "trial {}: it learns from the trial {name}, whose bundle {} cannot be had: {error}\n  run that one first, \
                     with the same --results",
                    config.name,
                    bundle.display()
                ))
            })?;
            distil.teachers.push(bundle);
        }
        Ok(config)
    }

    /// The same on a command line.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut list = Vec::new();
        let mut push = |option: &str, value: OsString| list.extend([option.into(), value]);
        let path = |path: &PathBuf| path.clone().into_os_string();
        if let Some(data) = &self.data {
            push("--data", path(data));
        }
        if let Some(format) = self.options.format {
            push("--format", name(format));
        }
        push("--labels", name(self.options.labels));
        push("--votes", name(self.options.votes));
        push("--max-bad", self.options.max_bad.to_string().into());
        for Also { name, path } in &self.also {
            push("--also", format!("{name}={}", path.display()).into());
        }
        if let Some(weights) = &self.weights {
            push("--weights", path(weights));
        }
        if let Some(results) = &self.results {
            push("--results", path(results));
        }
        push("--device", name(self.processors.device));
        push("--replicas", self.processors.replicas.to_string().into());
        if self.quick {
            list.push("--quick".into());
        }
        list
    }
}

/// How a value is written on the command line.
pub fn name(value: impl ValueEnum) -> OsString {
    // No value of ours is hidden from the command line.
    value.to_possible_value().map(|value| value.get_name().into()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: RunArgs,
    }

    #[test]
    fn arguments_say_the_same_again() {
        let given = [
            "--data",
            "a b.csv",
            "--format",
            "fer2013",
            "--labels",
            "fer+",
            "--votes",
            "probability",
            "--max-bad",
            "3",
            "--also",
            "ck-plus=ck",
            "--weights",
            "w",
            "--results",
            "r",
            "--device",
            "vulkan",
            "--replicas",
            "2",
            "--quick",
        ];
        let first = Line::parse_from([""].iter().chain(&given)).args;
        assert_eq!(first.arguments(), given);
        let least = Line::parse_from([""]).args.arguments();
        assert_eq!(Line::parse_from([OsString::new()].into_iter().chain(least.clone())).args.arguments(), least);
    }

    #[test]
    fn another_data_set_needs_a_name_of_its_own() {
        assert_eq!(Also::parse("ck-plus=a/b").unwrap(), Also { name: "ck-plus".into(), path: "a/b".into() });
        for wrong in ["a/b", "=a", "a b=c", "public-test=c", "validation=c"] {
            assert!(Also::parse(wrong).is_err(), "{wrong}");
        }
    }
}
