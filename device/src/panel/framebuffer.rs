//! A framebuffer of the Linux kernel: HDMI and DSI displays, and SPI panels with a kernel driver.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use embedded_graphics::geometry::Size;
use embedded_graphics::primitives::Rectangle;

use super::Panel;
use crate::diagnostics::Problem;
use crate::screen::canvas::Canvas;

/// Writes through the file, row by row: no driver needs its memory mapped for that.
#[derive(Debug)]
pub struct FramebufferPanel {
    node: PathBuf,
    file: File,
    size: Size,
    pixels: PixelLayout,
    /// Bytes from one row to the next, and of what is above and left of the visible part.
    stride: u64,
    start: u64,
    row: Vec<u8>,
}

/// Where red, green and blue stand in a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PixelLayout {
    bytes: usize,
    channels: [Channel; 3],
}

/// A channel's place in a pixel: its lowest bit, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Channel {
    offset: u32,
    bits: u32,
}

impl PixelLayout {
    /// `None` for what is no true-colour layout of 16, 24 or 32 bits.
    fn new(bits_per_pixel: u32, channels: [Channel; 3]) -> Option<Self> {
        let fits =
            |channel: &Channel| (1..=8).contains(&channel.bits) && channel.offset <= bits_per_pixel - channel.bits;
        let is_known = matches!(bits_per_pixel, 16 | 24 | 32);
        (is_known && channels.iter().all(fits)).then_some(Self { bytes: bits_per_pixel as usize / 8, channels })
    }

    /// The bytes of a pixel, the lowest first, in front of what is not used.
    fn pack(&self, rgb: &[u8]) -> [u8; 4] {
        let channels = self.channels.iter().zip(rgb);
        let value = channels
            .fold(0, |value, (channel, &level)| value | u32::from(level >> (8 - channel.bits)) << channel.offset);
        value.to_le_bytes()
    }
}

impl FramebufferPanel {
    /// Opens a framebuffer and asks for its size and pixels.
    ///
    /// # Errors
    /// It is not there, may not be written, or has pixels of another kind.
    pub fn open(node: &Path) -> anyhow::Result<Self> {
        let problem = || {
            Problem::failure(format!("panel {} cannot be used", node.display())).next_step(
                "Is a display connected, and are you in the group video (sudo usermod -aG video $USER)? \
                 --panel none goes without.",
            )
        };
        let file = OpenOptions::new().read(true).write(true).open(node).with_context(problem)?;
        let (variable, fixed) = ask(&file).with_context(problem)?;
        let [_, _, _, _, x_offset, y_offset, bits_per_pixel, ..] = variable.0;
        // red, green, blue: offset, length and "most significant bit right" each.
        let channel = |first: usize| Channel { offset: variable.0[first], bits: variable.0[first + 1] };
        let pixels = PixelLayout::new(bits_per_pixel, [channel(8), channel(11), channel(14)])
            .with_context(|| {
                format!("it has {bits_per_pixel} bits a pixel, and only 16, 24 and 32 in true colour work")
            })
            .with_context(problem)?;
        let stride = u64::from(fixed.line_length);
        let size = Size::new(variable.0[0], variable.0[1]);
        if size.width == 0 || size.height == 0 || u64::from(size.width) * pixels.bytes as u64 > stride {
            let cause = format!("it states {}x{} px in rows of {stride} bytes", size.width, size.height);
            return Err(anyhow::anyhow!(cause).context(problem()));
        }
        let start = u64::from(y_offset) * stride + u64::from(x_offset) * pixels.bytes as u64;
        Ok(Self { node: node.into(), file, size, pixels, stride, start, row: Vec::new() })
    }
}

impl Panel for FramebufferPanel {
    fn size(&self) -> Size {
        self.size
    }

    fn flush(&mut self, canvas: &Canvas, changed: &[Rectangle]) -> anyhow::Result<()> {
        for area in changed {
            for y in area.rows() {
                self.row.clear();
                for pixel in canvas.pixels_of(*area, y) {
                    self.row.extend_from_slice(&self.pixels.pack(pixel)[..self.pixels.bytes]);
                }
                let left = area.top_left.x as u64 * self.pixels.bytes as u64;
                let at = self.start + y as u64 * self.stride + left;
                self.file
                    .write_all_at(&self.row, at)
                    .with_context(|| format!("panel {} does not take the picture", self.node.display()))?;
            }
        }
        Ok(())
    }
}

/// `struct fb_var_screeninfo`: 40 numbers, beginning with the visible and the virtual size.
#[repr(C)]
struct Variable([u32; 40]);

/// `struct fb_fix_screeninfo`.
#[repr(C)]
#[derive(Default)]
struct Fixed {
    id: [u8; 16],
    memory_start: libc::c_ulong,
    memory_length: u32,
    kind: u32,
    kind_aux: u32,
    visual: u32,
    steps: [u16; 3],
    line_length: u32,
    mmio_start: libc::c_ulong,
    mmio_length: u32,
    accelerator: u32,
    capabilities: u16,
    reserved: [u16; 2],
}

const FBIOGET_VSCREENINFO: u32 = 0x4600;
const FBIOGET_FSCREENINFO: u32 = 0x4602;

