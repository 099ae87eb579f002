//! Reader of YUV4MPEG2, the plain form in which a decoder hands over whole videos: one
//! text line with size and rate, then each frame as a text line and its planes.

use std::io::{BufRead, Read};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use image::RgbImage;
use models::GrayImage;

/// Longest text line that is taken for one, in bytes.
const MAX_LINE: u64 = 512;
/// Most pixels of a frame that are believed: 16k x 16k.
const MAX_PIXELS: usize = 1 << 28;

/// A stream of frames without chroma subsampling (`C444`), full range, BT.601: the
/// luma plane then is the gray picture, as in a JPEG.
#[derive(Debug)]
pub struct Y4mReader<R> {
    from: R,
    width: usize,
    height: usize,
    /// Frames a second as a fraction.
    rate: (u32, u32),
    /// The three planes of the frame read last.
    planes: Vec<u8>,
}

impl<R: BufRead> Y4mReader<R> {
    /// Reads the header; `None` when the stream ends before it begins.
    ///
    /// # Errors
    /// When it is no `C444` YUV4MPEG2, or cannot be read.
    pub fn open(mut from: R) -> anyhow::Result<Option<Self>> {
        let Some(header) = line_of(&mut from)? else {
            return Ok(None);
        };
        let mut words = header.split(' ');
        ensure!(words.next() == Some("YUV4MPEG2"), "the stream is no YUV4MPEG2");
        let (mut width, mut height, mut rate, mut colour) = (0, 0, (25, 1), "");
        for word in words {
            let (tag, value) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
            match tag {
                "W" => width = value.parse().context("width of the stream")?,
                "H" => height = value.parse().context("height of the stream")?,
                "F" => rate = fraction_of(value).unwrap_or(rate),
                "C" => colour = value,
                _ => {}
            }
        }
        ensure!(colour == "444", "the stream has colour space {colour:?}");
        let pixels: usize = usize::checked_mul(width, height).unwrap_or(0);
        ensure!((1..=MAX_PIXELS).contains(&pixels), "the stream has frames of {width} x {height} px");
        Ok(Some(Self { from, width, height, rate, planes: vec![0; 3 * pixels] }))
    }

    /// Width and height in px.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// When frame `number` is shown, counted from frame 0.
    pub fn time_of(&self, number: u64) -> Duration {
        let (frames, secs) = self.rate;
        let nanos = u128::from(number) * u128::from(secs) * 1_000_000_000 / u128::from(frames);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Reads the next frame: gray and colour; `None` at the end.
    ///
    /// # Errors
    /// When the stream breaks off inside of a frame, or cannot be read.
    pub fn next_frame(&mut self) -> anyhow::Result<Option<(GrayImage, RgbImage)>> {
        let Some(line) = line_of(&mut self.from)? else {
            return Ok(None);
        };
        if !line.starts_with("FRAME") {
            bail!("the stream lost its frames");
        }
        self.from.read_exact(&mut self.planes).context("the stream breaks off inside of a frame")?;
        let pixels = self.width * self.height;
        let (luma, chroma) = self.planes.split_at(pixels);
        let (blue, red) = chroma.split_at(pixels);
        let mut rgb = Vec::with_capacity(3 * pixels);
        for ((&y, &cb), &cr) in luma.iter().zip(blue).zip(red) {
            rgb.extend_from_slice(&rgb_of(y, cb, cr));
        }
        let gray = GrayImage::from_vec(luma.to_vec(), self.width, self.height)?;
        let (width, height) = (u32::try_from(self.width)?, u32::try_from(self.height)?);
        let colour = RgbImage::from_raw(width, height, rgb).context("size of the frame")?;
        Ok(Some((gray, colour)))
    }
}

/// BT.601 full range, as in JPEG, with 16 fractional bits.
fn rgb_of(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let y = (i32::from(y) << 16) + (1 << 15);
    let (cb, cr) = (i32::from(cb) - 128, i32::from(cr) - 128);
    [y + 91_881 * cr, y - 22_554 * cb - 46_802 * cr, y + 116_130 * cb].map(|value| (value >> 16).clamp(0, 255) as u8)
}

fn fraction_of(text: &str) -> Option<(u32, u32)> {
    let (frames, secs) = text.split_once(':')?;
    let (frames, secs) = (frames.parse().ok()?, secs.parse().ok()?);
    (frames > 0 && secs > 0).then_some((frames, secs))
}

/// One text line without its end; `None` at the end of the stream.
fn line_of(from: &mut impl BufRead) -> anyhow::Result<Option<String>> {
    let mut line = Vec::new();
    from.take(MAX_LINE).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    ensure!(line.pop() == Some(b'\n'), "the stream is no YUV4MPEG2");
    Ok(Some(String::from_utf8(line)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn open(bytes: &[u8]) -> anyhow::Result<Option<Y4mReader<&[u8]>>> {
        Y4mReader::open(bytes)
    }

    #[test]
    fn frames_come_with_their_times() {
        let mut bytes = b"YUV4MPEG2 W2 H1 F30000:1001 Ip A1:1 C444 XYSCSS=444\n".to_vec();
        for luma in [10, 200] {
            bytes.extend_from_slice(b"FRAME Ip\n");
            bytes.extend_from_slice(&[luma, luma, 128, 128, 128, 128]);
        }
        let mut stream = open(&bytes).unwrap().unwrap();
        assert_eq!(stream.size(), (2, 1));
        assert_eq!(stream.time_of(30_000), Duration::from_secs(1001));
        let (gray, colour) = stream.next_frame().unwrap().unwrap();
        assert_eq!(gray.pixels(), [10, 10]);
        assert_eq!(colour.as_raw(), &[10; 6]);
        assert_eq!(stream.next_frame().unwrap().unwrap().0.pixels(), [200, 200]);
        assert!(stream.next_frame().unwrap().is_none());
    }

    #[test]
    fn colours_are_those_of_jpeg() {
        assert_eq!(rgb_of(76, 85, 255), [254, 0, 0]);
        assert_eq!(rgb_of(150, 44, 21), [0, 255, 1]);
        assert_eq!(rgb_of(29, 255, 107), [0, 0, 254]);
    }

    #[test]
    fn a_stream_that_never_starts_is_empty() {
        assert!(open(b"").unwrap().is_none());
    }

    #[test]
    fn broken_streams_are_errors() {
        for bytes in [
            &b"P6\n2 1\n255\n"[..],
            b"YUV4MPEG2 W2 H1 C420jpeg\n",
            b"YUV4MPEG2 W0 H1 C444\n",
            b"YUV4MPEG2 W99999999999 H99999999999 C444\n",
            b"YUV4MPEG2 Wx H1 C444\n",
            b"YUV4MPEG2",
            b"\xff\xfe\n",
            &[b'x'; 2000],
        ] {
            assert!(open(bytes).is_err(), "{bytes:?}");
        }
        let mut cut = open(b"YUV4MPEG2 W2 H1 C444\nFRAME\nabc").unwrap().unwrap();
        assert!(cut.next_frame().is_err());
        let mut lost = open(b"YUV4MPEG2 W2 H1 C444\nabcdefg\n").unwrap().unwrap();
        assert!(lost.next_frame().is_err());
    }
}
