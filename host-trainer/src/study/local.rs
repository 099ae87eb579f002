//! `--engine local`: the trials of a study on this machine, each in a process of its own, so that one that fails, however it
//! fails, takes no other with it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::{Context, anyhow};

use super::folder::Study;
use super::options::RunArgs;
use super::record::LOG;
use super::trial::Trial;
use crate::stop;

/// The trials that run now, by their places, end their work when these are closed.
static RUNNING: Mutex<BTreeMap<usize, ChildStdin>> = Mutex::new(BTreeMap::new());

/// Runs the trials at the places `pending`, so many at once, none before those of them that it learns from are over.
///
/// # Errors
/// Trials that failed, all others being done; a process that cannot be started; a wish to stop.
pub fn run(study: &Study, pending: &[usize], results: &Path, args: &RunArgs, at_once: usize) -> anyhow::Result<()> {
    stop::on_signal(|| close(&mut held(&RUNNING)))?;
    let queue = Queue { waiting: pending.to_vec(), ..Queue::default() };
    let crew = Crew { study, results, args, alone: at_once == 1, queue: Mutex::new(queue), changed: Condvar::new() };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once.min(pending.len())).map(|_| scope.spawn(|| crew.work())).collect();
        let ends: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        ends.into_iter().try_for_each(|end| end.map_err(|_| anyhow!("this program failed beside a trial"))?)
    })?;
    let (count, failed) = (study.trials.len(), &held(&crew.queue).failed);
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

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn close(running: &mut BTreeMap<usize, ChildStdin>) {
    running.clear();
}

/// What is to be run, and how it went.
#[derive(Default)]
struct Queue {
    /// Places of trials that have not begun, in their order.
    waiting: Vec<usize>,
    running: Vec<usize>,
    /// A text for each trial that failed.
    failed: Vec<String>,
}

/// What there is to do for one who has time.
#[derive(Debug, PartialEq)]
enum Next {
    /// The trial at this place.
    Run(usize),
    /// Nothing until a trial is over that others learn from.
    Wait,
    /// Nothing more.
    Over,
}

impl Queue {
    /// Takes the first trial that learns from none that is still to end. `teachers` are the places of those that one learns
    /// from.
    fn next(&mut self, teachers: impl Fn(usize) -> Vec<usize>) -> Next {
        let is_open = |place: &usize| self.waiting.contains(place) || self.running.contains(place);
        let ready = |&place: &usize| !teachers(place).iter().any(is_open);
        let position = match self.waiting.iter().position(ready) {
            Some(position) => position,
            None if self.waiting.is_empty() => return Next::Over,
            // Trials that wait for each other: they are run all the same, and say themselves what they lack.
            None if self.running.is_empty() => 0,
            None => return Next::Wait,
        };
        let place = self.waiting.remove(position);
        self.running.push(place);
        Next::Run(place)
    }
}

/// Those who run the trials of a study.
struct Crew<'a> {
    study: &'a Study,
    results: &'a Path,
    args: &'a RunArgs,
    /// Whether one trial runs at a time, and can have the terminal to itself.
    alone: bool,
    queue: Mutex<Queue>,
    /// A trial is over.
    changed: Condvar,
}

