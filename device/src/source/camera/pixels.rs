//! The bytes of a camera -> luma for reading, colour for showing.

use std::fmt;

use image::RgbImage;
use models::{GrayImage, Rgb8};
use serde::Deserialize;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Longest side of a picture that is believed, px.
const LONGEST_SIDE: usize = 16_384;

/// How a camera writes pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PixelFormat {
    /// Luma and chroma in turns, chroma for two pixels: Y0 U Y1 V.
    Yuyv,
    /// The same in the order U Y0 V Y1.
    Uyvy,
    /// A plane of luma, then one of U and V in turns for each square of four pixels.
    Nv12,
    /// Luma alone.
    Grey,
    /// A JPEG for each picture.
    Mjpeg,
}

impl PixelFormat {
    /// All of them, cheapest first.
    pub const ALL: [Self; 5] = [Self::Yuyv, Self::Uyvy, Self::Nv12, Self::Grey, Self::Mjpeg];

    /// V4L2's name.
    pub fn fourcc(self) -> [u8; 4] {
        *match self {
            Self::Yuyv => b"YUYV",
            Self::Uyvy => b"UYVY",
            Self::Nv12 => b"NV12",
            Self::Grey => b"GREY",
            Self::Mjpeg => b"MJPG",
        }
    }
}

/// How the bytes of a picture are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    format: PixelFormat,
    width: usize,
    height: usize,
    /// Bytes from one row of the first plane to the next.
    stride: usize,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.format.fourcc();
        write!(f, "{} {}x{}", name.escape_ascii(), self.width, self.height)
    }
}

impl Layout {
    /// A layout as a driver states it. Some leave `stride` at 0, which means no gap.
    ///
    /// # Errors
    /// Sizes that are no picture's.
    pub fn new(format: PixelFormat, width: usize, height: usize, stride: usize) -> Result<Self, String> {
        let row = match format {
            PixelFormat::Yuyv | PixelFormat::Uyvy => width.next_multiple_of(2).saturating_mul(2),
            PixelFormat::Nv12 | PixelFormat::Grey => width,
            PixelFormat::Mjpeg => 0,
        };
        let stride = if stride == 0 { row } else { stride };
        let sides = 2..=LONGEST_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) || stride < row || stride > 16 * LONGEST_SIDE {
            return Err(format!("it states pictures of {width}x{height} px with rows of {stride} bytes"));
        }
        Ok(Self { format, width, height, stride })
    }

    /// Bytes of a picture whose rows have no gap between them; `None` where every picture has its own.
    pub fn frame_bytes(&self) -> Option<usize> {
        match self.format {
            PixelFormat::Mjpeg => None,
            PixelFormat::Nv12 => Some(self.stride * (self.height + self.height.div_ceil(2))),
            PixelFormat::Yuyv | PixelFormat::Uyvy | PixelFormat::Grey => Some(self.stride * self.height),
        }
    }

    /// The luma plane of a picture, and its colours if they are wanted.
    ///
    /// # Errors
    /// Fewer bytes than the picture needs, or a damaged JPEG.
    pub fn decode(&self, bytes: &[u8], colour: bool) -> Result<(GrayImage, Option<RgbImage>), String> {
        match self.format {
            PixelFormat::Mjpeg => decode_jpeg(bytes, colour),
            PixelFormat::Grey => {
                let gray = self.luma(bytes, 1, 0, |luma| luma)?;
                Ok((gray, None))
            }
            PixelFormat::Nv12 => {
                let gray = self.luma(bytes, 1, 0, full_range)?;
                let chroma_at = self.stride * self.height;
                let rgb = colour.then(|| {
                    self.rgb(bytes, |x, y| {
                        let pair = chroma_at + y / 2 * self.stride + x / 2 * 2;
                        [y * self.stride + x, pair, pair + 1]
                    })
                });
                Ok((gray, rgb.transpose()?))
            }
            PixelFormat::Yuyv | PixelFormat::Uyvy => {
                // Where luma, U and V stand in the four bytes of two pixels.
                let [luma, u, v] = if self.format == PixelFormat::Yuyv { [0, 1, 3] } else { [1, 0, 2] };
                let gray = self.luma(bytes, 2, luma, full_range)?;
                let rgb = colour.then(|| {
                    self.rgb(bytes, |x, y| {
                        let pair = y * self.stride + x / 2 * 4;
                        [y * self.stride + 2 * x + luma, pair + u, pair + v]
                    })
                });
                Ok((gray, rgb.transpose()?))
            }
        }
    }

    /// Every `step`-th byte of each row from `first` on, through `level`.
    fn luma(&self, bytes: &[u8], step: usize, first: usize, level: fn(u8) -> u8) -> Result<GrayImage, String> {
        // The last row need not have the gap behind it.
        let needed = self.stride * (self.height - 1) + step * self.width;
        if bytes.len() < needed {
            return Err(format!("{} bytes came and {self} needs {needed}", bytes.len()));
        }
        let mut pixels = Vec::with_capacity(self.width * self.height);
        for row in bytes.chunks(self.stride).take(self.height) {
            pixels.extend(row.iter().skip(first).step_by(step).take(self.width).map(|&luma| level(luma)));
        }
        GrayImage::from_vec(pixels, self.width, self.height).map_err(|error| error.to_string())
    }

    /// Colours of BT.601 in its limited range; `places` says where the Y, U and V of a pixel are.
    fn rgb(&self, bytes: &[u8], places: impl Fn(usize, usize) -> [usize; 3]) -> Result<RgbImage, String> {
        let mut pixels = Vec::with_capacity(3 * self.width * self.height);
        for y in 0..self.height {
            for x in 0..self.width {
                let mut yuv = [0; 3];
                for (value, place) in yuv.iter_mut().zip(places(x, y)) {
                    *value =
                        *bytes.get(place).ok_or_else(|| format!("{} bytes are too few for {self}", bytes.len()))?;
                }
                pixels.extend_from_slice(&rgb_of(yuv));
            }
        }
        rgb_image(pixels, self.width, self.height)
    }
}

