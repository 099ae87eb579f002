//! Drives frames from a source through the pipeline into the sinks, until the source
//! ends, enough frames are seen, or somebody says stop.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use models::ModelChoice;

use crate::clock::{Clock, micros_between};
use crate::diagnostics::{Problem, is_audience_gone};
use crate::frame::Frame;
use crate::health::Guard;
use crate::pipeline::Pipeline;
use crate::reading::Reading;
use crate::sink::Sink;
use crate::source::{Pause, Source};

/// Where the readings go.
#[derive(Default)]
pub struct Sinks {
    /// Sinks that draw; their time is the `draw_us` that the others report.
    pub drawing: Vec<Box<dyn Sink>>,
    /// The others: they get the reading with all its times.
    pub writing: Vec<Box<dyn Sink>>,
}

/// What a run came to.
#[derive(Debug, Default, PartialEq)]
pub struct Summary {
    /// Frames seen.
    pub frames: u64,
    /// Frames with at least one face.
    pub frames_with_faces: u64,
    /// Faces read, over all frames.
    pub readings: u64,
    /// How many of these the robust model classified.
    pub robust: u64,
    /// How many different faces there were.
    pub people: usize,
    /// Seconds from start to end.
    pub secs: f64,
}

/// Runs until the end; `guard` watches over the board meanwhile. All sinks are finished unless something fails.
///
/// # Errors
/// What source, pipeline or a sink reports. That nobody reads standard output any more, or
/// that the window was closed, is no error: it ends the run.
pub fn drive(
    source: &mut dyn Source,
    pipeline: &mut Pipeline,
    mut guard: Option<&mut Guard>,
    sinks: &mut Sinks,
    limit: Option<u64>,
    stop: &AtomicBool,
    clock: &dyn Clock,
) -> anyhow::Result<Summary> {
    let began = clock.now();
    let mut summary = Summary::default();
    let mut people = HashSet::new();
    while limit.is_none_or(|limit| summary.frames < limit) && !stop.load(Ordering::Relaxed) {
        let asked = clock.now();
        let Some(frame) = source.next_frame()? else {
            let told = match source.pause() {
                Pause::Ended => break,
                Pause::Waiting => Ok(()),
                Pause::Lost(why) => sinks.lose(&why),
            };
            match told {
                Err(error) if is_audience_gone(&error) => break,
                told => told?,
            }
            continue;
        };
        let got = clock.now();
        // Waiting for a picture is no work.
        let asked = asked + source.waited();
        let board = guard.as_mut().and_then(|guard| guard.attend(pipeline, got));
        let mut reading = pipeline.process(&frame)?;
        reading.board = board;
        reading.dropped = source.dropped();
        reading.bad_frames = source.bad_frames();
        reading.exposure_us = source.exposure_us();
        reading.stages.decode_us = micros_between(asked, got);
        summary.count(&reading);
        people.extend(reading.faces.iter().map(|face| face.id));
        match sinks.take(&frame, &mut reading, asked, clock) {
            Err(error) if is_audience_gone(&error) => break,
            taken => taken?,
        }
    }
    summary.people = people.len();
    summary.secs = clock.now().saturating_sub(began).as_secs_f64();
    sinks.finish()?;
    Ok(summary)
}

impl Sinks {
    fn take(&mut self, frame: &Frame, reading: &mut Reading, asked: Duration, clock: &dyn Clock) -> anyhow::Result<()> {
        let read = clock.now();
        for sink in &mut self.drawing {
            sink.take(frame, reading)?;
        }
        let drawn = clock.now();
        if !self.drawing.is_empty() {
            reading.stages.draw_us = micros_between(read, drawn);
            let flushed = self.drawing.iter().map(|sink| sink.flushed()).sum();
            reading.stages.flush_us = micros_between(Duration::ZERO, flushed);
        }
        reading.stages.total_us = micros_between(asked, drawn);
        for sink in &mut self.writing {
            sink.take(frame, reading)?;
        }
        Ok(())
    }

    /// Tells those who show the present that there is none.
    fn lose(&mut self, why: &str) -> anyhow::Result<()> {
        self.drawing.iter_mut().chain(&mut self.writing).try_for_each(|sink| sink.lose(why))
    }

    /// Finishes all; the first error is returned when every sink had its turn.
    fn finish(&mut self) -> anyhow::Result<()> {
        let mut result = Ok(());
        for sink in self.drawing.iter_mut().chain(&mut self.writing) {
            let finished = sink.finish();
            if result.is_ok() && !finished.as_ref().is_err_and(is_audience_gone) {
                result = finished;
            }
        }
        result
    }
}

impl Summary {
    fn count(&mut self, reading: &Reading) {
        self.frames += 1;
        self.frames_with_faces += u64::from(!reading.faces.is_empty());
        self.readings += reading.faces.len() as u64;
        let is_robust = |face: &&crate::reading::FaceReading| face.model == ModelChoice::Robust;
        self.robust += reading.faces.iter().filter(is_robust).count() as u64;
    }

    /// Refuses a run over pictures that found no face in any of them.
    ///
    /// # Errors
    /// Bad input, naming the source.
    pub fn expect_a_face(&self, source: &dyn Source) -> anyhow::Result<()> {
        if self.readings > 0 || self.frames == 0 || source.is_sequence() {
            return Ok(());
        }
        let message = format!("no face found in {}", source.describe());
        Err(Problem::input(message)
            .next_step(
                "Faces must look at the camera; `min-face-px` in the configuration or \
                 --detector with a YuNet network finds smaller and turned ones.",
            )
            .into())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { frames, secs, .. } = self;
        write!(
            f,
            "{frames} frame{} in {secs:.1} s ({:.1} a second), faces in {} of them, {} different",
            if *frames == 1 { "" } else { "s" },
            *frames as f64 / secs.max(1e-9),
            self.frames_with_faces,
            self.people,
        )?;
        if self.readings > 0 {
            let share = 100.0 * self.robust as f64 / self.readings as f64;
            write!(f, "; robust model for {share:.0} % of the readings")?;
        }
        Ok(())
    }
}
