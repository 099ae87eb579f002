//! The time of every stage over a source: median, 99th percentile, frames a second.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::clock::{Clock, MachineClock};
use crate::diagnostics::{Problem, stdout_error};
use crate::frame::Frame;
use crate::output::WholeFile;
use crate::reading::{Reading, StageTimes};
use crate::sink::Sink;

/// Version of the JSON form.
const SCHEMA_VERSION: u32 = 1;
/// Frames at the start that are left out, if there are as many again: caches and the
/// allocator settle in them.
const WARM_UP_FRAMES: usize = 5;

/// What was measured, for the heading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The source and its size.
    pub source: String,
    /// Name of the bundle.
    pub bundle: String,
    /// Name of the face detector.
    pub detector: String,
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, bundle, detector } = self;
        write!(f, "{source}; bundle {bundle}; detector {detector}")
    }
}

/// Takes the times of all frames; tells their figures at the end.
#[derive(Debug)]
pub struct Bench {
    about: About,
    json: Option<PathBuf>,
    times: Vec<StageTimes>,
    faces: Vec<usize>,
    /// Runs since the program began to open its models.
    clock: MachineClock,
    first_reading: Option<Duration>,
}

/// The figures, as they go into the JSON.
#[derive(Debug, PartialEq, Serialize)]
struct Figures {
    /// Frames measured.
    frames: usize,
    /// Frames before them that were not.
    warm_up_frames: usize,
    /// Mean number of faces a frame.
    faces_per_frame: f64,
    /// Frames a second, from the mean of the total time.
    fps: f64,
    /// Decode, detect, align, blur, classify, draw, flush, total; drawing without the flush.
    stages: [Stage; 8],
}

/// What the program is and needs, beside time.
#[derive(Debug, PartialEq, Serialize)]
struct Footprint {
    /// From opening the models to the first reading, ms.
    first_reading_ms: f64,
    /// Most memory that was resident at a time, and what is now, KiB; where the kernel tells.
    resident_peak_kib: Option<u64>,
    resident_kib: Option<u64>,
    /// Size of the program's file, bytes.
    program_bytes: Option<u64>,
}

/// A stage over all frames in which it ran.
#[derive(Debug, PartialEq, Serialize)]
struct Stage {
    name: &'static str,
    frames: usize,
    median_us: u64,
    p99_us: u64,
}

impl Bench {
    /// A bench that tells its figures as a table, and as JSON into `json` (`-` is
    /// standard output, which then gets no table). `clock` runs since the start.
    pub fn new(about: About, json: Option<PathBuf>, clock: MachineClock) -> Self {
        Self { about, json, times: Vec::new(), faces: Vec::new(), clock, first_reading: None }
    }

    fn footprint(&self) -> Footprint {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let program = std::env::current_exe().and_then(std::fs::metadata);
        Footprint {
            first_reading_ms: 1000.0 * self.first_reading.unwrap_or_default().as_secs_f64(),
            resident_peak_kib: kib_of("VmHWM", &status),
            resident_kib: kib_of("VmRSS", &status),
            program_bytes: program.ok().map(|file| file.len()),
        }
    }

    fn json_of(&self, figures: &Figures) -> anyhow::Result<String> {
        #[derive(Serialize)]
        struct Report<'a> {
            schema: u32,
            version: &'static str,
            #[serde(flatten)]
            about: &'a About,
            #[serde(flatten)]
            figures: &'a Figures,
            #[serde(flatten)]
            footprint: Footprint,
        }
        let mut text = serde_json::to_string_pretty(&Report {
            schema: SCHEMA_VERSION,
            version: env!("CARGO_PKG_VERSION"),
            about: &self.about,
            figures,
            footprint: self.footprint(),
        })?;
        text.push('\n');
        Ok(text)
    }
}

impl Sink for Bench {
    fn take(&mut self, _frame: &Frame, reading: &Reading) -> anyhow::Result<()> {
        self.first_reading.get_or_insert_with(|| self.clock.now());
        self.times.push(reading.stages);
        self.faces.push(reading.faces.len());
        Ok(())
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        if self.times.is_empty() {
            return Err(Problem::input("nothing measured: the source gave no frame").into());
        }
        let figures = figures_of(&self.times, &self.faces);
        let to_stdout = |text: &str| {
            let mut stdout = io::stdout().lock();
            stdout.write_all(text.as_bytes()).map_err(stdout_error)
        };
        match &self.json {
            Some(path) if path.as_os_str() == "-" => to_stdout(&self.json_of(&figures)?),
            Some(path) => {
                let mut file = WholeFile::create(path)?;
                file.write_all(self.json_of(&figures)?.as_bytes())
                    .with_context(|| format!("{} cannot be written", path.display()))?;
                file.finish()?;
                to_stdout(&table_of(&self.about, &figures, &self.footprint()))
            }
            None => to_stdout(&table_of(&self.about, &figures, &self.footprint())),
        }
    }
}