fn rgb_image(pixels: Vec<u8>, width: usize, height: usize) -> Result<RgbImage, String> {
    let sides = u32::try_from(width).ok().zip(u32::try_from(height).ok());
    sides
        .and_then(|(width, height)| RgbImage::from_raw(width, height, pixels))
        .ok_or_else(|| format!("a picture of {width}x{height} px is not usable"))
}

/// Luma of 16..=235, as cameras send it, spread over 0..=255.
fn full_range(luma: u8) -> u8 {
    let spread = (i32::from(luma) - 16) * 255 + 109;
    (spread / 219).clamp(0, 255) as u8
}

/// BT.601 with 8 fractional bits.
fn rgb_of([y, u, v]: [u8; 3]) -> [u8; 3] {
    let y = 298 * (i32::from(y) - 16) + 128;
    let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
    [y + 409 * v, y - 100 * u - 208 * v, y + 516 * u].map(|value| (value >> 8).clamp(0, 255) as u8)
}

fn decode_jpeg(bytes: &[u8], colour: bool) -> Result<(GrayImage, Option<RgbImage>), String> {
    const END: [u8; 2] = [0xff, 0xd9];
    // The decoder fills up with gray what does not come, in which a face would be missed without a word. Some cameras
    // pad the picture behind its end.
    if !bytes.windows(2).rev().any(|pair| pair == END) {
        return Err("a JPEG without its end".to_owned());
    }
    let bytes = &with_tables(bytes);
    let space = if colour { ColorSpace::RGB } else { ColorSpace::Luma };
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(LONGEST_SIDE)
        .set_max_height(LONGEST_SIDE)
        .jpeg_set_out_colorspace(space);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let pixels = decoder.decode().map_err(|error| format!("a damaged JPEG: {error}"))?;
    let (width, height) = decoder.dimensions().ok_or("a JPEG without a size")?;
    if !colour {
        return Ok((GrayImage::from_vec(pixels, width, height).map_err(|error| error.to_string())?, None));
    }
    let gray = Rgb8::packed(&pixels, width, height).map_err(|error| error.to_string())?.to_gray();
    Ok((gray, Some(rgb_image(pixels, width, height)?)))
}

