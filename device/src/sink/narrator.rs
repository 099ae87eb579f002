//! Readings for people: a line on standard output whenever something changes.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use models::{Expression, ModelChoice};

use super::Sink;
use crate::diagnostics::stdout_error;
use crate::frame::Frame;
use crate::reading::{FaceReading, Reading};

/// Faces unseen for this many frames are forgotten.
const MEMORY_FRAMES: u64 = 1000;

/// Says when a face comes, changes its expression, or goes to the other model; for
/// unrelated pictures, what is in each.
#[derive(Debug, Default)]
pub struct Narrator {
    told: HashMap<u64, Told>,
}

#[derive(Copy, Clone, Debug, PartialEq)]
struct Told {
    expression: Expression,
    unsure: bool,
    model: ModelChoice,
    frame: u64,
}

impl Narrator {
    /// The lines for one frame; empty when nothing changed.
    fn lines(&mut self, reading: &Reading) -> String {
        let mut lines = String::new();
        let when = reading.source_name.clone().unwrap_or_else(|| {
            let secs = reading.captured_at_ms / 1000.0;
            format!("{secs:7.2} s")
        });
        if reading.source_name.is_some() && reading.faces.is_empty() {
            let _ = writeln!(lines, "{when}  no face");
        }
        for face in &reading.faces {
            let now =
                Told { expression: face.expression, unsure: face.unsure, model: face.model, frame: reading.frame };
            let before = self.told.insert(face.id, now);
            if before.is_none_or(|before| before.differs(&now)) {
                let _ = writeln!(lines, "{when}  {}", sentence(face));
            }
        }
        self.told.retain(|_, told| told.frame + MEMORY_FRAMES > reading.frame);
        lines
    }
}

impl Told {
    fn differs(&self, other: &Self) -> bool {
        (self.expression, self.unsure, self.model) != (other.expression, other.unsure, other.model)
    }
}

impl Sink for Narrator {
    fn take(&mut self, _frame: &Frame, reading: &Reading) -> anyhow::Result<()> {
        let lines = self.lines(reading);
        if lines.is_empty() {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush()).map_err(stdout_error)
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
}

fn sentence(face: &FaceReading) -> String {
    let index = face.scores.iter().position(|(expression, _)| *expression == face.expression);
    let share = index.map_or(0.0, |index| face.scores[index].1);
    let guess = if face.unsure { "?" } else { "" };
    let shown = format!("{}{guess}", face.expression);
    format!("face {:<3} {shown:<10} {:3.0} %   {} model: {}", face.id, 100.0 * share, face.model, face.why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::sample;

    #[test]
    fn only_changes_are_told() {
        let mut narrator = Narrator::default();
        let (_, mut reading) = sample(0);
        let first = narrator.lines(&reading);
        assert!(first.contains("face 1") && first.contains("happy"), "{first}");
        assert!(narrator.lines(&reading).is_empty());
        reading.faces[0].unsure = true;
        assert!(narrator.lines(&reading).contains("happy?"));
        reading.faces[0].model = ModelChoice::Robust;
        assert!(narrator.lines(&reading).contains("robust model"));
    }

    #[test]
    fn a_picture_without_a_face_is_told_by_its_name() {
        let (_, mut reading) = sample(0);
        reading.faces.clear();
        assert!(Narrator::default().lines(&reading).is_empty());
        reading.source_name = Some("a.png".into());
        assert_eq!(Narrator::default().lines(&reading), "a.png  no face\n");
    }
}
