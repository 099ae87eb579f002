//! A study is a folder of trials: it is run once, goes on when it was stopped, and is reported beside published figures.

#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;
use tests::data::{HEADER, drawn};
use tests::place::{Place, names_in};
use tests::program::{BAD_INPUT, FAILURE, path_of, refused, succeeds, trainer};
use tests::readings::number;
use tests::slurm::Cluster;

/// Faces drawn: 20 of each label.
const FACES: usize = 140;
/// Exit code of what was stopped.
const STOPPED: i32 = 130;

/// A trial of a network that learns in no time.
fn trial(name: &str, epochs: usize, more: &str) -> String {
    let recipe = format!("epochs = {epochs}\nbatch = 16\nsmall-epochs = 0\npatience = 100\n");
    format!(
        "name = \"{name}\"\nvalidation-share = 0.2\n{more}\n[input]\nside = 24\n\
         normalisation = {{ kind = \"fixed\", mean = 127.5, std = 127.5 }}\n\
         [network]\nkind = \"plain-cnn\"\ndepth = 1\n[clear]\n{recipe}[robust]\n{recipe}"
    )
}

/// Drawn faces of which every fourth is for testing.
fn faces() -> String {
    let drawn = drawn(FACES);
    let lines = drawn.lines().skip(1).enumerate().map(|(index, line)| {
        if index % 4 == 3 { line.replace(",Training", ",PublicTest\n") } else { format!("{line}\n") }
    });
    HEADER.to_owned() + &lines.collect::<String>()
}

/// A place with faces and a study of these trials.
fn place(trials: &[(&str, String)]) -> Place {
    let place = Place::default();
    place.write("faces.csv", faces());
    for (name, text) in trials {
        place.write(&format!("small/{name}.toml"), text);
    }
    place
}

/// The program in a place.
fn at(place: &Place, args: &[&str]) -> assert_cmd::Command {
    let mut run = trainer();
    run.current_dir(place.path("")).args(args);
    run
}

const RUN: [&str; 5] = ["study", "run", "small", "--data", "faces.csv"];

/// Runs the study with more options; gives what was told.
fn run(place: &Place, more: &[&str]) -> String {
    succeeds(at(place, &RUN).args(more)).1
}

fn json(place: &Place, path: &str) -> Value {
    serde_json::from_slice(&fs::read(place.path(path)).unwrap()).unwrap()
}

const PUBLISHED: &str = r#"
title = "A study of < drawn faces"
source = "nowhere"
[[row]]
name = "A"
trial = "a"
figures = { accuracy = 0.612, roc_auc = 0.7 }
[[row]]
name = "A on more"
trial = "a"
test = "more"
figures = { accuracy = 0.5 }
[[row]]
name = "A at the end"
trial = "a"
model = "robust"
blur = "very-high"
figures = { accuracy = 0.25 }
[[row]]
name = "C"
without-ours = "nobody has a C"
figures = { accuracy = 0.9 }
"#;

