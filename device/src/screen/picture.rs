//! The camera's picture with boxes and labels.

use embedded_graphics::geometry::Point;
use embedded_graphics::primitives::Rectangle;

use super::annotate::{self, Marker};
use super::canvas::Canvas;
use super::layout::Layout;
use super::scaler::{Scaler, letterbox};
use super::text::Typesetter;
use super::{palette, shapes};
use crate::frame::Frame;
use crate::reading::Reading;

/// Pictures of fewer design units across have no captions at their faces.
const LEAST_CAPTIONED: u32 = 110;

/// Draws pictures; keeps the tables for the size that they had last.
#[derive(Default)]
pub struct PictureView {
    scaler: Option<Scaler>,
    row: Vec<u8>,
}

impl PictureView {
    /// Draws the frame with its faces into the picture area of the layout.
    pub fn draw(
        &mut self,
        canvas: &mut Canvas,
        text: &mut Typesetter,
        layout: &Layout,
        frame: &Frame,
        reading: &Reading,
    ) {
        shapes::fill(canvas, layout.picture, palette::BACKING);
        let (width, height) = (frame.gray.width(), frame.gray.height());
        let Some(area) = letterbox(layout.picture, width, height) else {
            return;
        };
        self.copy(canvas, frame, area);
        let marker = Marker { px: layout.px(if layout.roomy { 18 } else { 13 }), line: layout.px(2) };
        // The biggest face comes first: it is drawn last, above the others.
        for face in reading.faces.iter().rev() {
            let place = annotate::place(face.rect, width, area);
            let caption = annotate::caption(face);
            // On a picture of a thumb's size it would cover the face.
            let lines: &[String] = if area.size.width < layout.px(LEAST_CAPTIONED) { &[] } else { &[caption] };
            marker.face(canvas, text, area, place, face, lines);
        }
    }

    fn copy(&mut self, canvas: &mut Canvas, frame: &Frame, area: Rectangle) {
        let from = (frame.gray.width(), frame.gray.height());
        let to = (area.size.width as usize, area.size.height as usize);
        if !self.scaler.as_ref().is_some_and(|s| s.is_for(from, to)) {
            self.scaler = None;
        }
        let scaler = self.scaler.get_or_insert_with(|| Scaler::new(from, to));
        let at = |y: usize| area.top_left + Point::new(0, y as i32);
        // A source that states a colour picture of another size is not trusted with it.
        let colour = frame.colour.as_ref().filter(|colour| (colour.width() as usize, colour.height() as usize) == from);
        if let Some(colour) = colour {
            scaler.run::<3>(colour.as_raw(), |y, rgb| canvas.put_row(at(y), rgb));
        } else {
            let row = &mut self.row;
            scaler.run::<1>(frame.gray.pixels(), |y, gray| {
                row.clear();
                row.extend(gray.iter().flat_map(|value| [*value; 3]));
                canvas.put_row(at(y), row);
            });
        }
    }
}
