//! A display driven through the kernel's mode setting (DRM/KMS): HDMI, DSI and SPI panels with a kernel
//! driver, where no desktop has them. One dumb buffer is shown, and what changes in it is flushed.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use anyhow::Context;
use drm::buffer::{Buffer, DrmFourcc};
use drm::control::dumbbuffer::DumbBuffer;
use drm::control::{ClipRect, Device as ControlDevice, Mode, ModeTypeFlags, connector, crtc, framebuffer};
use embedded_graphics::geometry::Size;
use embedded_graphics::primitives::Rectangle;

use super::Panel;
use crate::diagnostics::Problem;
use crate::numbered;
use crate::screen::canvas::Canvas;

/// Where the kernel puts its cards.
const FOLDER: &str = "/dev/dri";
/// XRGB8888: blue in the lowest byte.
const PIXEL_BYTES: usize = 4;
const PIXEL_BITS: u32 = 32;
const COLOUR_BITS: u32 = 24;

/// A display of a card, lit with a buffer of ours.
pub struct DrmPanel {
    card: Card,
    crtc: crtc::Handle,
    connector: connector::Handle,
    /// What was shown before, to be shown again.
    before: Option<crtc::Info>,
    buffer: DumbBuffer,
    framebuffer: framebuffer::Handle,
    /// The driver wants to be told what changed.
    is_told_changes: bool,
}

impl DrmPanel {
    /// Lights the first connected display of the card `node`; without one, of the first
    /// card that has any.
    ///
    /// # Errors
    /// The card cannot be opened, no display is connected, or somebody else has it.
    pub fn open(node: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(node) = node {
            return Self::light(Card::open(node)?);
        }
        let nodes = cards();
        let cards: Vec<_> = nodes.iter().map(|node| Card::open(node)).collect();
        let with_display = cards.iter().position(|card| card.as_ref().is_ok_and(|card| card.connected().is_ok()));
        // None has one: the last card says why, since the first may be one that only computes.
        match cards.into_iter().nth(with_display.unwrap_or(nodes.len().saturating_sub(1))) {
            Some(card) => Self::light(card?),
            None => Err(Problem::failure(format!("panel: there is no card in {FOLDER}"))
                .next_step(
                    "This machine has no display that the kernel drives. On a Raspberry Pi: \
                     dtoverlay=vc4-kms-v3d in /boot/firmware/config.txt. --panel fb may work without.",
                )
                .into()),
        }
    }

    fn light(card: Card) -> anyhow::Result<Self> {
        let (connector, mode) = card.connected()?;
        let name = card.node.display().to_string();
        let crtc = card.crtc_of(&connector).with_context(|| format!("panel {name}: {connector} has no controller"))?;
        let (width, height) = mode.size();
        let size = (width.into(), height.into());
        let buffer = card
            .create_dumb_buffer(size, DrmFourcc::Xrgb8888, PIXEL_BITS)
            .with_context(|| Problem::failure(format!("panel {name}: no memory for {width}x{height} px")))?;
        let framebuffer = card
            .add_framebuffer(&buffer, COLOUR_BITS, PIXEL_BITS)
            .with_context(|| Problem::failure(format!("panel {name} does not take 32 bits a pixel")))?;
        let before = card.get_crtc(crtc).ok();
        // From here on Drop cleans up.
        let connector = connector.handle();
        let panel = Self { card, crtc, connector, before, buffer, framebuffer, is_told_changes: true };
        panel.card.set_crtc(crtc, Some(framebuffer), (0, 0), &[connector], Some(mode)).map_err(|error| {
            let problem = Problem::failure(format!("panel {name} cannot be lit"));
            let problem = match error.kind() {
                io::ErrorKind::PermissionDenied => problem.next_step(
                    "Another program has the display, as a desktop does. Use --panel window inside of it, or end \
                     it: sudo systemctl isolate multi-user.target (graphical.target brings it back).",
                ),
                _ => problem,
            };
            anyhow::Error::new(error).context(problem)
        })?;
        Ok(panel)
    }
}

impl Panel for DrmPanel {
    fn size(&self) -> Size {
        let (width, height) = self.buffer.size();
        Size::new(width, height)
    }

    fn ends_with_program(&self) -> bool {
        true
    }

