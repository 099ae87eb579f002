//! What `mien-trainer prepare` wrote: `shards.json` and the shards.

use std::fs;
use std::path::{Path, PathBuf};
use std::vec;

use models::LabelSet;

use super::{Entry, Fault, Picture, Reader, unreadable};
use crate::face::{Face, OpenShard};
use crate::failure::bad_input;
use crate::sample::sha256_hex;
use crate::shard::index::{FILE, Index, ShardFile};
use crate::shard::{Record, decode, pixel_offsets};

/// The file that tells such a folder.
pub const INDEX: &str = FILE;

/// The faces of all shards; one shard is in memory at a time.
pub struct Prepared {
    folder: PathBuf,
    index: Index,
    sha256: String,
    shards: vec::IntoIter<ShardFile>,
    /// Without their pixels.
    records: vec::IntoIter<(Face, Record)>,
}

impl Prepared {
    /// Opens the folder.
    ///
    /// # Errors
    /// Bad input: there is no index that holds.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let (index, bytes) = Index::read(folder)?;
        Ok(Self {
            folder: folder.to_path_buf(),
            sha256: sha256_hex(&bytes),
            shards: index.shards.clone().into_iter(),
            index,
            records: Vec::new().into_iter(),
        })
    }

    /// Reads one shard, which must be the one that the index means; its pictures stay there.
    fn read(&self, file: &ShardFile) -> anyhow::Result<Vec<(Face, Record)>> {
        let path = self.folder.join(&file.file);
        let open = OpenShard::open(&path, self.index.side)?;
        let bytes = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        let refuse = |what: &str| {
            let cure = "copy it again, prepare again, or allow for it with --max-bad";
            bad_input(format!("{}: {what}; {cure}", path.display()))
        };
        let shard = decode(&bytes).map_err(|what| refuse(&what))?;
        if shard.header.side != self.index.side || shard.header.labels != self.index.labels {
            return Err(refuse("its side or labels are not those of the index"));
        }
        // The hash of the content was checked; this one tells that no other shard took its place.
        if sha256_hex(&bytes) != file.sha256 {
            return Err(refuse("it is not the shard that the index means"));
        }
        let offsets = pixel_offsets(&shard, bytes.len());
        let stored = |(mut record, offset): (Record, u64)| {
            record.pixels = Vec::new();
            (open.face(offset, record.fingerprint.exact), record)
        };
        Ok(shard.records.into_iter().zip(offsets).map(stored).collect())
    }

    fn entry(&self, (face, record): (Face, Record)) -> Entry {
        Entry {
            row: record.row,
            place: record.place,
            usage: record.usage,
            label: usize::from(record.label),
            soft: record.soft.map(Into::into),
            subject: record.subject.map(Into::into),
            picture: Picture::Gray(face),
        }
    }
}

impl Iterator for Prepared {
    type Item = Result<Entry, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(record) = self.records.next() {
                return Some(Ok(self.entry(record)));
            }
            let file = self.shards.next()?;
            match self.read(&file) {
                Ok(records) => self.records = records.into_iter(),
                Err(error) => return Some(Err(Fault::One(error))),
            }
        }
    }
}

impl Reader for Prepared {
    fn labels(&self) -> &LabelSet {
        &self.index.labels
    }

    fn side(&self) -> Option<usize> {
        Some(self.index.side)
    }

    /// Of the index, which has the hashes of the shards.
    fn file_sha256(&self) -> Option<String> {
        Some(self.sha256.clone())
    }
}
