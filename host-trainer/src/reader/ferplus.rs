//! FER+ beside FER-2013: `fer2013new.csv` has a line of votes for every line of `fer2013.csv`, in the same order.

use std::collections::BTreeMap;
use std::path::Path;

use models::LabelSet;

use super::fer2013::Fer2013;
use super::vote_file::VoteFile;
use super::votes::{VoteMode, Votes};
use super::{Entry, Fault, Reader};
use crate::failure::bad_input;
use crate::sample::sha256_hex;

/// Name of the file with the votes.
const FILE: &str = "fer2013new.csv";

/// FER-2013's faces with the labels of FER+.
pub struct FerPlus {
    faces: Fer2013,
    votes: VoteFile,
    labels: LabelSet,
    mode: VoteMode,
    left_out: BTreeMap<&'static str, u64>,
    ended: bool,
}

impl FerPlus {
    /// Opens `csv` and the votes beside it.
    ///
    /// # Errors
    /// Bad input: one of them is not there or something else.
    pub fn open(csv: &Path, labels: LabelSet, mode: VoteMode) -> anyhow::Result<Self> {
        let path = csv.with_file_name(FILE);
        if !path.is_file() {
            let what = "the votes of FER+ are not there; https://github.com/microsoft/FERPlus gives them out";
            return Err(bad_input(format!("{}: {what}", path.display())));
        }
        let votes = VoteFile::open(&path)?;
        Ok(Self { faces: Fer2013::open(csv)?, votes, labels, mode, left_out: BTreeMap::new(), ended: false })
    }

    /// The votes on the next face; their part of the data set must be the face's.
    fn next_votes(&mut self, face: Option<&Entry>) -> Result<Votes, Fault> {
        let Some(line) = self.votes.next_line()? else {
            return Err(Fault::All(self.votes.error(self.votes.count(), "there are more faces than lines of votes")));
        };
        match face {
            Some(face) if face.usage != line.usage => {
                let what =
                    format!("the part is not that of {} of the faces; give the votes of this very file", face.place);
                Err(Fault::All(self.votes.error(line.number, &what)))
            }
            _ => Ok(line.votes),
        }
    }

    fn next_entry(&mut self) -> Result<Option<Entry>, Fault> {
        loop {
            let Some(face) = self.faces.next() else { break };
            let mut face = match face {
                Ok(face) => face,
                Err(Fault::One(error)) => {
                    self.next_votes(None)?;
                    return Err(Fault::One(error));
                }
                Err(fault) => return Err(fault),
            };
            match self.next_votes(Some(&face))?.target(&self.labels, self.mode) {
                Ok(target) => {
                    (face.label, face.soft) = (target.label, target.soft);
                    return Ok(Some(face));
                }
                Err(why) => *self.left_out.entry(why).or_default() += 1,
            }
        }
        match self.votes.next_line()? {
            Some(line) => Err(Fault::All(self.votes.error(line.number, "there are more lines of votes than faces"))),
            None => Ok(None),
        }
    }
}

impl Iterator for FerPlus {
    type Item = Result<Entry, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_entry().transpose();
        self.ended = matches!(next, None | Some(Err(Fault::All(_))));
        next
    }
}

impl Reader for FerPlus {
    fn labels(&self) -> &LabelSet {
        &self.labels
    }

    fn side(&self) -> Option<usize> {
        self.faces.side()
    }

    fn left_out(&self) -> BTreeMap<&'static str, u64> {
        self.left_out.clone()
    }

    /// Of both files' hashes.
    fn file_sha256(&self) -> Option<String> {
        let faces = self.faces.file_sha256()?;
        Some(sha256_hex(format!("{faces}\n{}\n{:?}\n", self.votes.sha256(), self.mode).as_bytes()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::reader::testing::{summary_with, text};
    use crate::reader::{DataOptions, Labels, read};

    const VOTES: &str = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n";

    fn faces(usages: &[&str]) -> String {
        let pixels = vec!["7"; 48 * 48].join(" ");
        usages.iter().fold("emotion,pixels,Usage\n".to_owned(), |text, usage| text + &format!("0,{pixels},{usage}\n"))
    }

    fn options() -> DataOptions {
        DataOptions { labels: Labels::FerPlus, ..DataOptions::default() }
    }

    #[test]
    fn votes_belong_to_the_line_of_their_place() {
        let root = tempfile::tempdir().unwrap();
        text(root.path(), "fer2013.csv", &faces(&["Training", "Training", "PublicTest"]));
        let votes = "Training,a.png,0,9,0,1,0,0,0,0,0,0\nTraining,,0,0,0,0,0,0,0,0,0,10\nPublicTest,c.png,0,0,0,0,0,0,0,10,0,0\n";
        text(root.path(), FILE, &(VOTES.to_owned() + votes));
        let expected = ["line 2 happy training -", "line 4 contempt public-test -"];
        assert_eq!(summary_with(root.path(), &options()), expected);
        assert_eq!(summary_with(&root.path().join("fer2013.csv"), &options()), expected);
    }

    #[test]
    fn votes_of_another_file_are_refused() {
        let root = tempfile::tempdir().unwrap();
        text(root.path(), "fer2013.csv", &faces(&["Training", "PublicTest"]));
        let fault = |votes: &str| {
            text(root.path(), FILE, &(VOTES.to_owned() + votes));
            read(root.path(), &options()).unwrap_err().to_string()
        };
        let line = |part| format!("{part},a.png,0,9,0,1,0,0,0,0,0,0\n");
        assert!(fault(&line("Training")).contains("more faces than lines of votes"));
        assert!(fault(&line("Training").repeat(2)).contains("line 3: the part is not that of line 3"));
        let whole = line("Training") + &line("PublicTest");
        assert!(fault(&(whole.clone() + &line("PublicTest"))).contains("more lines of votes than faces"));
        assert!(fault(&whole.replace("9,", "x,")).contains("line 2: `x` is not a number"));
        std::fs::remove_file(root.path().join(FILE)).unwrap();
        assert!(read(root.path(), &options()).unwrap_err().to_string().contains("microsoft/FERPlus"));
    }

    #[test]
    fn the_real_votes_belong_to_the_real_faces() {
        let folder = std::env::var("MIEN_DATA").unwrap_or_else(|_| "../../shared/data".to_owned());
        let csv = PathBuf::from(folder).join("fer2013/fer2013.csv.gz");
        if !csv.with_file_name(FILE).is_file() || !csv.is_file() {
            println!("skipped: no fer2013 with FER+ votes in MIEN_DATA");
            return;
        }
        let mut reader = FerPlus::open(&csv, LabelSet::ferplus(), VoteMode::Majority).unwrap();
        let mut kept = 0_u64;
        for entry in reader.by_ref() {
            entry.map_err(Fault::into_error).unwrap();
            kept += 1;
        }
        let left_out = reader.left_out();
        println!("{kept} kept, left out: {left_out:?}");
        assert_eq!(kept + left_out.values().sum::<u64>(), 28_554 + 3_579);
        assert!(kept > 24_000, "{kept}");
    }
}
