//! Where the screen is shown. A panel gets finished pictures; only it can fail.

mod choice;
mod courier;
pub mod drm;
pub mod framebuffer;
pub mod null;
pub mod oled;
pub mod png;
mod sink;
pub mod spi;
#[cfg(test)]
mod suite;
pub mod window;
pub mod wiring;

use embedded_graphics::geometry::Size;
use embedded_graphics::primitives::Rectangle;

pub use self::choice::PanelChoice;
pub use self::sink::PanelSink;
use crate::screen::canvas::Canvas;

/// Something that shows pictures of one size.
pub trait Panel: Send {
    /// Its size in px.
    fn size(&self) -> Size;

    /// Shows `canvas`, which has the panel's size. `changed` are rectangles inside of it
    /// that hold every pixel that differs from the picture shown before; they do not
    /// overlap. Where that is not known, at the start and after an error, the whole
    /// canvas is given. There are none where nothing changed: this is called for every
    /// frame all the same.
    ///
    /// # Errors
    /// When the panel does not take the picture; the error names the panel.
    fn flush(&mut self, canvas: &Canvas, changed: &[Rectangle]) -> anyhow::Result<()>;

    /// Whether a picture takes so long to send that nothing else should wait for it.
    fn is_slow(&self) -> bool {
        false
    }

    /// Whether the picture goes when the program does.
    fn ends_with_program(&self) -> bool {
        false
    }

    /// Waits until what was flushed is shown.
    ///
    /// # Errors
    /// It could not be shown.
    fn settle(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
}
