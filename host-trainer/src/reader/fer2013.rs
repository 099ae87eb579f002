//! FER-2013 in Kaggle's format: `emotion,pixels,Usage`, 48x48 gray pixels in decimal, plain or gzipped.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use models::{GrayImage, LabelSet};
use rayon::prelude::*;

use crate::failure::bad_input;
use crate::sample::{DataSet, Sample, Usage, sha256_hex};

/// Width and height of the faces, px.
const SIDE: usize = 48;
/// The first two bytes of every gzip file (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// What some editors put before the text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// No line of this format is longer than 10 kB; a file without line ends is something else.
const MAX_LINE_BYTES: u64 = 1 << 16;
/// Lines that are parsed while the next ones are unpacked.
const BATCH: usize = 1024;
/// How every message about a single line ends.
const CURE: &str = "correct or remove the line";

/// Reads the whole content of the file `path`.
///
/// # Errors
/// Bad input, naming the file and the line.
pub fn read(path: &Path, bytes: &[u8]) -> anyhow::Result<DataSet> {
    let (sha256, samples) = rayon::join(
        || sha256_hex(bytes),
        || {
            if bytes.starts_with(&GZIP_MAGIC) {
                let text = BufReader::with_capacity(1 << 18, MultiGzDecoder::new(bytes));
                read_samples(Lines { text, count: 0 })
            } else {
                read_samples(Lines { text: bytes, count: 0 })
            }
        },
    );
    let samples =
        samples.map_err(|Fault { line, what }| bad_input(format!("{}, line {line}: {what}", path.display())))?;
    Ok(DataSet { path: path.to_path_buf(), sha256, labels: LabelSet::fer2013(), side: SIDE, samples })
}

/// What is wrong with which line.
struct Fault {
    line: u64,
    what: String,
}

/// A line that is not blank, without its end, and its number, 1-based.
struct Line {
    number: u64,
    text: Vec<u8>,
}

/// The lines of a text.
struct Lines<R> {
    text: R,
    /// How many were read so far.
    count: u64,
}

impl<R: BufRead> Lines<R> {
    /// The next line that is not blank; None at the end.
    fn next(&mut self) -> Result<Option<Line>, Fault> {
        loop {
            let mut line = Line { number: self.count + 1, text: Vec::new() };
            let fault = |what| Fault { line: line.number, what };
            let size = self.text.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line.text);
            let size = size.map_err(|error| {
                fault(format!("the file breaks off or is damaged ({error}); fetch or copy it again"))
            })?;
            if size as u64 == MAX_LINE_BYTES {
                return Err(fault("the line is too long; is this a fer2013.csv?".to_owned()));
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

    fn batch(&mut self) -> Result<Vec<Line>, Fault> {
        let mut lines = Vec::with_capacity(BATCH);
        while lines.len() < BATCH
            && let Some(line) = self.next()?
        {
            lines.push(line);
        }
        Ok(lines)
    }
}

fn read_samples(mut lines: Lines<impl BufRead + Send>) -> Result<Vec<Sample>, Fault> {
    let header = lines.next()?.unwrap_or(Line { number: 1, text: Vec::new() });
    let columns = Columns::find(&header.text).map_err(|what| Fault { line: header.number, what })?;
    let mut samples = Vec::new();
    let mut batch = lines.batch()?;
    while !batch.is_empty() {
        let (parsed, next) = rayon::join(|| columns.samples(&batch), || lines.batch());
        for sample in parsed {
            samples.push(sample?);
        }
        batch = next?;
    }
    if samples.is_empty() {
        let what = "there is no face after the header; give the whole fer2013.csv".to_owned();
        return Err(Fault { line: lines.count, what });
    }
    Ok(samples)
}

/// The fields of a line. No field of this format has a comma in it; quotes around one are allowed.
fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&byte| byte == b',').map(|field| {
        let field = field.trim_ascii();
        field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")).unwrap_or(field).trim_ascii()
    })
}

