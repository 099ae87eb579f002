//! The picture of a sample: in memory, or in the shard that it lies in until it is needed.

use std::borrow::Cow;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use models::GrayImage;
use sha2::{Digest, Sha256};

use crate::clean::{PictureHash, picture_hash};
use crate::failure::bad_input;

/// A square gray picture.
#[derive(Clone, Debug)]
pub enum Face {
    /// In memory.
    Held(GrayImage),
    /// On disk.
    InShard(Stored),
}

/// A picture in a shard.
#[derive(Clone, Debug)]
pub struct Stored {
    shard: Arc<OpenShard>,
    /// Where its pixels begin, bytes.
    offset: u64,
    /// The first half of its [`picture_hash`] without salt.
    hash: [u8; 16],
}

/// A shard whose hash was checked. It stays open, so that a file that takes its name later changes nothing.
#[derive(Debug)]
pub struct OpenShard {
    file: File,
    path: PathBuf,
    side: usize,
}

impl OpenShard {
    /// Opens the shard at `path`, whose faces are `side` px wide and high.
    ///
    /// # Errors
    /// Bad input: it cannot be opened.
    pub fn open(path: &Path, side: usize) -> anyhow::Result<Arc<Self>> {
        let file = File::open(path).map_err(|error| bad_input(format!("cannot open {}: {error}", path.display())))?;
        Ok(Arc::new(Self { file, path: path.to_owned(), side }))
    }

    /// The picture whose pixels begin at `offset`; `hash` is the first half of its [`picture_hash`] without salt.
    pub fn face(self: &Arc<Self>, offset: u64, hash: [u8; 16]) -> Face {
        Face::InShard(Stored { shard: Arc::clone(self), offset, hash })
    }
}

impl Face {
    /// Width and height, px.
    pub fn side(&self) -> usize {
        match self {
            Self::Held(picture) => picture.width(),
            Self::InShard(stored) => stored.shard.side,
        }
    }

    /// The picture.
    ///
    /// # Errors
    /// The shard was cut off since it was opened, or its disk fails.
    pub fn read(&self) -> anyhow::Result<Cow<'_, GrayImage>> {
        let Stored { shard, offset, .. } = match self {
            Self::Held(picture) => return Ok(Cow::Borrowed(picture)),
            Self::InShard(stored) => stored,
        };
        let mut pixels = vec![0; shard.side * shard.side];
        shard.file.read_exact_at(&mut pixels, *offset).with_context(|| {
            format!(
                "{}: a face cannot be read; was it changed since the start? Prepare the data again",
                shard.path.display()
            )
        })?;
        Ok(Cow::Owned(GrayImage::from_vec(pixels, shard.side, shard.side)?))
    }

    /// A hash that equal pictures have in common, under the same salt and in the same place of keeping.
    pub fn salted_hash(&self, salt: u64) -> PictureHash {
        match self {
            Self::Held(picture) => picture_hash(picture, salt),
            Self::InShard(stored) => {
                let mut hash = Sha256::new();
                hash.update(salt.to_le_bytes());
                hash.update(stored.hash);
                hash.finalize().into()
            }
        }
    }
}

impl From<GrayImage> for Face {
    fn from(picture: GrayImage) -> Self {
        Self::Held(picture)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_face_is_read_where_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.shard");
        std::fs::write(&path, [9, 9, 1, 2, 3, 4, 5, 6]).unwrap();
        let shard = OpenShard::open(&path, 2).unwrap();
        let face = shard.face(2, [7; 16]);
        assert_eq!((face.side(), face.read().unwrap().pixels()), (2, &[1, 2, 3, 4][..]));
        assert_eq!(face.salted_hash(1), shard.face(4, [7; 16]).salted_hash(1));
        assert_ne!(face.salted_hash(1), face.salted_hash(2));
        assert_ne!(face.salted_hash(1), shard.face(2, [8; 16]).salted_hash(1));

        File::options().write(true).open(&path).unwrap().set_len(5).unwrap();
        let told = format!("{:#}", face.read().unwrap_err());
        assert!(told.contains("a.shard") && told.contains("Prepare"), "{told}");
        assert!(OpenShard::open(&folder.path().join("b.shard"), 2).is_err());
    }
}
