//! Readings as JSON Lines: one object a frame. `READINGS.md` describes them.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;

use super::Sink;
use crate::diagnostics::stdout_error;
use crate::frame::Frame;
use crate::output::WholeFile;
use crate::reading::Reading;

/// Writes a line a frame to standard output or a file.
#[derive(Debug)]
pub struct JsonLines {
    /// `None` once finished.
    to: Option<Target>,
}

#[derive(Debug)]
enum Target {
    Stdout,
    File(WholeFile),
}

impl JsonLines {
    /// Lines on standard output, each at once.
    pub fn stdout() -> Self {
        Self { to: Some(Target::Stdout) }
    }

    /// Lines in a file that appears when the run ends.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn file(path: &Path) -> anyhow::Result<Self> {
        Ok(Self { to: Some(Target::File(WholeFile::create(path)?)) })
    }
}

impl Sink for JsonLines {
    fn take(&mut self, _frame: &Frame, reading: &Reading) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(reading).context("a reading does not go into JSON")?;
        line.push(b'\n');
        match &mut self.to {
            Some(Target::Stdout) => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(&line).and_then(|()| stdout.flush()).map_err(stdout_error)
            }
            Some(Target::File(file)) => {
                file.write_all(&line).with_context(|| format!("{} cannot be written", file.path().display()))
            }
            None => Ok(()),
        }
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        match self.to.take() {
            Some(Target::File(file)) => file.finish(),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::reading::sample;

    #[test]
    fn a_file_has_a_line_a_frame() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let mut sink = JsonLines::file(&path).unwrap();
        for number in 0..2 {
            let (frame, reading) = sample(number);
            sink.take(&frame, &reading).unwrap();
        }
        sink.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1]["frame"], 1);
    }
}