impl Crew<'_> {
    /// Runs one trial after the other until there is none left.
    fn work(&self) -> anyhow::Result<()> {
        loop {
            let mut queue = held(&self.queue);
            let place = loop {
                match queue.next(|place| self.study.teachers(place)) {
                    Next::Run(place) => break place,
                    Next::Over => return Ok(()),
                    Next::Wait => queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
                }
            };
            drop(queue);
            let end = self.trial(place);
            let mut queue = held(&self.queue);
            queue.running.retain(|&running| running != place);
            let end = end.map(|failed| queue.failed.extend(failed));
            if end.is_err() {
                queue.waiting.clear();
            }
            drop(queue);
            self.changed.notify_all();
            end?;
        }
    }

    /// Runs the trial at `place`; gives why it failed, if it did.
    fn trial(&self, place: usize) -> anyhow::Result<Option<String>> {
        let (trial, count) = (&self.study.trials[place], self.study.trials.len());
        let told = format!("trial {}/{count} {}", place + 1, trial.id);
        stop::check(|| "the same command goes on from there".into())?;
        eprintln!("{told}: {}", trial.config.network.name());
        let log = self.results.join(&trial.id).join(LOG);
        let said_before = std::fs::metadata(&log).map_or(0, |log| log.len());
        let began = Instant::now();
        let status = self.process(place, trial)?;
        stop::check(|| format!("in trial {}; the same command goes on from there", trial.id))?;
        if status.success() {
            if !self.alone {
                eprintln!("{told}: done after {:.1} min", began.elapsed().as_secs_f64() / 60.0);
            }
            return Ok(None);
        }
        eprintln!("{told}: failed");
        let cause = cause(&log, said_before).unwrap_or_else(|| format!("it ended with {status}; see above"));
        Ok(Some(format!("\n{}: {cause}\n  log: {}", trial.id, log.display())))
    }

    /// Runs a trial in a process of its own until that ends. Beside others its lines get its name.
    fn process(&self, place: usize, trial: &Trial) -> anyhow::Result<ExitStatus> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut child = Command::new(&program)
            .args(["trial", "run"])
            .arg(&trial.path)
            .arg("--of-study")
            .args(self.args.arguments())
            .stdin(Stdio::piped())
            .stderr(if self.alone { Stdio::inherit() } else { Stdio::piped() })
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut running = held(&RUNNING);
        running.extend(child.stdin.take().map(|stdin| (place, stdin)));
        if stop::is_asked() {
            // It was before there was anything to close.
            close(&mut running);
        }
        drop(running);
        if let Some(said) = child.stderr.take() {
            // A line that is no text ends the listening, not the trial.
            BufReader::new(said).lines().map_while(Result::ok).for_each(|line| eprintln!("{}: {line}", trial.id));
        }
        let status = child.wait();
        held(&RUNNING).remove(&place);
        status.context("cannot wait for a trial")
    }
}

/// The first error that a log tells of behind what was in it before, bytes.
fn cause(log: &Path, said_before: u64) -> Option<String> {
    let text = std::fs::read(log).ok()?;
    let text = String::from_utf8_lossy(text.get(said_before as usize..)?);
    let (_, cause) = text.split_once("\nerror: ")?;
    Some(cause.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_waits_for_those_that_it_learns_from() {
        // 0 learns from 2, and 3 from 0; nothing else depends on anything. 5 is done already.
        let teachers = |place: usize| match place {
            0 => vec![2, 5],
            3 => vec![0],
            _ => Vec::new(),
        };
        let mut queue = Queue { waiting: vec![0, 1, 2, 3], ..Queue::default() };
        let over = |queue: &mut Queue, place: usize| queue.running.retain(|&running| running != place);
        assert_eq!([queue.next(teachers), queue.next(teachers)], [Next::Run(1), Next::Run(2)]);
        assert_eq!(queue.next(teachers), Next::Wait);
        over(&mut queue, 1);
        assert_eq!(queue.next(teachers), Next::Wait);
        over(&mut queue, 2);
        assert_eq!([queue.next(teachers), queue.next(teachers)], [Next::Run(0), Next::Wait]);
        over(&mut queue, 0);
        assert_eq!([queue.next(teachers), queue.next(teachers)], [Next::Run(3), Next::Over]);
    }

    #[test]
    fn trials_that_wait_for_each_other_are_run_to_say_so() {
        let teachers = |place: usize| vec![1 - place];
        let mut queue = Queue { waiting: vec![0, 1], ..Queue::default() };
        assert_eq!([queue.next(teachers), queue.next(teachers)], [Next::Run(0), Next::Wait]);
    }
}