    fn flush(&mut self, canvas: &Canvas, changed: &[Rectangle]) -> anyhow::Result<()> {
        // The kernel refuses a list of no clips.
        if changed.is_empty() {
            return Ok(());
        }
        let problem = || Problem::failure(format!("panel {} does not take the picture", self.card.node.display()));
        let pitch = self.buffer.pitch() as usize;
        // A mapping borrows its buffer, so it is made for each picture; the card's memory stays.
        let mut mapping = self.card.map_dumb_buffer(&mut self.buffer).with_context(problem)?;
        for area in changed {
            put(canvas, *area, mapping.as_mut(), pitch);
        }
        drop(mapping);
        if !self.is_told_changes {
            return Ok(());
        }
        let clips: Vec<ClipRect> = changed.iter().filter_map(clip).collect();
        match self.card.dirty_framebuffer(self.framebuffer, &clips) {
            // Its display reads the buffer itself, all the time.
            Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
                self.is_told_changes = false;
                Ok(())
            }
            told => told.with_context(problem),
        }
    }
}

impl Drop for DrmPanel {
    /// Puts back what was there before. Where that is not possible nothing can be done
    /// about it: the kernel lets go of the rest when the card is closed.
    fn drop(&mut self) {
        if let Some(before) = self.before.take().filter(|before| before.framebuffer().is_some()) {
            let connectors = [self.connector];
            let _ = self.card.set_crtc(self.crtc, before.framebuffer(), before.position(), &connectors, before.mode());
        }
        let _ = self.card.destroy_framebuffer(self.framebuffer);
        let _ = self.card.destroy_dumb_buffer(self.buffer);
    }
}

/// Displays by their nodes, for a report: name and size in px of the one that would be lit.
///
/// # Errors
/// The card cannot be opened, or has no display.
pub fn look(node: &Path) -> anyhow::Result<(String, Size)> {
    let (connector, mode) = Card::open(node)?.connected()?;
    let (width, height) = mode.size();
    Ok((connector.to_string(), Size::new(width.into(), height.into())))
}

/// The nodes of all cards, by number.
pub fn cards() -> Vec<PathBuf> {
    numbered::paths(Path::new(FOLDER), "card")
}

/// A card that was opened.
struct Card {
    node: PathBuf,
    file: File,
}

impl AsFd for Card {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl drm::Device for Card {}
impl ControlDevice for Card {}

impl Card {
    fn open(node: &Path) -> anyhow::Result<Self> {
        let opened = OpenOptions::new().read(true).write(true).open(node);
        let file = opened.map_err(|error| {
            let step = match error.kind() {
                io::ErrorKind::PermissionDenied => {
                    "You must be in the groups video and render: sudo usermod -aG video,render $USER, then log in again."
                }
                _ => "`ls /dev/dri` lists the cards there are; --panel drm takes the first with a display.",
            };
            let problem = Problem::failure(format!("panel {} cannot be opened", node.display())).next_step(step);
            anyhow::Error::new(error).context(problem)
        })?;
        Ok(Self { node: node.into(), file })
    }

    /// The first connector with a display, and the mode that the display prefers.
    fn connected(&self) -> anyhow::Result<(connector::Info, Mode)> {
        let name = self.node.display();
        let resources = self
            .resource_handles()
            .with_context(|| Problem::failure(format!("panel {name} is no card that drives displays")))?;
        let all = resources.connectors().iter().filter_map(|connector| self.get_connector(*connector, true).ok());
        let all: Vec<connector::Info> = all.collect();
        let connected = |connector: &&connector::Info| connector.state() == connector::State::Connected;
        let found = all.iter().filter(connected).find_map(|found| Some((found.clone(), preferred(found.modes())?)));
        found.ok_or_else(|| {
            let names: Vec<String> = all.iter().map(ToString::to_string).collect();
            let there = if names.is_empty() { "it has no connector".into() } else { names.join(", ") };
            Problem::failure(format!("panel {name}: no display is connected ({there})"))
                .next_step("Plug one in and switch it on before Mien starts; HDMI is looked at once.")
                .into()
        })
    }

