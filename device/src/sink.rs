//! Where readings go.

pub mod json_lines;
pub mod narrator;
pub mod recorder;

use std::time::Duration;

use crate::frame::Frame;
use crate::reading::Reading;

/// Something that takes readings: a panel, a recorder, a stream of JSON.
pub trait Sink {
    /// Takes one frame and what was read in it.
    ///
    /// # Errors
    /// When the output cannot be written; the error names the path.
    fn take(&mut self, frame: &Frame, reading: &Reading) -> anyhow::Result<()>;

    /// How long the last [`Sink::take`] spent on handing the finished picture to a panel.
    fn flushed(&self) -> Duration {
        Duration::ZERO
    }

    /// The source has no picture to give, and why; it is told again and again until there is one.
    /// Who shows the present must not go on showing the past.
    ///
    /// # Errors
    /// As [`Sink::take`].
    fn lose(&mut self, why: &str) -> anyhow::Result<()> {
        let _ = why;
        Ok(())
    }

    /// Ends the output: flushes, writes trailers, renames temporary files. Called once,
    /// also after Ctrl-C.
    ///
    /// # Errors
    /// When the end cannot be written; nothing half-written is left behind.
    fn finish(&mut self) -> anyhow::Result<()>;
}
