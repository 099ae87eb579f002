//! A panel that shows nothing.

use embedded_graphics::geometry::Size;
use embedded_graphics::primitives::Rectangle;

use super::Panel;
use crate::screen::canvas::Canvas;

/// Takes every picture and forgets it.
#[derive(Debug)]
pub struct NullPanel {
    size: Size,
}

impl NullPanel {
    /// A panel of `size` px.
    pub fn new(size: Size) -> Self {
        Self { size }
    }
}

impl Panel for NullPanel {
    fn size(&self) -> Size {
        self.size
    }

    fn flush(&mut self, _canvas: &Canvas, _changed: &[Rectangle]) -> anyhow::Result<()> {
        Ok(())
    }
}
