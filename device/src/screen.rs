//! What a person sees: drawn into RAM with embedded-graphics, sent by a panel.
//!
//! One screen fits panels from 128x64 to 1280x800 and beyond: [`layout`] decides where
//! each part goes, and one module draws each part.

pub mod annotate;
mod bars;
mod blur_meter;
pub mod canvas;
pub mod changes;
mod headline;
mod layout;
pub mod palette;
mod picture;
#[cfg(test)]
pub mod sample;
mod scaler;
pub mod shapes;
mod status;
pub mod test_card;
pub mod text;
mod timeline;
mod tiny;

#[cfg(test)]
mod golden;

use embedded_graphics::geometry::Size;

use self::canvas::Canvas;
use self::layout::Layout;
use self::picture::PictureView;
use self::status::Status;
use self::text::{Align, Style, Typesetter};
use self::timeline::Timeline;
use crate::frame::Frame;
use crate::reading::{FaceReading, Reading};

/// Another face takes over as the main one when its box is this much bigger.
const TAKE_OVER: f32 = 1.5;

/// Draws readings, one picture a frame.
pub struct Screen {
    canvas: Canvas,
    layout: Option<Layout>,
    text: Typesetter,
    picture: PictureView,
    timeline: Timeline,
    status: Status,
    /// The face whose scores, blur and timeline are shown.
    main: Option<u64>,
}

impl Screen {
    /// A screen for a panel of `size` px.
    pub fn new(size: Size) -> Self {
        Self {
            canvas: Canvas::new(size),
            layout: Layout::of(size),
            text: Typesetter::new(),
            picture: PictureView::default(),
            timeline: Timeline::default(),
            status: Status::default(),
            main: None,
        }
    }

    /// Draws one frame with its reading and hands the picture out.
    pub fn draw(&mut self, frame: &Frame, reading: &Reading) -> &Canvas {
        let main = main_face(&reading.faces, self.main);
        self.main = main.map(|face| face.id);
        self.timeline.add(reading.captured_at_ms, main);
        self.status.add(reading);

        let (canvas, text) = (&mut self.canvas, &mut self.text);
        let Some(layout) = &self.layout else {
            tiny::draw(canvas, main, reading, &self.status);
            return canvas;
        };
        shapes::fill(canvas, canvas.area(), palette::GROUND);
        let source = reading.source_name.as_deref();
        self.status.draw(canvas, text, layout, source);
        self.picture.draw(canvas, text, layout, frame, reading);
        Status::draw_warnings(canvas, text, layout, &self.status.warnings(main));
        headline::draw(canvas, text, layout, main, reading);
        if let Some(area) = layout.bars {
            bars::draw(canvas, text, layout, area, main);
        }
        blur_meter::draw(canvas, text, layout, main);
        self.timeline.draw(canvas, text, layout);
        canvas
    }

    /// Draws what is wrong in place of everything else.
    pub fn draw_notice(&mut self, notice: &str) -> &Canvas {
        let (canvas, text) = (&mut self.canvas, &mut self.text);
        let Some(layout) = &self.layout else {
            tiny::draw_notice(canvas, notice);
            return canvas;
        };
        let area = canvas.area();
        shapes::fill(canvas, area, palette::GROUND);
        let style = Style::bold(layout.px(NOTICE_PX), palette::WARNING);
        text.write(canvas, &format!("! {notice}"), style, area, Align::Centre);
        canvas
    }
}

/// Bold px of a notice on panels with room for sentences.
const NOTICE_PX: u32 = 22;

/// The face to show: the one shown before as long as it is there and no other is much
/// bigger, so that two people of one size do not take turns.
fn main_face(faces: &[FaceReading], before: Option<u64>) -> Option<&FaceReading> {
    let area = |face: &FaceReading| face.rect.width * face.rect.height;
    let biggest = faces.iter().max_by(|a, b| area(a).total_cmp(&area(b)))?;
    let kept = faces.iter().find(|face| Some(face.id) == before);
    Some(kept.filter(|kept| area(kept) * TAKE_OVER >= area(biggest)).unwrap_or(biggest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_face_stays_until_another_is_much_bigger() {
        let mut faces = sample::reading(2).faces;
        let id = |faces: &[FaceReading], before| main_face(faces, before).map(|face| face.id);
        assert_eq!(id(&faces, None), Some(7));
        assert_eq!(id(&faces, Some(9)), Some(7));
        faces[1].rect.width = 170.0;
        faces[1].rect.height = 170.0;
        assert_eq!(id(&faces, Some(9)), Some(9));
        assert_eq!(id(&[], Some(9)), None);
    }

    #[test]
    fn any_size_of_panel_and_any_reading_can_be_drawn() {
        let mut wild = sample::reading(2);
        wild.faces[0].rect.width = f32::INFINITY;
        wild.faces[0].scores[0].1 = f32::NAN;
        wild.faces[1].scores.clear();
        wild.faces[1].blur.value = f32::NAN;
        for side in [(1, 1), (7, 300), (300, 7), (128, 64), (200, 120), (240, 240), (333, 999)] {
            let size = Size::new(side.0, side.1);
            let mut screen = Screen::new(size);
            for reading in [sample::reading(0), sample::reading(2), wild.clone()] {
                let canvas = screen.draw(&sample::frame(100), &reading);
                assert_eq!(canvas.area().size, size);
            }
        }
    }
}
