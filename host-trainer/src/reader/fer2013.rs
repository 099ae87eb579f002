//! FER-2013 in Kaggle's format: `emotion,pixels,Usage`, 48x48 gray pixels in decimal, plain or gzipped.

use std::path::Path;
use std::vec;

use models::{GrayImage, LabelSet};
use rayon::prelude::*;

use super::lines::{Line, Lines, shown};
use super::{Entry, Fault, Picture, Reader};
use crate::failure::bad_input;
use crate::sample::Usage;

/// Width and height of the faces, px.
const SIDE: usize = 48;
/// What some editors put before the text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Lines that are parsed while the next ones are unpacked.
const BATCH: usize = 1024;
/// How every message about a single line ends.
const CURE: &str = "correct or remove the line";

/// The faces of such a file, in its order.
pub struct Fer2013 {
    lines: Lines,
    columns: Columns,
    labels: LabelSet,
    /// Lines that were read but not parsed.
    ahead: Vec<Line>,
    parsed: vec::IntoIter<Result<Entry, Fault>>,
    /// Why reading ended, to be told after what was read before.
    broken: Option<Fault>,
    is_empty: bool,
}

impl Fer2013 {
    /// Opens the file `path`.
    ///
    /// # Errors
    /// Bad input: a file that cannot be read, another header.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        Self::of(Lines::open(path)?)
    }

    fn of(mut lines: Lines) -> anyhow::Result<Self> {
        let header = lines.next_line().map_err(Fault::into_error)?.unwrap_or(Line { number: 1, text: Vec::new() });
        let columns = Columns::find(&header.text).map_err(|what| lines.error(header.number, &what))?;
        let labels = LabelSet::fer2013();
        let mut reader = Self {
            lines,
            columns,
            labels,
            ahead: Vec::new(),
            parsed: Vec::new().into_iter(),
            broken: None,
            is_empty: true,
        };
        (reader.ahead, reader.broken) = batch(&mut reader.lines);
        Ok(reader)
    }

    /// Parses what was read ahead while more is read.
    fn refill(&mut self) {
        let Self { lines, columns, ahead, broken, .. } = self;
        let path = lines.path.clone();
        let may_go_on = broken.is_none();
        let (parsed, next) = rayon::join(|| columns.entries(&path, ahead), || may_go_on.then(|| batch(lines)));
        self.parsed = parsed.into_iter();
        match next {
            Some((lines, fault)) => (self.ahead, self.broken) = (lines, fault),
            None => self.ahead.clear(),
        }
    }
}

impl Iterator for Fer2013 {
    type Item = Result<Entry, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.parsed.len() == 0 && !self.ahead.is_empty() {
            self.refill();
        }
        if let Some(entry) = self.parsed.next() {
            self.is_empty = false;
            return Some(entry);
        }
        if let Some(fault) = self.broken.take() {
            self.is_empty = false;
            return Some(Err(fault));
        }
        if std::mem::take(&mut self.is_empty) {
            let what = "there is no face after the header; give the whole fer2013.csv";
            return Some(Err(Fault::All(self.lines.error(self.lines.count(), what))));
        }
        None
    }
}

impl Reader for Fer2013 {
    fn labels(&self) -> &LabelSet {
        &self.labels
    }

    fn side(&self) -> Option<usize> {
        Some(SIDE)
    }

    fn file_sha256(&self) -> Option<String> {
        Some(self.lines.sha256())
    }
}

/// The next lines, and what ended them if it was no end of the file.
fn batch(lines: &mut Lines) -> (Vec<Line>, Option<Fault>) {
    let mut batch = Vec::with_capacity(BATCH);
    while batch.len() < BATCH {
        match lines.next_line() {
            Ok(Some(line)) => batch.push(line),
            Ok(None) => break,
            Err(fault) => return (batch, Some(fault)),
        }
    }
    (batch, None)
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
    fn entries(&self, path: &Path, lines: &[Line]) -> Vec<Result<Entry, Fault>> {
        let parse = |line: &Line| {
            let fault = |what| bad_input(format!("{}, line {}: {what}", path.display(), line.number));
            self.entry(line).map_err(|what| Fault::One(fault(what)))
        };
        lines.par_iter().with_min_len(64).map(parse).collect()
    }

    fn entry(&self, line: &Line) -> Result<Entry, String> {
        let fields: Vec<&[u8]> = fields(&line.text).collect();
        if fields.len() != self.count {
            return Err(format!("{} columns instead of {}; {CURE}", fields.len(), self.count));
        }
        let usage = usage(fields[self.usage])
            .ok_or_else(|| format!("usage `{}` is not {USAGES}; {CURE}", shown(fields[self.usage])))?;
        let classes = LabelSet::fer2013().len();
        let label = match fields[self.emotion] {
            [digit @ b'0'..=b'9'] if usize::from(digit - b'0') < classes => usize::from(digit - b'0'),
            other => return Err(format!("label `{}` is not one of 0 to {}; {CURE}", shown(other), classes - 1)),
        };
        let pixels = parse_pixels(fields[self.pixels])?;
        let face = GrayImage::from_vec(pixels, SIDE, SIDE).map_err(|error| error.to_string())?;
        let place = format!("line {}", line.number);
        let picture = Picture::Gray(face.into());
        Ok(Entry { row: line.number, place, usage, label, soft: None, subject: None, picture })
    }
}