/// The figures of the frames after the warm-up. `times` is not empty.
fn figures_of(times: &[StageTimes], faces: &[usize]) -> Figures {
    let warm_up = if times.len() >= 2 * WARM_UP_FRAMES { WARM_UP_FRAMES } else { 0 };
    let (times, faces) = (&times[warm_up..], &faces[warm_up..]);
    let frames = times.len() as f64;
    let total_us: u64 = times.iter().map(|times| times.total_us).sum();
    let stage = |name, pick: fn(&StageTimes) -> u64| stage_of(name, times.iter().map(pick));
    Figures {
        frames: times.len(),
        warm_up_frames: warm_up,
        faces_per_frame: faces.iter().sum::<usize>() as f64 / frames,
        fps: 1e6 * frames / (total_us.max(1) as f64),
        stages: [
            stage("decode", |times| times.decode_us),
            stage("detect", |times| times.detect_us),
            stage("align", |times| times.align_us),
            stage("blur", |times| times.blur_us),
            stage("classify", |times| times.classify_us),
            stage("draw", |times| times.draw_us - times.flush_us),
            stage("flush", |times| times.flush_us),
            stage("total", |times| times.total_us),
        ],
    }
}

/// Frames in which the stage rested (0 us: no face, no detection) do not count.
fn stage_of(name: &'static str, times: impl Iterator<Item = u64>) -> Stage {
    let mut times: Vec<u64> = times.filter(|&us| us > 0).collect();
    times.sort_unstable();
    Stage { name, frames: times.len(), median_us: quantile(&times, 0.5), p99_us: quantile(&times, 0.99) }
}

/// The smallest of the sorted values that at least that share of them does not exceed;
/// 0 if there are none.
fn quantile(sorted: &[u64], share: f64) -> u64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

fn table_of(about: &About, figures: &Figures, footprint: &Footprint) -> String {
    let mut text = format!(
        "{about}\n{} frames after {} to warm up, {:.2} faces a frame\n\n",
        figures.frames, figures.warm_up_frames, figures.faces_per_frame
    );
    let _ = writeln!(text, "stage      frames  median ms     p99 ms");
    for stage in &figures.stages {
        let _ = writeln!(
            text,
            "{:<10} {:>6} {:>10.3} {:>10.3}",
            stage.name,
            stage.frames,
            stage.median_us as f64 / 1000.0,
            stage.p99_us as f64 / 1000.0
        );
    }
    let _ = writeln!(text, "\n{:.1} frames a second", figures.fps);
    let _ = write!(text, "first reading after {:.0} ms", footprint.first_reading_ms);
    if let Some(kib) = footprint.resident_peak_kib {
        let _ = write!(text, ", {:.1} MiB of memory at most", kib as f64 / 1024.0);
    }
    if let Some(bytes) = footprint.program_bytes {
        let _ = write!(text, ", a program of {:.1} MiB", bytes as f64 / 1_048_576.0);
    }
    text.push('\n');
    text
}

/// The figure behind `key` in the kernel's account of a process.
fn kib_of(key: &str, status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn times(detect_us: u64, total_us: u64) -> StageTimes {
        StageTimes { detect_us, total_us, ..StageTimes::default() }
    }

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(quantile(&hundred, 0.5), 50);
        assert_eq!(quantile(&hundred, 0.99), 99);
        assert_eq!(quantile(&[7], 0.99), 7);
        assert_eq!(quantile(&[], 0.5), 0);
    }

    #[test]
    fn the_warm_up_and_resting_stages_do_not_count() {
        let mut all = vec![times(9000, 9000); WARM_UP_FRAMES];
        all.extend([times(10, 1000), times(0, 3000)].repeat(5));
        let figures = figures_of(&all, &vec![1; all.len()]);
        assert_eq!((figures.frames, figures.warm_up_frames), (10, 5));
        assert_eq!(figures.fps, 500.0);
        let detect = &figures.stages[1];
        assert_eq!((detect.frames, detect.median_us), (5, 10));
        assert_eq!(figures_of(&all[..1], &[1]).warm_up_frames, 0);
    }

    #[test]
    fn json_and_table_have_every_stage() {
        let about = About { source: "GIF a.gif, 4x4".into(), bundle: "b".into(), detector: "rustface".into() };
        let figures = figures_of(&[times(10, 20)], &[1]);
        let bench = Bench::new(about.clone(), None, MachineClock::start());
        let json: serde_json::Value = serde_json::from_str(&bench.json_of(&figures).unwrap()).unwrap();
        assert_eq!(json["schema"], 1);
        assert_eq!(json["source"], "GIF a.gif, 4x4");
        assert_eq!(json["stages"][1]["name"], "detect");
        assert_eq!(json["stages"][1]["median_us"], 10);
        assert!(json["resident_peak_kib"].as_u64() >= json["resident_kib"].as_u64(), "{json}");
        assert!(json["program_bytes"].as_u64() > Some(100_000), "{json}");
        let table = table_of(&about, &figures, &bench.footprint());
        for stage in &figures.stages {
            assert!(table.contains(stage.name), "{table}");
        }
    }

    #[test]
    fn memory_is_read_from_the_kernels_account() {
        let status = "Name:\tmien\nVmHWM:\t   14328 kB\nVmRSS:\t9000 kB\n";
        assert_eq!((kib_of("VmHWM", status), kib_of("VmRSS", status)), (Some(14_328), Some(9000)));
        assert_eq!((kib_of("VmSwap", status), kib_of("Name", status)), (None, None));
    }

    #[test]
    fn no_frame_is_an_error() {
        let about = About { source: String::new(), bundle: String::new(), detector: String::new() };
        assert!(Bench::new(about, None, MachineClock::start()).finish().is_err());
    }
}