#[test]
fn a_study_is_run_once_and_reported() {
    let place = place(&[("a", trial("a", 1, "")), ("b", trial("b", 1, ""))]);
    place.write("small/published.toml", PUBLISHED);
    let told = run(&place, &["--results", "results", "--also", "more=faces.csv"]);
    assert!(told.contains("  a: from the start") && told.contains("  b: from the start"), "{told}");
    assert!(told.contains("trial 1/2 a: plain CNN") && told.contains("trial 2/2 b: plain CNN"), "{told}");

    let record = json(&place, "results/a/trial.json");
    for key in ["config_sha256", "seed", "command", "commit", "data", "stages"] {
        assert!(!record[key].is_null(), "no {key}");
    }
    assert!(number(&record["stages"][0]["epochs"][0]["duration-secs"]) > 0.0);
    assert!(fs::read_to_string(place.path("results/b/log.txt")).unwrap().contains("clear epoch 1/1"));

    // What is done is not done again, unless something is different.
    let told = run(&place, &["--results", "results", "--also", "more=faces.csv"]);
    assert!(told.contains("  a: done, accuracy of the clear model") && told.contains("all is done"), "{told}");
    place.write("small/b.toml", trial("b", 1, "seed = 2\n"));
    fs::write(place.path("results/a/trial.json"), "{ \"schema\":").unwrap();
    let told = run(&place, &["--results", "results", "--also", "more=faces.csv"]);
    assert!(told.contains("  a: not done: ") && told.contains("results/a/trial.json cannot be used"), "{told}");
    assert!(told.contains("  b: anew: it was done with other settings"), "{told}");
    // The networks of `a` were whole, and only those of `b` were trained again.
    assert_eq!(told.matches("clear begins again").count(), 1, "{told}");
    assert_eq!(told.matches("clear epoch 1/1").count(), 1, "{told}");

    let (written, _) = succeeds(&mut at(&place, &["study", "report", "small", "--results", "results", "--out", "out"]));
    assert!(written.contains("out/report.html"), "{written}");
    let wanted =
        ["report.html", "report.json"].into_iter().map(str::to_owned).chain(["a-more", "a-public-test"].map(sheet));
    let wanted: Vec<String> = wanted.chain(["b-more", "b-public-test"].map(sheet)).collect();
    assert_eq!(names_in(&place.path("out")), wanted);
    let report = json(&place, "out/report.json");
    let rows = report["rows"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["A", "A on more", "A at the end", "C", "b", "b"]);
    let accuracy = &rows[0]["cells"]["accuracy"];
    let ours = &json(&place, "results/a/evaluation/public-test/report.json")["blur"][0]["clear"];
    assert_eq!((&accuracy["published"], &accuracy["ours"]["value"]), (&Value::from(0.612), &ours["accuracy"]));
    assert_eq!(accuracy["ours"]["interval"], ours["intervals"]["accuracy"]);
    let ours = &json(&place, "results/a/evaluation/public-test/report.json")["blur"][4]["robust"];
    assert_eq!(rows[2]["cells"]["accuracy"]["ours"]["value"], ours["accuracy"]);
    assert_eq!(rows[1]["cells"]["roc_auc"]["why"], "the study does not give it");
    assert_eq!(rows[3]["cells"]["accuracy"]["why"], "nobody has a C");
    assert_eq!(report["quick"], false);

    let page = fs::read_to_string(place.path("out/report.html")).unwrap();
    for part in ["A study of &lt; drawn faces", "0.612", "<small>", "samples-a-more.png", "nobody has a C"] {
        assert!(page.contains(part), "no {part}");
    }
    // For each of four tests two confusion matrices and a curve; for each of four stages how it went.
    assert_eq!(page.matches("<svg ").count(), 4 * 3 + 4);
    assert!(!page.contains("QUICK"));

    // Other data is another study; a quick run must not replace a full one.
    place.write("faces.csv", faces().replacen("0,", "1,", 1));
    refused(at(&place, &RUN).args(["--results", "results", "--quick"]), BAD_INPUT, &["holds a full run"]);
    let told = succeeds(at(&place, &RUN).args(["--results", "results"])).1;
    assert!(told.contains("  a: anew: it was done with other data"), "{told}");
}

fn sheet(of: &str) -> String {
    format!("samples-{of}.png")
}

#[test]
fn a_failed_trial_does_not_stop_the_others_and_quick_figures_are_marked() {
    let broken = "[distil]\nteachers = [\"nobody\"]\n";
    let place = place(&[("a", trial("a", 9, "") + broken), ("b", trial("b", 9, ""))]);
    let output = at(&place, &RUN).arg("--quick").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(FAILURE), "{told}");
    // The trial has told it as well, when it failed.
    let (_, last) = told.rsplit_once("error: ").unwrap();
    for part in ["1 of 2 trials failed", "\na: ", "nobody", "log: runs/small-quick/a/log.txt"] {
        assert!(last.contains(part), "no `{part}` in: {told}");
    }
    assert!(!place.path("runs/small-quick/a/trial.json").exists());
    assert_eq!(json(&place, "runs/small-quick/b/trial.json")["quick"], true);

    let (_, told) = succeeds(&mut at(&place, &["study", "report", "small", "--quick"]));
    assert!(told.contains("a: no figures: our trial is not done"), "{told}");
    let page = fs::read_to_string(place.path("runs/small-quick/report/report.html")).unwrap();
    assert!(page.contains("QUICK RUN") && page.matches(">quick run<").count() >= 4, "not marked");
    refused(&mut at(&place, &["study", "report", "small"]), BAD_INPUT, &["runs/small", "study run small"]);
}

#[test]
fn a_trial_learns_from_another_one_of_its_study() {
    let taught = "[distil]\ntrials = [\"a\"]\n";
    let place = place(&[("a", trial("a", 1, "")), ("b", trial("b", 1, "") + taught)]);
    let alone = ["trial", "run", "small/b.toml", "--data", "faces.csv"];
    refused(&mut at(&place, &alone), BAD_INPUT, &["learns from the trial a", "run that one first"]);
    let train = ["train", "--config", "small/b.toml", "--data", "faces.csv", "--out", "bundle"];
    refused(&mut at(&place, &train), BAD_INPUT, &["distil.trials", "study run"]);

    // The tasks of an array do not wait for each other.
    let sbatch = place.write("bin/sbatch", SBATCH);
    assert!(Command::new("chmod").arg("+x").arg(&sbatch).status().unwrap().success());
    let path = format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap());
    let (written, told) = succeeds(at(&place, &RUN).args(["--engine", "slurm"]).env("PATH", path));
    assert!(written.contains("1 tasks") && told.contains("b: learns from a"), "{written}{told}");

    let told = run(&place, &[]);
    assert!(told.contains("a/bundle: asked about"), "{told}");
    assert_eq!(json(&place, "runs/small/b/trial.json")["config"]["distil"]["trials"], Value::from(Vec::<Value>::new()));
    assert!(run(&place, &[]).contains("all is done"));
}

