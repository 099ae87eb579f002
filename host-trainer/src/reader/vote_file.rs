//! `fer2013new.csv` of FER+: a line of votes for every line of `fer2013.csv`, in the same order.

use std::path::Path;

use super::Fault;
use super::fer2013::{USAGES, usage};
use super::lines::{Line, Lines, shown};
use super::votes::{COLUMNS, Votes};
use crate::sample::Usage;

/// How its first line begins; the names of the answers follow, in the order of [`Votes`].
const HEADER: &[u8] = b"usage,image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,nf";

/// The votes of a file, one face after another.
pub struct VoteFile {
    lines: Lines,
}

/// The votes on one face.
pub struct VoteLine {
    /// The line of the file, 1-based and the header included; that of the face in its own file.
    pub number: u64,
    /// The part of the data set that the face belongs to.
    pub usage: Usage,
    /// What was said.
    pub votes: Votes,
}

impl VoteFile {
    /// Opens a file.
    ///
    /// # Errors
    /// Bad input: it cannot be read, or its first line is not that of such a file.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let mut lines = Lines::open(path)?;
        let header = lines.next_line().map_err(Fault::into_error)?.map(|line| line.text).unwrap_or_default();
        if !header.trim_ascii().eq_ignore_ascii_case(HEADER) {
            return Err(lines.error(1, "the header is not that of fer2013new.csv of FER+"));
        }
        Ok(Self { lines })
    }

    /// The votes on the next face; None at the end.
    ///
    /// # Errors
    /// A file that breaks off, a line that does not hold: [`Fault::All`].
    pub fn next_line(&mut self) -> Result<Option<VoteLine>, Fault> {
        let Some(line) = self.lines.next_line()? else { return Ok(None) };
        parse(&line).map(Some).map_err(|what| Fault::All(self.error(line.number, &what)))
    }

    /// Bad input in a line of this file.
    pub fn error(&self, line: u64, what: &str) -> anyhow::Error {
        self.lines.error(line, what)
    }

    /// How many lines were read so far.
    pub fn count(&self) -> u64 {
        self.lines.count()
    }

    /// SHA-256 of the file's bytes read so far: of the whole file after the last line.
    pub fn sha256(&self) -> String {
        self.lines.sha256()
    }
}

/// `Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0`; the name is empty where there is no face.
fn parse(line: &Line) -> Result<VoteLine, String> {
    let fields: Vec<&[u8]> = line.text.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).collect();
    if fields.len() != COLUMNS + 2 {
        return Err(format!("{} columns instead of {}", fields.len(), COLUMNS + 2));
    }
    let usage = usage(fields[0]).ok_or_else(|| format!("usage `{}` is not {USAGES}", shown(fields[0])))?;
    let mut votes = [0; COLUMNS];
    for (votes, field) in votes.iter_mut().zip(&fields[2..]) {
        *votes = match field {
            [digit @ b'0'..=b'9'] => u32::from(digit - b'0'),
            [b'1', b'0'] => 10,
            other => return Err(format!("`{}` is not a number of 0 to 10 votes", shown(other))),
        };
    }
    Ok(VoteLine { number: line.number, usage, votes: Votes(votes) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_line_is_votes_or_a_fault(line in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(VoteLine { votes, .. }) = parse(&Line { number: 1, text: line }) {
                prop_assert!(votes.0.iter().all(|&count| count <= 10));
            }
        }
    }
}