/// Where the three columns stand; Kaggle has published them in two orders.
struct Columns {
    emotion: usize,
    pixels: usize,
    usage: usize,
    /// How many there are with those that are not used.
    count: usize,
}

impl Columns {
    fn find(header: &[u8]) -> Result<Self, String> {
        let header = header.strip_prefix(BYTE_ORDER_MARK).unwrap_or(header);
        let find = |wanted: &str| {
            fields(header).position(|name| name.eq_ignore_ascii_case(wanted.as_bytes())).ok_or_else(|| {
                format!("no column `{wanted}`; the first line should be `emotion,pixels,Usage`, as in Kaggle's file")
            })
        };
        let (emotion, pixels, usage) = (find("emotion")?, find("pixels")?, find("usage")?);
        Ok(Columns { emotion, pixels, usage, count: fields(header).count() })
    }

    /// On all cores; in the order of the lines.
    fn samples(&self, lines: &[Line]) -> Vec<Result<Sample, Fault>> {
        let parse = |line: &Line| self.sample(line).map_err(|what| Fault { line: line.number, what });
        lines.par_iter().with_min_len(64).map(parse).collect()
    }

    fn sample(&self, line: &Line) -> Result<Sample, String> {
        let fields: Vec<&[u8]> = fields(&line.text).collect();
        if fields.len() != self.count {
            return Err(format!("{} columns instead of {}; {CURE}", fields.len(), self.count));
        }
        let usage = match fields[self.usage] {
            b"Training" => Usage::Training,
            b"PublicTest" => Usage::PublicTest,
            b"PrivateTest" => Usage::PrivateTest,
            other => {
                return Err(format!("usage `{}` is not Training, PublicTest or PrivateTest; {CURE}", shown(other)));
            }
        };
        let classes = LabelSet::fer2013().len();
        let label = match fields[self.emotion] {
            [digit @ b'0'..=b'9'] if usize::from(digit - b'0') < classes => usize::from(digit - b'0'),
            other => return Err(format!("label `{}` is not one of 0 to {}; {CURE}", shown(other), classes - 1)),
        };
        let pixels = parse_pixels(fields[self.pixels])?;
        let face = GrayImage::from_vec(pixels, SIDE, SIDE).map_err(|error| error.to_string())?;
        Ok(Sample { row: line.number, usage, label, face })
    }
}

/// A field for an error message: not too long, and readable whatever its bytes are.
fn shown(field: &[u8]) -> String {
    String::from_utf8_lossy(field).chars().take(24).collect()
}

