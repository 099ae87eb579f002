//! An animated GIF.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use embedded_graphics::geometry::{OriginDimensions, Size};
use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, RgbaImage};

use super::{Tape, expect_size};
use crate::frame::Frame;
use crate::output::WholeFile;
use crate::panel::png::machine_error;
use crate::screen::canvas::Canvas;

/// Of 1 (best colours) to 30 (fastest).
const SPEED: i32 = 10;
/// How long the last frame stays, and one that states no time.
const LAST: Duration = Duration::from_millis(50);
/// Browsers slow down what claims to be faster.
const SHORTEST: Duration = Duration::from_millis(20);

/// Saves an animation that repeats for ever.
pub struct Animation {
    path: PathBuf,
    file: Rc<RefCell<Option<WholeFile>>>,
    encoder: Option<GifEncoder<Shared>>,
    /// The newest frame waits until the next one tells how long it stays.
    waiting: Option<(RgbaImage, Duration)>,
    size: Size,
}

/// The file, lent to an encoder that does not give it back.
struct Shared(Rc<RefCell<Option<WholeFile>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut *self.0.borrow_mut() {
            Some(file) => file.write(bytes),
            None => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Animation {
    /// Begins the file.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let file = Rc::new(RefCell::new(Some(WholeFile::create(path)?)));
        let mut encoder = GifEncoder::new_with_speed(Shared(Rc::clone(&file)), SPEED);
        encoder
            .set_repeat(Repeat::Infinite)
            .map_err(machine_error)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self { path: path.to_path_buf(), file, encoder: Some(encoder), waiting: None, size: Size::zero() })
    }

    /// Writes the frame that waits; it stays for `stay`.
    fn write_waiting(&mut self, stay: Duration) -> anyhow::Result<()> {
        let (Some((picture, _)), Some(encoder)) = (self.waiting.take(), &mut self.encoder) else {
            return Ok(());
        };
        let delay = Delay::from_saturating_duration(stay.max(SHORTEST));
        encoder
            .encode_frame(image::Frame::from_parts(picture, 0, 0, delay))
            .map_err(machine_error)
            .with_context(|| format!("{} cannot be written", self.path.display()))
    }
}

impl Tape for Animation {
    fn add(&mut self, canvas: &Canvas, frame: &Frame) -> anyhow::Result<()> {
        if let Some((_, since)) = &self.waiting {
            expect_size(self.size, canvas, frame, &self.path)?;
            let stay = frame.captured_at.saturating_sub(*since);
            self.write_waiting(if stay.is_zero() { LAST } else { stay })?;
        }
        self.size = canvas.size();
        let rgba = canvas.pixels().chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]);
        let picture = RgbaImage::from_vec(self.size.width, self.size.height, rgba.collect())
            .context("a frame has not as many pixels as it says")?;
        self.waiting = Some((picture, frame.captured_at));
        Ok(())
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        if self.waiting.is_none() {
            // A source without a frame: there is nothing to save.
            return Ok(());
        }
        self.write_waiting(LAST)?;
        // Dropping the encoder writes the trailer into the buffer; finishing the file tells
        // whether that went well.
        self.encoder = None;
        self.file.borrow_mut().take().map_or(Ok(()), WholeFile::finish)
    }
}
