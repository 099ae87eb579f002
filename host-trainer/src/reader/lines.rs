//! The lines of a text file, plain or gzipped, one after another, with bounded memory whatever the file is.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::{Fault, unreadable};
use crate::failure::bad_input;
use crate::sample::hex;

/// The first two bytes of every gzip file (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// No line of the known formats is longer than 10 kB; a file without line ends is something else.
const MAX_LINE_BYTES: u64 = 1 << 16;
/// Bytes that are unpacked at a time.
const BUFFER: usize = 1 << 18;

/// A line that is not blank, without its end, and its number, 1-based.
pub struct Line {
    pub number: u64,
    pub text: Vec<u8>,
}

/// The lines of a file.
pub struct Lines {
    /// What messages call it.
    pub path: PathBuf,
    text: Box<dyn BufRead + Send>,
    /// How many were read so far.
    count: u64,
    hash: Arc<Mutex<Sha256>>,
}

impl Lines {
    /// Opens a file; gzip is told by its content, not its name.
    ///
    /// # Errors
    /// Bad input: it cannot be read.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        Self::of(path, file).map_err(|error| unreadable(path, &error))
    }

    /// The lines of `content`, which messages call `path`.
    ///
    /// # Errors
    /// The content cannot be read.
    pub fn of(path: &Path, content: impl Read + Send + 'static) -> io::Result<Self> {
        let hash = Arc::new(Mutex::new(Sha256::new()));
        let mut raw = BufReader::with_capacity(BUFFER, Hashed { content, hash: hash.clone() });
        let text: Box<dyn BufRead + Send> = if raw.fill_buf()?.starts_with(&GZIP_MAGIC) {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(raw)))
        } else {
            Box::new(raw)
        };
        Ok(Self { path: path.to_path_buf(), text, count: 0, hash })
    }

    /// The next line that is not blank; None at the end.
    ///
    /// # Errors
    /// A file that breaks off or has no lines: [`Fault::All`].
    pub fn next_line(&mut self) -> Result<Option<Line>, Fault> {
        loop {
            let mut line = Line { number: self.count + 1, text: Vec::new() };
            let read = self.text.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line.text);
            let size = read.map_err(|error| {
                let what = format!("the file breaks off or is damaged ({error}); fetch or copy it again");
                Fault::All(self.error(line.number, &what))
            })?;
            if size as u64 == MAX_LINE_BYTES {
                let what = "the line is too long; is this the right file?";
                return Err(Fault::All(self.error(line.number, what)));
            }
            if size == 0 {
                return Ok(None);
            }
            self.count += 1;
            if !line.text.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    /// Bad input in a line of this file.
    pub fn error(&self, line: u64, what: &str) -> anyhow::Error {
        bad_input(format!("{}, line {line}: {what}", self.path.display()))
    }

    /// How many lines were read so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// SHA-256 of the file's bytes read so far: of the whole file after the last line.
    pub fn sha256(&self) -> String {
        // A poisoned lock means that a hash was cut off by a panic; nothing here panics.
        let hash = self.hash.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        hex(&hash.clone().finalize())
    }
}

/// Hashes what is read through it.
struct Hashed<R> {
    content: R,
    hash: Arc<Mutex<Sha256>>,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.content.read(buffer)?;
        self.hash.lock().unwrap_or_else(std::sync::PoisonError::into_inner).update(&buffer[..size]);
        Ok(size)
    }
}

/// A piece of a line for an error message: not too long, and readable whatever its bytes are.
pub fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(24).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{Cursor, Write};

    use flate2::{Compression, write::GzEncoder};

    use super::*;
    use crate::sample::sha256_hex;

    fn all(bytes: Vec<u8>) -> (Vec<(u64, String)>, String) {
        let mut lines = Lines::of(Path::new("a.txt"), Cursor::new(bytes)).unwrap();
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().map_err(Fault::into_error).unwrap() {
            found.push((line.number, String::from_utf8(line.text).unwrap().trim_end().to_owned()));
        }
        (found, lines.sha256())
    }

    #[test]
    fn plain_and_gzipped_lines_are_alike_and_the_file_is_hashed() {
        let text = b"one\n\ntwo\r\nthree".to_vec();
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(&text).unwrap();
        let packed = packer.finish().unwrap();
        for bytes in [text, packed] {
            let (lines, sha256) = all(bytes.clone());
            assert_eq!(lines, [(1, "one".to_owned()), (3, "two".to_owned()), (4, "three".to_owned())]);
            assert_eq!(sha256, sha256_hex(&bytes));
        }
    }
}