fn ask(file: &File) -> io::Result<(Variable, Fixed)> {
    let mut variable = Variable([0; 40]);
    let mut fixed = Fixed::default();
    // SAFETY: the kernel writes one structure of exactly this layout behind the pointer.
    let asked = unsafe { libc::ioctl(file.as_raw_fd(), FBIOGET_VSCREENINFO as _, &raw mut variable) };
    if asked == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above.
    let asked = unsafe { libc::ioctl(file.as_raw_fd(), FBIOGET_FSCREENINFO as _, &raw mut fixed) };
    if asked == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok((variable, fixed))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use embedded_graphics::geometry::Point;
    use embedded_graphics::pixelcolor::Rgb888;

    use super::*;
    use crate::panel::suite::Subject;
    use crate::screen::shapes;

    fn channels(places: [(u32, u32); 3]) -> [Channel; 3] {
        places.map(|(offset, bits)| Channel { offset, bits })
    }

    #[test]
    fn pixels_are_packed_as_the_driver_states() {
        let pack = |bits, places, count| {
            PixelLayout::new(bits, channels(places)).unwrap().pack(&[0xff, 0x80, 0x08])[..count].to_vec()
        };
        assert_eq!(pack(32, [(16, 8), (8, 8), (0, 8)], 4), [0x08, 0x80, 0xff, 0]);
        assert_eq!(pack(24, [(0, 8), (8, 8), (16, 8)], 3), [0xff, 0x80, 0x08]);
        // RGB565: 11111 100000 00001.
        assert_eq!(pack(16, [(11, 5), (5, 6), (0, 5)], 2), [0x01, 0xfc]);
        assert_eq!(PixelLayout::new(8, channels([(0, 8); 3])), None);
        assert_eq!(PixelLayout::new(16, channels([(11, 6), (5, 6), (0, 5)])), None);
        assert_eq!(PixelLayout::new(32, channels([(0, 0); 3])), None);
    }

    /// A file of a screen of 4x3 px with rows of 10 bytes, one row and one px scrolled away.
    fn panel(file: File) -> FramebufferPanel {
        FramebufferPanel {
            node: "fb".into(),
            file,
            size: Size::new(4, 3),
            pixels: PixelLayout::new(16, channels([(11, 5), (5, 6), (0, 5)])).unwrap(),
            stride: 10,
            start: 12,
            row: Vec::new(),
        }
    }

    #[test]
    fn only_the_changed_part_is_written_where_it_belongs() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(60).unwrap();
        let mut panel = panel(file.try_clone().unwrap());
        let mut canvas = Canvas::new(panel.size());
        let area = canvas.area();
        shapes::fill(&mut canvas, area, Rgb888::new(255, 255, 255));
        panel.flush(&canvas, &[Rectangle::new(Point::new(2, 1), Size::new(2, 1))]).unwrap();
        let mut bytes = [0; 60];
        file.read_exact_at(&mut bytes, 0).unwrap();
        let written: Vec<usize> = (0..60).filter(|&at| bytes[at] == 0xff).collect();
        assert_eq!(written, [26, 27, 28, 29]);
        panel.flush(&canvas, &[canvas.area()]).unwrap();
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(bytes.iter().filter(|&&byte| byte == 0xff).count(), 24);
    }

    #[test]
    fn every_depth_passes_the_suite_and_leaves_the_rest_alone() {
        let depths =
            [(16, [(11, 5), (5, 6), (0, 5)]), (24, [(16, 8), (8, 8), (0, 8)]), (32, [(0, 8), (8, 8), (16, 8)])];
        for (bits, places) in depths {
            let pixels = PixelLayout::new(bits, channels(places)).unwrap();
            let size = Size::new(40, 33);
            // Rows are longer than what is seen of them, and some of them are scrolled away.
            let (stride, start) = (40 * pixels.bytes as u64 + 12, 500);
            let file = tempfile::tempfile().unwrap();
            let whole = vec![0x77; (start + 34 * stride) as usize];
            file.write_all_at(&whole, 0).unwrap();
            let read = || {
                let mut bytes = whole.clone();
                file.read_exact_at(&mut bytes, 0).unwrap();
                bytes
            };
            let shown = || {
                let bytes = read();
                let pixel = |(x, y): (usize, usize)| {
                    let at = start as usize + y * stride as usize + x * pixels.bytes;
                    let mut value = [0; 4];
                    value[..pixels.bytes].copy_from_slice(&bytes[at..at + pixels.bytes]);
                    let value = u32::from_le_bytes(value);
                    pixels.channels.map(|Channel { offset, bits }| ((value >> offset) << (8 - bits)) as u8)
                };
                (0..33).flat_map(|y| (0..40).map(move |x| (x, y))).flat_map(pixel).collect()
            };
            let node = "fb".into();
            let file = file.try_clone().unwrap();
            let mut panel = FramebufferPanel { node, file, size, pixels, stride, start, row: Vec::new() };
            let colour = if bits == 16 { |[r, g, b]: [u8; 3]| [r & 0xf8, g & 0xfc, b & 0xf8] } else { |rgb| rgb };
            Subject { panel: &mut panel, shown: &shown, colour }.shows_the_canvas_and_its_changes();
            let bytes = read();
            let is_seen = |at: usize| {
                let (row, column) =
                    ((at as u64).wrapping_sub(start) / stride, (at as u64).wrapping_sub(start) % stride);
                at as u64 >= start && row < 33 && column < 40 * pixels.bytes as u64
            };
            assert!((0..bytes.len()).all(|at| is_seen(at) || bytes[at] == 0x77), "{bits}");
        }
    }

    #[test]
    fn what_is_no_framebuffer_is_refused_with_a_next_step() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fb0");
        for make in [false, true] {
            if make {
                std::fs::write(&path, "text").unwrap();
            }
            let text = crate::diagnostics::message(&FramebufferPanel::open(&path).unwrap_err());
            assert!(text.contains("fb0 cannot be used") && text.contains("group video"), "{text}");
        }
    }

    #[cfg(target_pointer_width = "64")]
    #[test]
    fn layouts_are_those_of_the_header() {
        assert_eq!((size_of::<Variable>(), size_of::<Fixed>()), (160, 80));
        assert_eq!(std::mem::offset_of!(Fixed, line_length), 48);
    }
}