/// The parts of the data set for an error message.
pub const USAGES: &str = "Training, PublicTest or PrivateTest";

/// A part of the data set by the name it has in FER-2013's files.
pub fn usage(name: &[u8]) -> Option<Usage> {
    match name {
        b"Training" => Some(Usage::Training),
        b"PublicTest" => Some(Usage::PublicTest),
        b"PrivateTest" => Some(Usage::PrivateTest),
        _ => None,
    }
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
    use std::io::{Cursor, Write};

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;
    use crate::failure::is_bad_input;
    use crate::reader::collect::collect;
    use crate::sample::{DataSet, UsageFilter};

    fn line(label: &str, pixels: usize, value: &str, usage: &str) -> String {
        format!("{label},{},{usage}\n", vec![value; pixels].join(" "))
    }

    fn good() -> String {
        format!("emotion,pixels,Usage\n{}{}", line("3", 2304, "255", "Training"), line("6", 2304, "7", "PublicTest"))
    }

    fn read(text: &[u8]) -> anyhow::Result<DataSet> {
        let path = Path::new("faces.csv");
        collect(path, &mut Fer2013::of(Lines::of(path, Cursor::new(text.to_vec()))?)?, 0)
    }

    fn fault(text: &[u8]) -> String {
        let error = read(text).unwrap_err();
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
            let data = read(&bytes).unwrap();
            assert_eq!(data.samples.len(), 2);
            let second = &data.samples[1];
            assert_eq!((second.row, second.usage, second.label), (3, Usage::PublicTest, 6));
            assert!(data.samples[0].face.read().unwrap().pixels().iter().all(|&pixel| pixel == 255));
            assert!(second.face.read().unwrap().pixels().iter().all(|&pixel| pixel == 7));
        }
    }

    #[test]
    fn blank_lines_count_but_do_not_matter() {
        let data = read((good() + "\n\n" + &line("0", 2304, "0", "Training")).as_bytes()).unwrap();
        assert_eq!(data.samples[2].row, 6);
    }

    #[test]
    fn quotes_are_allowed() {
        let text = good().replace(',', "\",\"").replace("\n", "\"\n\"");
        let data = read(format!("\"{}", text.trim_end_matches('"')).as_bytes()).unwrap();
        assert_eq!(data.samples[1].label, 6);
    }

    #[test]
    fn takes_the_columns_in_any_order() {
        let row = line("3", 2304, "9", "Training");
        let pixels = row.split(',').nth(1).unwrap();
        let data = read(format!("emotion, Usage, pixels\n0,PrivateTest,{pixels}\n").as_bytes()).unwrap();
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
        if !path.is_file() {
            println!("skipped: no MIEN_DATA");
            return;
        }
        let started = std::time::Instant::now();
        let data = collect(&path, &mut Fer2013::open(&path).unwrap(), 0).unwrap();
        println!("{} samples in {:.1} s", data.samples.len(), started.elapsed().as_secs_f32());
        assert_eq!(data.samples.len(), 28_554 + 3_579);
        assert_eq!(data.select(UsageFilter::PublicTest).len(), 3_579);
    }

    #[test]
    fn bad_lines_are_passed_over_when_allowed() {
        let text = good() + &line("9", 2304, "1", "Training") + &line("2", 2304, "8", "Training");
        let path = Path::new("faces.csv");
        let open = || Fer2013::of(Lines::of(path, Cursor::new(text.clone().into_bytes())).unwrap()).unwrap();
        let rows: Vec<u64> = collect(path, &mut open(), 1).unwrap().samples.iter().map(|sample| sample.row).collect();
        assert_eq!(rows, [2, 3, 5]);
        assert!(collect(path, &mut open(), 0).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_after_a_header_are_faces_or_faults(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let text = [b"emotion,pixels,Usage\n", bytes.as_slice()].concat();
            prop_assert!(read(&text).is_err());
            let _ = read(&bytes);
        }

        #[test]
        fn pixels_are_read_back(pixels in prop::collection::vec(any::<u8>(), SIDE * SIDE)) {
            let text = pixels.iter().map(u8::to_string).collect::<Vec<_>>().join(" ");
            let data = read(format!("emotion,pixels,Usage\n3,{text},Training\n").as_bytes()).unwrap();
            let face = data.samples[0].face.read().unwrap();
            prop_assert_eq!(face.pixels(), pixels);
        }
    }
}
