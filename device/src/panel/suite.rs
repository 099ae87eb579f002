//! What every panel has to do, as tests that each driver runs on what stands in for its hardware.

pub mod wires;

use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::primitives::Rectangle;

use super::Panel;
use crate::screen::canvas::Canvas;
use crate::screen::{changes, shapes, test_card};

/// A panel, and a look at its glass.
pub struct Subject<'a> {
    /// The panel.
    pub panel: &'a mut dyn Panel,
    /// What it shows, as [`Canvas::pixels`] has it.
    pub shown: &'a dyn Fn() -> Vec<u8>,
    /// What a colour becomes on this panel.
    pub colour: fn([u8; 3]) -> [u8; 3],
}

impl Subject<'_> {
    fn expect(&self, canvas: &Canvas, when: &str) {
        let wanted: Vec<u8> = canvas.pixels().as_chunks().0.iter().flat_map(|rgb| (self.colour)(*rgb)).collect();
        let shown = (self.shown)();
        assert_eq!(shown.len(), wanted.len(), "{when}: of another size");
        let width = 3 * canvas.size().width as usize;
        if let Some(at) = (0..wanted.len()).find(|at| shown[*at] != wanted[*at]) {
            let place = (at % width / 3, at / width);
            panic!("{when}: differs at {place:?}: {} for {}", shown[at], wanted[at]);
        }
    }

    /// The whole picture, and then every part of it that changes, is shown as it is.
    pub fn shows_the_canvas_and_its_changes(&mut self) {
        let size = self.panel.size();
        let mut canvas = test_card::draw(size);
        self.panel.flush(&canvas, &[canvas.area()]).unwrap();
        self.expect(&canvas, "at first");
        for (number, part) in parts(size).into_iter().enumerate() {
            let before = canvas.clone();
            for (index, area) in part.iter().enumerate() {
                let level = (60 * (number + index) + 90) as u8;
                shapes::fill(&mut canvas, *area, Rgb888::new(level, 255 - level, level / 2));
            }
            self.panel.flush(&canvas, &changes::between(&canvas, &before)).unwrap();
            self.expect(&canvas, &format!("after change {number}"));
        }
        self.panel.flush(&canvas, &[]).unwrap();
        self.expect(&canvas, "after no change");
    }

    /// After an error the whole picture can be sent again.
    pub fn recovers(&mut self, breaks: &dyn Fn(bool)) {
        let canvas = test_card::draw(self.panel.size());
        breaks(true);
        let area = Rectangle::new(Point::zero(), Size::new(5, 9));
        let error = self.panel.flush(&canvas, &[area]).unwrap_err();
        assert!(format!("{error:#}").contains("panel"), "{error:#}");
        breaks(false);
        self.panel.flush(&canvas, &[canvas.area()]).unwrap();
        self.expect(&canvas, "after an error");
    }
}

/// Changes at edges, in corners, of single pixels, and of several areas at once.
fn parts(size: Size) -> Vec<Vec<Rectangle>> {
    let (width, height) = (size.width as i32, size.height as i32);
    let at = |x, y, width, height| Rectangle::new(Point::new(x, y), Size::new(width, height));
    vec![
        vec![at(0, 0, 1, 1)],
        vec![at(width - 1, height - 1, 1, 1)],
        vec![at(3, height / 2, size.width - 4, 3)],
        vec![at(width / 2, 1, 1, size.height - 1)],
        vec![at(1, 2, 5, 9), at(width - 7, height - 5, 4, 5), at(width / 2, 0, 2, 2)],
        vec![at(0, 0, size.width, size.height)],
    ]
}

/// The panel that the others are measured by: it is nothing but what it shows.
struct Memory(std::sync::Arc<std::sync::Mutex<Canvas>>);

impl Panel for Memory {
    fn size(&self) -> Size {
        self.0.lock().unwrap().size()
    }

    fn flush(&mut self, canvas: &Canvas, changed: &[Rectangle]) -> anyhow::Result<()> {
        let mut shown = self.0.lock().unwrap();
        for area in changed {
            for y in area.rows() {
                let row: Vec<u8> = canvas.pixels_of(*area, y).flatten().copied().collect();
                shown.put_row(Point::new(area.top_left.x, y), &row);
            }
        }
        Ok(())
    }
}

#[test]
fn the_fake_passes() {
    let glass = std::sync::Arc::new(std::sync::Mutex::new(Canvas::new(Size::new(61, 47))));
    let shown = || glass.lock().unwrap().pixels().to_vec();
    let mut panel = Memory(glass.clone());
    Subject { panel: &mut panel, shown: &shown, colour: |rgb| rgb }.shows_the_canvas_and_its_changes();
}