#[test]
fn trials_run_at_once_but_not_before_their_teachers() {
    let taught = "[distil]\ntrials = [\"c\"]\n";
    let broken = "[distil]\nteachers = [\"nobody\"]\n";
    let place = place(&[
        ("a", trial("a", 9, "") + taught),
        ("b", trial("b", 9, "") + broken),
        ("c", trial("c", 9, "")),
        ("d", trial("d", 9, "")),
    ]);
    let output = at(&place, &RUN).args(["--quick", "--at-once", "3"]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(FAILURE), "{told}");
    let lines: Vec<&str> = told.lines().collect();
    let at = |start: &str| {
        lines.iter().position(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no `{start}` in: {told}"))
    };
    // Each has lines of its own, in which its name comes first.
    for line in ["a: clear epoch 1/1", "c: clear epoch 1/1", "d: clear epoch 1/1", "trial 2/4 b: failed"] {
        at(line);
    }
    assert!(at("trial 3/4 c: done after") < at("trial 1/4 a: plain CNN"), "{told}");
    let (_, last) = told.rsplit_once("error: ").unwrap();
    assert!(last.contains("1 of 4 trials failed") && last.contains("\nb: ") && last.contains("nobody"), "{told}");
    for name in ["a", "c", "d"] {
        assert!(place.path(&format!("runs/small-quick/{name}/trial.json")).exists(), "{name}: {told}");
    }
}

/// Starts the program in a place; its lines on standard error.
fn start(place: &Place, args: &[&str]) -> (std::process::Child, impl Iterator<Item = String> + use<>) {
    let mut command = Command::new(path_of("mien-trainer"));
    command.current_dir(place.path("")).args(args).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    let lines = BufReader::new(running.stderr.take().unwrap()).lines().map(Result::unwrap);
    (running, lines)
}

#[test]
fn a_study_goes_on_where_it_was_stopped() {
    let place = place(&[("a", trial("a", 12, ""))]);
    // The study is killed: the trial, a process of its own, ends by itself.
    let (mut running, mut told) = start(&place, &RUN);
    assert!(told.any(|line| line.starts_with("clear epoch 2/12")), "it ended before the second epoch");
    running.kill().unwrap();
    running.wait().unwrap();
    // Standard error ends when the last process that has it does.
    let rest: Vec<String> = told.collect();
    assert!(rest.iter().any(|line| line.starts_with("stopped: clear in epoch ")), "{rest:?}");

    // Ctrl-C for the study alone reaches the trial too.
    let (mut running, mut told) = start(&place, &RUN);
    assert!(told.any(|line| line == "  a: goes on from its checkpoint"));
    assert!(told.any(|line| line.starts_with("clear: going on after epoch ")));
    assert!(told.any(|line| line.starts_with("clear epoch ")), "it ended before the next epoch");
    assert!(Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = told.collect();
    assert_eq!(running.wait().unwrap().code(), Some(STOPPED), "{rest:?}");
    assert!(rest.iter().any(|line| line.starts_with("stopped: in trial a")), "{rest:?}");
    assert!(!place.path("runs/small/a/trial.json").exists());

    let told = run(&place, &[]);
    assert!(told.contains("clear: going on after epoch ") && !told.contains("clear epoch 2/12"), "{told}");
    assert_eq!(json(&place, "runs/small/a/trial.json")["stages"][0]["epochs"].as_array().unwrap().len(), 12);
}

#[test]
fn what_does_not_hold_is_refused_before_any_trial() {
    let place = place(&[("a", trial("a", 1, "")), ("b", trial("b", 1, "epoch = 3\n"))]);
    refused(&mut at(&place, &RUN), BAD_INPUT, &["small/b.toml", "line 3", "epoch"]);
    fs::remove_file(place.path("small/b.toml")).unwrap();

    place.write("small/published.toml", "title = \"t\"\nsource = \"s\"\n[[row]]\nnam = \"A\"\n");
    refused(&mut at(&place, &RUN), BAD_INPUT, &["small/published.toml", "line 4", "nam"]);
    fs::remove_file(place.path("small/published.toml")).unwrap();

    place.write("empty/readme.txt", "");
    refused(&mut at(&place, &["study", "run", "empty"]), BAD_INPUT, &["empty: no trials"]);
    refused(&mut at(&place, &["study", "run", "nowhere"]), BAD_INPUT, &["nowhere"]);
    refused(&mut at(&place, &["trial", "list", "empty"]), BAD_INPUT, &["empty: no trials"]);
    refused(&mut at(&place, &["study", "run", "small"]), BAD_INPUT, &["no data", "--data"]);
    refused(at(&place, &RUN).args(["--results", "faces.csv/results"]), FAILURE, &["faces.csv/results"]);

    // Another process has the folder.
    place.write("results/lock", "");
    let lock = File::open(place.path("results/lock")).unwrap();
    lock.lock().unwrap();
    refused(at(&place, &RUN).args(["--results", "results"]), BAD_INPUT, &["another mien-trainer", "--results"]);

    place.write("small/a.toml", trial("a", 1, "weights = \"vgg16.safetensors\"\n"));
    let alone = ["trial", "run", "small/a.toml", "--data", "faces.csv"];
    refused(&mut at(&place, &alone), BAD_INPUT, &["vgg16.safetensors", "--weights"]);
    place.write("small/a.toml", trial("a", 1, "test-on = [\"private-test\"]\n"));
    refused(&mut at(&place, &alone), BAD_INPUT, &["no faces to measure on", "private-test", "test-on"]);
}

/// What Slurm does with an array: a task after another, here and now.
const SBATCH: &str = r#"#!/bin/bash
script=${!#}
for task in $(sed -n 's/^#SBATCH --array=//p' "$script" | tr , ' '); do
  SLURM_ARRAY_TASK_ID=$task bash "$script" || exit
done > tasks.txt 2>&1
echo 17
"#;

#[test]
fn the_array_script_runs_one_trial_a_task() {
    let place = place(&[("a", trial("a", 1, "")), ("b", trial("b", 1, "")), ("c", trial("c", 1, ""))]);
    let alone = ["trial", "run", "small/b.toml", "--data", "faces.csv", "--results", "my results"];
    succeeds(&mut at(&place, &alone));
    let sbatch = place.write("bin/sbatch", SBATCH);
    assert!(Command::new("chmod").arg("+x").arg(&sbatch).status().unwrap().success());
    let path = format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap());
    let mut submit = at(&place, &RUN);
    submit.args(["--results", "my results", "--engine", "slurm", "--sbatch=--gres=gpu:1"]).env("PATH", path);
    let (written, told) = succeeds(&mut submit);
    assert!(written.contains("job 17: 2 tasks") && told.contains("  b: done"), "{written}{told}");
    let script = fs::read_to_string(place.path("my results/slurm/array.sh")).unwrap();
    assert!(script.contains("#SBATCH --array=0,2\n") && script.contains("#SBATCH --gres=gpu:1\n"), "{script}");
    succeeds(&mut at(&place, &["study", "report", "small", "--results", "my results"]));
    let report = json(&place, "my results/report/report.json");
    assert!(report["trials"].as_array().unwrap().iter().all(|trial| trial["record"].is_object()), "{report}");

    // Where there is no Slurm, the script is left to be taken there.
    place.write("small/a.toml", trial("a", 1, "seed = 3\n"));
    let mut submit = at(&place, &RUN);
    submit.args(["--results", "my results", "--engine", "slurm"]).env("PATH", "");
    refused(&mut submit, BAD_INPUT, &["sbatch", "array.sh"]);
}

#[test]
fn slurm_runs_a_study_as_an_array() {
    let Some(cluster) = Cluster::start() else { return };
    let place = place(&[("a", trial("a", 1, "")), ("b", trial("b", 1, ""))]);
    let mut submit = at(&place, &RUN);
    // The real sbatch comes back when all tasks have ended.
    submit.args(["--quick", "--engine", "slurm", "--at-once", "1", "--sbatch=--wait"]);
    let (written, _) = succeeds(submit.env("SLURM_CONF", cluster.settings_file()));
    assert!(written.contains("2 tasks"), "{written}");
    let said = names_in(&place.path("runs/small-quick/slurm"));
    assert!(said.iter().any(|name| name.ends_with("_0.txt")) && said.iter().any(|name| name.ends_with("_1.txt")));
    assert!(run(&place, &["--quick"]).contains("all is done"));
    succeeds(&mut at(&place, &["study", "report", "small", "--quick"]));
    let report = json(&place, "runs/small-quick/report/report.json");
    assert!(report["trials"].as_array().unwrap().iter().all(|trial| trial["record"].is_object()), "{report}");
}