/// Parses decimal numbers of 0 to 255 between spaces. By hand, because there are 74 million of them.
fn parse_pixels(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut pixels = Vec::with_capacity(SIDE * SIDE);
    let mut value = 0_u32;
    let mut digits = 0;
    for &byte in text.iter().chain(b" ") {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + u32::from(byte - b'0');
                digits += 1;
                if value > 255 {
                    return Err(format!("pixel {} is greater than 255; {CURE}", pixels.len() + 1));
                }
            }
            b' ' if digits == 0 => {}
            b' ' => {
                pixels.push(value as u8);
                value = 0;
                digits = 0;
            }
            _ => return Err(format!("pixel {} is not a number of 0 to 255; {CURE}", pixels.len() + 1)),
        }
    }
    if pixels.len() != SIDE * SIDE {
        return Err(format!("{} pixels instead of {} ({SIDE}x{SIDE}); {CURE}", pixels.len(), SIDE * SIDE));
    }
    Ok(pixels)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::failure::is_bad_input;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn line(label: &str, pixels: usize, value: &str, usage: &str) -> String {
        format!("{label},{},{usage}\n", vec![value; pixels].join(" "))
    }

    fn good() -> String {
        format!("emotion,pixels,Usage\n{}{}", line("3", 2304, "255", "Training"), line("6", 2304, "7", "PublicTest"))
    }

    fn fault(text: &[u8]) -> String {
        let error = read(Path::new("faces.csv"), text).unwrap_err();
        assert!(is_bad_input(&error));
        error.to_string()
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut writer = GzEncoder::new(Vec::new(), Compression::fast());
        writer.write_all(text.as_bytes()).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn reads_plain_and_gzipped_text_alike() {
        for bytes in [good().into_bytes(), gzip(&good()), good().replace('\n', "\r\n").into_bytes()] {
            let data = read(Path::new("faces"), &bytes).unwrap();
            assert_eq!(data.samples.len(), 2);
            let second = &data.samples[1];
            assert_eq!((second.row, second.usage, second.label), (3, Usage::PublicTest, 6));
            assert!(data.samples[0].face.pixels().iter().all(|&pixel| pixel == 255));
            assert!(second.face.pixels().iter().all(|&pixel| pixel == 7));
        }
    }

    #[test]
    fn blank_lines_count_but_do_not_matter() {
        let data = read(Path::new("x"), (good() + "\n\n" + &line("0", 2304, "0", "Training")).as_bytes()).unwrap();
        assert_eq!(data.samples[2].row, 6);
    }

    #[test]
    fn quotes_are_allowed() {
        let text = good().replace(',', "\",\"").replace("\n", "\"\n\"");
        let data = read(Path::new("x"), format!("\"{}", text.trim_end_matches('"')).as_bytes()).unwrap();
        assert_eq!(data.samples[1].label, 6);
    }

    #[test]
    fn takes_the_columns_in_any_order() {
        let row = line("3", 2304, "9", "Training");
        let pixels = row.split(',').nth(1).unwrap();
        let data =
            read(Path::new("x"), format!("emotion, Usage, pixels\n0,PrivateTest,{pixels}\n").as_bytes()).unwrap();
        assert_eq!(data.samples[0].usage, Usage::PrivateTest);
    }

    #[test]
    fn bad_lines_are_named() {
        let cases = [
            (line("3", 2303, "1", "Training"), "2303 pixels instead of 2304"),
            (line("9", 2304, "1", "Training"), "label `9` is not one of 0 to 6"),
            (line("", 2304, "1", "Training"), "label `` is not"),
            (line("3", 2304, "300", "Training"), "pixel 1 is greater than 255"),
            (line("3", 2304, "-1", "Training"), "pixel 1 is not a number"),
            (line("3", 2304, "1", "Test"), "usage `Test`"),
            ("3,1 2 3\n".to_owned(), "2 columns instead of 3"),
        ];
        for (bad, expected) in cases {
            let message = fault((good() + &bad).as_bytes());
            assert!(message.starts_with("faces.csv, line 4: "), "{message}");
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn a_truncated_gzip_is_refused() {
        let whole = gzip(&good());
        let message = fault(&whole[..whole.len() - 12]);
        assert!(message.contains("breaks off or is damaged"), "{message}");
        assert!(message.contains("line "), "{message}");
    }

    #[test]
    fn other_files_are_refused() {
        assert!(fault(b"").contains("line 1: no column `emotion`"));
        assert!(fault(b"name,age\nx,3\n").contains("no column `emotion`"));
        assert!(fault(b"emotion,pixels,Usage\n").contains("no face after the header"));
        assert!(fault(&[b'x'; 1 << 17]).contains("line 1: the line is too long"));
        assert!(fault(&[0xff, 0xfe, 0, 1]).contains("line 1"));
    }

    #[test]
    fn reads_the_real_file_in_a_few_seconds() {
        let folder = std::env::var("MIEN_DATA").unwrap_or_else(|_| "../../shared/data".to_owned());
        let path = Path::new(&folder).join("fer2013/fer2013.csv.gz");
        let Ok(bytes) = std::fs::read(&path) else {
            println!("skipped: no MIEN_DATA");
            return;
        };
        let started = std::time::Instant::now();
        let data = read(&path, &bytes).unwrap();
        println!("{} samples in {:.1} s", data.samples.len(), started.elapsed().as_secs_f32());
        assert_eq!(data.samples.len(), 28_554 + 3_579);
        assert_eq!(data.select(crate::sample::UsageFilter::PublicTest).len(), 3_579);
    }
}
