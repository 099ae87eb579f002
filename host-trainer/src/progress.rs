//! Progress of long work: a bar with rate and time left on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::say::{note, say};

/// Time between two plain lines.
const LINE_INTERVAL: Duration = Duration::from_secs(30);

/// Counts the steps of one piece of work, on standard error.
pub struct Meter {
    name: String,
    steps: usize,
    done: usize,
    began: Instant,
    last_line: Instant,
    bar: Option<ProgressBar>,
}

impl Meter {
    /// Work of `steps` equal steps.
    pub fn new(name: &str, steps: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(steps as u64);
            let style = "{prefix} {wide_bar} {pos}/{len} steps, {per_sec}, {eta} left, loss {msg}";
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style);
            }
            bar.set_prefix(name.to_owned());
            bar
        });
        let now = Instant::now();
        Self { name: name.into(), steps, done: 0, began: now, last_line: now, bar }
    }

    /// One step is done; `loss` is shown beside it.
    pub fn step(&mut self, loss: f64) {
        self.done += 1;
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{loss:.3}"));
            bar.inc(1);
        } else if self.last_line.elapsed() >= LINE_INTERVAL {
            self.last_line = Instant::now();
            let rate = self.done as f64 / self.began.elapsed().as_secs_f64();
            let left = (self.steps - self.done.min(self.steps)) as f64 / rate / 60.0;
            say(&format!(
                "{}: step {}/{}, {rate:.2} steps/s, {left:.0} min left, loss {loss:.3}",
                self.name, self.done, self.steps
            ));
        }
    }

    /// A line that stays.
    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => {
                bar.println(text);
                note(text);
            }
            None => say(text),
        }
    }

    /// The work is over.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Counts faces that several threads work on, on standard error: a bar on a terminal, plain lines elsewhere.
pub struct FaceBar {
    bar: Option<ProgressBar>,
}

impl FaceBar {
    /// Work on so many faces, called `doing`.
    pub fn new(doing: &'static str, faces: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(faces as u64);
            let style = "{prefix} {wide_bar} {pos}/{len} faces, {per_sec}, {eta} left";
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style);
            }
            bar.set_prefix(doing);
            bar
        });
        FaceBar { bar }
    }

    /// One face is done.
    pub fn step(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// What is said where there is no bar.
    pub fn line(&self, text: &str) {
        if self.bar.is_none() {
            eprintln!("{text}");
        }
    }

    /// The work is over.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Counts things of which nobody knows how many there are, on standard error.
pub struct Counter {
    name: &'static str,
    things: &'static str,
    /// Done in this run.
    done: u64,
    /// Done by an earlier run.
    passed: u64,
    began: Instant,
    last_line: Instant,
    bar: Option<ProgressBar>,
}

impl Counter {
    /// Begins to count `things`.
    pub fn new(name: &'static str, things: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {msg}") {
                bar.set_style(style);
            }
            bar.set_prefix(name);
            bar
        });
        let now = Instant::now();
        Self { name, things, done: 0, passed: 0, began: now, last_line: now, bar }
    }

    /// So many more are done.
    pub fn add(&mut self, count: usize) {
        self.done += count as u64;
        if let Some(bar) = &self.bar {
            bar.set_message(self.state());
            bar.tick();
        } else if self.last_line.elapsed() >= LINE_INTERVAL {
            self.last_line = Instant::now();
            eprintln!("{}: {}", self.name, self.state());
        }
    }

    /// So many more were done by an earlier run; they say nothing about the rate.
    pub fn pass(&mut self, count: usize) {
        self.passed += count as u64;
    }

    /// The work is over; says how much it was.
    pub fn finish(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        eprintln!("{}: {}", self.name, self.state());
    }

    fn state(&self) -> String {
        let secs = self.began.elapsed().as_secs_f64();
        let rate = self.done as f64 / secs.max(1e-3);
        let earlier = if self.passed > 0 { format!(" and {} earlier", self.passed) } else { String::new() };
        format!("{} {}{earlier}, {rate:.0}/s, {secs:.1} s", self.done, self.things)
    }
}