    /// The controller that may feed a connector: the one that does, or the first that can.
    fn crtc_of(&self, connector: &connector::Info) -> Option<crtc::Handle> {
        let resources = self.resource_handles().ok()?;
        let encoders = connector.current_encoder().into_iter().chain(connector.encoders().iter().copied());
        let encoders: Vec<_> = encoders.filter_map(|encoder| self.get_encoder(encoder).ok()).collect();
        let feeding = encoders.iter().find_map(|encoder| encoder.crtc());
        let able =
            encoders.iter().find_map(|encoder| resources.filter_crtcs(encoder.possible_crtcs()).first().copied());
        feeding.or(able)
    }
}

/// The mode that a display says it prefers, or its first.
fn preferred(modes: &[Mode]) -> Option<Mode> {
    let wanted = modes.iter().find(|mode| mode.mode_type().contains(ModeTypeFlags::PREFERRED));
    wanted.or(modes.first()).copied()
}

/// Copies `area` of the canvas into a buffer of XRGB8888 rows of `pitch` bytes.
fn put(canvas: &Canvas, area: Rectangle, bytes: &mut [u8], pitch: usize) {
    for y in area.rows() {
        let start = y as usize * pitch + area.top_left.x as usize * PIXEL_BYTES;
        let pixels = bytes[start..].chunks_exact_mut(PIXEL_BYTES);
        for (pixel, rgb) in pixels.zip(canvas.pixels_of(area, y)) {
            pixel.copy_from_slice(&[rgb[2], rgb[1], rgb[0], 0]);
        }
    }
}

/// A rectangle as the kernel has it: the far edges belong no more to it.
fn clip(area: &Rectangle) -> Option<ClipRect> {
    let side = |place: i32| u16::try_from(place).ok();
    let (columns, rows) = (area.columns(), area.rows());
    Some(ClipRect::new(side(columns.start)?, side(rows.start)?, side(columns.end)?, side(rows.end)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::{Arc, Mutex};

    use embedded_graphics::geometry::Point;

    use super::*;
    use crate::diagnostics::message;
    use crate::panel::suite::Subject;

    /// A buffer whose rows have bytes that are not seen, as those of cards do.
    struct FakeBuffer(Arc<Mutex<Vec<u8>>>);

    const SIZE: Size = Size::new(50, 41);
    const PITCH: usize = 256;

    impl Panel for FakeBuffer {
        fn size(&self) -> Size {
            SIZE
        }

        fn flush(&mut self, canvas: &Canvas, changed: &[Rectangle]) -> anyhow::Result<()> {
            let mut bytes = self.0.lock().unwrap();
            changed.iter().for_each(|area| put(canvas, *area, &mut bytes, PITCH));
            Ok(())
        }
    }

    #[test]
    fn the_buffer_has_the_picture() {
        let bytes = Arc::new(Mutex::new(vec![0x77; PITCH * 41]));
        let shown = || {
            let bytes = bytes.lock().unwrap();
            let rows = bytes.chunks(PITCH).flat_map(|row| row.as_chunks::<PIXEL_BYTES>().0[..50].to_vec());
            rows.flat_map(|[blue, green, red, _]| [red, green, blue]).collect()
        };
        let mut panel = FakeBuffer(bytes.clone());
        Subject { panel: &mut panel, shown: &shown, colour: |rgb| rgb }.shows_the_canvas_and_its_changes();
        assert!(bytes.lock().unwrap().chunks(PITCH).all(|row| row[4 * 50..].iter().all(|byte| *byte == 0x77)));
    }

    #[test]
    fn far_edges_of_clips_are_outside() {
        let clip = clip(&Rectangle::new(Point::new(3, 5), Size::new(10, 20))).unwrap();
        assert_eq!((clip.x1(), clip.y1(), clip.x2(), clip.y2()), (3, 5, 13, 25));
    }

    #[test]
    fn what_is_no_card_is_refused_with_a_next_step() {
        let folder = tempfile::tempdir().unwrap();
        let none = folder.path().join("card7");
        let text = message(&DrmPanel::open(Some(&none)).err().unwrap());
        assert!(text.contains("card7 cannot be opened") && text.contains("ls /dev/dri"), "{text}");
        std::fs::write(&none, "text").unwrap();
        let text = message(&DrmPanel::open(Some(&none)).err().unwrap());
        assert!(text.contains("card7 is no card that drives displays"), "{text}");
    }
}