/// Cameras may leave the Huffman tables out, which are always the same in MJPEG. A segment that
/// marks the picture as one of a video makes the decoder put them in.
fn with_tables(bytes: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    const START: [u8; 2] = [0xff, 0xd8];
    const TABLES: [u8; 2] = [0xff, 0xc4];
    const MARK: [u8; 18] = *b"\xff\xe0\x00\x10AVI1\0\0\0\0\0\0\0\0\0\0";
    if !bytes.starts_with(&START) || bytes.windows(2).any(|pair| pair == TABLES) {
        return bytes.into();
    }
    [&START[..], &MARK, &bytes[2..]].concat().into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;

    use super::*;

    const ALL_PLAIN: [PixelFormat; 4] = [PixelFormat::Yuyv, PixelFormat::Uyvy, PixelFormat::Nv12, PixelFormat::Grey];

    /// A 4x2 picture: Y of 16, 55, 94 and on, U 90, V 240, rows two bytes too long.
    fn sample(format: PixelFormat) -> (Layout, Vec<u8>) {
        let luma: Vec<u8> = (0..8).map(|index| 16 + 39 * (index % 6)).collect();
        let mut bytes = Vec::new();
        let mut gap = 2;
        for row in luma.chunks(4) {
            match format {
                PixelFormat::Yuyv => row.chunks(2).for_each(|pair| bytes.extend([pair[0], 90, pair[1], 240])),
                PixelFormat::Uyvy => row.chunks(2).for_each(|pair| bytes.extend([90, pair[0], 240, pair[1]])),
                _ => bytes.extend_from_slice(row),
            }
            bytes.extend(vec![99; gap]);
        }
        let stride = bytes.len() / 2;
        if format == PixelFormat::Nv12 {
            bytes.extend([90, 240, 90, 240]);
        } else {
            gap = bytes.len() - 2;
            bytes.truncate(gap);
        }
        (Layout::new(format, 4, 2, stride).unwrap(), bytes)
    }

    #[test]
    fn luma_is_spread_and_colour_is_that_of_bt_601() {
        for format in ALL_PLAIN {
            let (layout, bytes) = sample(format);
            let (gray, colour) = layout.decode(&bytes, true).unwrap();
            if format == PixelFormat::Grey {
                assert_eq!(gray.pixels(), [16, 55, 94, 133, 172, 211, 16, 55]);
                assert_eq!(colour, None);
                continue;
            }
            assert_eq!(gray.pixels(), [0, 45, 91, 136, 182, 227, 0, 45], "{format:?}");
            // 1.164 (Y - 16) + 1.596 (V - 128) and so on, at Y = 94.
            let pixel = colour.unwrap().get_pixel(2, 0).0;
            for (found, wanted) in pixel.into_iter().zip([255, 15, 14]) {
                assert!(i32::from(found).abs_diff(wanted) <= 1, "{format:?}: {pixel:?}");
            }
            assert_eq!(layout.decode(&bytes, false).unwrap().1, None);
        }
    }

    #[test]
    fn too_few_bytes_are_an_error_and_no_panic() {
        for format in ALL_PLAIN {
            let (layout, bytes) = sample(format);
            for length in 0..bytes.len() {
                assert!(layout.decode(&bytes[..length], true).is_err(), "{format:?} with {length} bytes");
            }
        }
        assert!(Layout::new(PixelFormat::Yuyv, 640, 480, 640).is_err());
        assert!(Layout::new(PixelFormat::Grey, 0, 480, 0).is_err());
        assert!(Layout::new(PixelFormat::Grey, 1 << 20, 480, 0).is_err());
    }

    fn jpeg() -> Vec<u8> {
        let picture = RgbImage::from_fn(32, 16, |x, y| image::Rgb([8 * x as u8, 16 * y as u8, 60]));
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(&picture).unwrap();
        bytes
    }

    /// The JPEG without its Huffman tables.
    fn without_tables(jpeg: &[u8]) -> Vec<u8> {
        let mut out = jpeg[..2].to_vec();
        let mut at = 2;
        while jpeg[at + 1] != 0xda {
            let length = 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
            if jpeg[at + 1] != 0xc4 {
                out.extend_from_slice(&jpeg[at..at + length]);
            }
            at += length;
        }
        out.extend_from_slice(&jpeg[at..]);
        out
    }

    #[test]
    fn mjpeg_is_read_with_its_tables_and_without() {
        let layout = Layout::new(PixelFormat::Mjpeg, 32, 16, 0).unwrap();
        let bytes = jpeg();
        let (gray, colour) = layout.decode(&bytes, true).unwrap();
        let luma_only = layout.decode(&bytes, false).unwrap();
        assert_eq!(luma_only.1, None);
        for (a, b) in gray.pixels().iter().zip(luma_only.0.pixels()) {
            assert!(a.abs_diff(*b) <= 3, "{a} {b}");
        }
        let bare = without_tables(&bytes);
        assert!(bare.len() < bytes.len());
        assert_eq!(layout.decode(&bare, true).unwrap(), (gray, colour));
    }

    #[test]
    fn a_damaged_jpeg_never_panics() {
        let layout = Layout::new(PixelFormat::Mjpeg, 32, 16, 0).unwrap();
        let bytes = jpeg();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x55;
            let _ = layout.decode(&damaged, at % 2 == 0);
        }
        assert!(layout.decode(b"", true).is_err());
        for at in 0..bytes.len() {
            assert!(layout.decode(&bytes[..at], at % 2 == 0).is_err(), "{at} bytes of {}", bytes.len());
        }
        assert!(layout.decode(&[&bytes[..], &[0; 40]].concat(), true).is_ok());
    }
}
