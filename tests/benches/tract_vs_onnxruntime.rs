//! How long one classification takes here, and how long the same network takes under onnxruntime: one thread each, in
//! turns, so that whatever else the machine does falls on both alike. Trust the ratio.
//!
//! `MIEN_PYTHON=.../python cargo bench -p tests`; `tests/run` says which Python.

#![allow(clippy::unwrap_used)]

use std::ffi::OsStr;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use models::{Bundle, Classifier, ModelChoice};
use tests::bundles::default_bundle;
use tests::crops::crops;
use tests::peers::{python, script};
use tests::place::Place;

/// Rounds that are measured, and runs in each.
const ROUNDS: usize = 61;
const RUNS: usize = 20;

fn main() {
    let Some(python) = python() else { return };
    let bundle = default_bundle();
    let place = Place::default();
    println!("one classification, one thread, median of {ROUNDS} rounds of {RUNS} in turns, microseconds");
    for role in ModelChoice::ALL {
        let entry = bundle.manifest.model(role).unwrap();
        let network = place.write("network.onnx", bundle.file(&entry.file).unwrap());
        compare(&bundle, role, &mut Peer::start(&python, &network, bundle.manifest.input.side));
    }
}

/// Measures one network and prints its line.
fn compare(bundle: &Bundle, role: ModelChoice, peer: &mut Peer) {
    let entry = bundle.manifest.model(role).unwrap();
    let (side, classes) = (bundle.manifest.input.side, bundle.manifest.labels.len());
    let classifier = Classifier::from_onnx(bundle.file(&entry.file).unwrap(), &entry.file, side, classes).unwrap();
    let recognizer = bundle.recognizer().unwrap();
    let crop = crops(bundle, 1).remove(0);
    let tensor = recognizer.input().tensor(crop.view()).unwrap();

    let mut logits = || drop(black_box(classifier.logits(black_box(&tensor)).unwrap()));
    let mut whole = || drop(black_box(recognizer.scores_with(black_box(crop.view()), role).unwrap()));
    // The first round warms up.
    let rounds: Vec<[f64; 3]> =
        (0..=ROUNDS).map(|_| [micros(&mut logits), peer.micros(), micros(&mut whole)]).skip(1).collect();
    let median = |column: usize| {
        let mut times: Vec<f64> = rounds.iter().map(|round| round[column]).collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let [ours, theirs, whole] = [0, 1, 2].map(median);
    println!(
        "{role:<7} tract {ours:7.1}   onnxruntime {} {theirs:7.1}   ratio {:.2}   crop to scores {whole:7.1}",
        peer.version,
        ours / theirs
    );
}

/// Mean time of a call, microseconds.
fn micros(call: &mut impl FnMut()) -> f64 {
    let began = Instant::now();
    for _ in 0..RUNS {
        call();
    }
    began.elapsed().as_secs_f64() * 1e6 / RUNS as f64
}

/// onnxruntime with a network, waiting for rounds.
struct Peer {
    program: Child,
    ask: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    version: String,
}

impl Peer {
    fn start(python: &OsStr, network: &Path, side: usize) -> Self {
        let mut program = Command::new(python)
            .arg(script("time_onnxruntime.py"))
            .arg(network)
            .arg(side.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let ask = program.stdin.take().unwrap();
        let mut answers = BufReader::new(program.stdout.take().unwrap()).lines();
        let version = answers.next().unwrap().unwrap();
        Self { program, ask, answers, version }
    }

    fn micros(&mut self) -> f64 {
        writeln!(self.ask, "{RUNS}").unwrap();
        self.answers.next().unwrap().unwrap().parse().unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
