//! Progress of long work: a bar with rate and time left on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

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
            eprintln!(
                "{}: step {}/{}, {rate:.2} steps/s, {left:.0} min left, loss {loss:.3}",
                self.name, self.done, self.steps
            );
        }
    }

    /// A line that stays.
    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }

    /// The work is over.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
