//! Where things go on panels of different sizes and shapes.

use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::primitives::Rectangle;

/// Below this width or height there is room for big text only.
const TINY: Size = Size::new(128, 100);
/// Design units smaller than this make letters that nobody reads.
const LEAST_UNIT: f32 = 0.8;

/// The areas of the parts of the screen. What there is no room for is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Size of one design unit in px, at least 1 on panels from 240x240.
    pub unit: f32,
    /// Figures about the run: frames a second, stage times, dropped frames.
    pub status: Rectangle,
    /// The camera's picture.
    pub picture: Rectangle,
    /// The expression of the main face, in the biggest letters of all.
    pub headline: Rectangle,
    /// The score of every expression.
    pub bars: Option<Rectangle>,
    /// Side by side columns of bars.
    pub bar_columns: u32,
    /// Blur meter and the model in use.
    pub blur: Rectangle,
    /// The last minute.
    pub timeline: Rectangle,
    /// Where warnings cover what is below, from the lower edge on.
    pub warnings: Rectangle,
    /// Whether there is room for what is good to know but not needed.
    pub roomy: bool,
}

impl Layout {
    /// The layout of a panel of `size` px; `None` where only big text fits.
    pub fn of(size: Size) -> Option<Self> {
        let (width, height) = (size.width as f32, size.height as f32);
        if size.width < TINY.width || size.height < TINY.height {
            return None;
        }
        let layout = if width < 1.2 * height {
            Self::tall(size, width / 240.0)
        } else if size.width < 600 || size.height < 360 {
            Self::compact(size, (width / 320.0).min(height / 240.0))
        } else {
            Self::wide(size, (width / 800.0).min(height / 480.0))
        };
        if layout.unit >= LEAST_UNIT {
            return Some(layout);
        }
        Some(Self::small(size, (width / 160.0).min(height / 128.0).max(LEAST_UNIT)))
    }

    /// 800x480 and up: the picture at the left, readings at its right, the timeline below.
    fn wide(size: Size, unit: f32) -> Self {
        let mut rest = Cutter::new(size, unit, 12, 8);
        let status = rest.top(26);
        let timeline = rest.bottom(66);
        // The picture takes what its height allows at 4:3, but leaves the readings room.
        let tall = rest.area.size.height;
        let readings = (284.0 * unit) as u32 + rest.gap;
        let width = (tall * 4 / 3).min(rest.area.size.width.saturating_sub(readings));
        let picture = rest.left_px(width);
        let headline = rest.top(78);
        let blur = rest.bottom(98);
        Self {
            unit,
            status,
            picture,
            headline,
            bars: Some(rest.area),
            bar_columns: 1,
            blur,
            timeline,
            warnings: lower_half(picture),
            roomy: true,
        }
    }

    /// 320x240: the same with less of everything, and the bars in two columns.
    fn compact(size: Size, unit: f32) -> Self {
        let mut rest = Cutter::new(size, unit, 4, 4);
        let status = rest.bottom(13);
        let timeline = rest.bottom(22);
        let bars = rest.bottom(60);
        let tall = rest.area.size.height;
        let readings = (132.0 * unit) as u32 + rest.gap;
        let width = (tall * 4 / 3).min(rest.area.size.width.saturating_sub(readings));
        let picture = rest.left_px(width);
        let headline = rest.top(62);
        Self {
            unit,
            status,
            picture,
            headline,
            bars: Some(bars),
            bar_columns: 2,
            blur: rest.area,
            timeline,
            warnings: lower_half(picture),
            roomy: false,
        }
    }

    /// 160x128 and 240x135: no bars, and a picture that only shows who is meant.
    fn small(size: Size, unit: f32) -> Self {
        let mut rest = Cutter::new(size, unit, 2, 2);
        let headline = rest.top(28);
        let status = rest.bottom(13);
        let timeline = rest.bottom(20);
        let tall = rest.area.size.height;
        let readings = (74.0 * unit) as u32 + rest.gap;
        let width = (tall * 4 / 3).min(rest.area.size.width.saturating_sub(readings));
        let picture = rest.left_px(width);
        Self {
            unit,
            status,
            picture,
            headline,
            bars: None,
            bar_columns: 1,
            blur: rest.area,
            timeline,
            warnings: status,
            roomy: false,
        }
    }

    /// Upright and square panels: everything below the picture.
    fn tall(size: Size, unit: f32) -> Self {
        let mut rest = Cutter::new(size, unit, 4, 4);
        let status = rest.bottom(13);
        let timeline = rest.bottom(22);
        let needed = (60.0 + 32.0 + 54.0 + 12.0) * unit;
        let spare = rest.area.size.height as f32 - needed;
        let bars = (spare > 80.0 * unit).then(|| rest.bottom(60));
        let blur = rest.bottom(54);
        let headline = rest.bottom(32);
        let picture = rest.area;
        Self {
            unit,
            status,
            picture,
            headline,
            bars,
            bar_columns: 2,
            blur,
            timeline,
            warnings: lower_half(picture),
            roomy: false,
        }
    }

    /// `units` design units in px, rounded, at least 1.
    pub fn px(&self, units: u32) -> u32 {
        px(self.unit, units)
    }
}

fn lower_half(area: Rectangle) -> Rectangle {
    let height = area.size.height / 2;
    let down = (area.size.height - height) as i32;
    Rectangle::new(area.top_left + Point::new(0, down), Size::new(area.size.width, height))
}

/// `units` design units of `unit` px each in px, rounded, at least 1.
pub fn px(unit: f32, units: u32) -> u32 {
    (units as f32 * unit).round().max(1.0) as u32
}

/// Cuts strips off the edges of an area, a gap apart.
#[derive(Clone, Debug)]
pub struct Cutter {
    /// What is left.
    pub area: Rectangle,
    /// Space left free after each cut, in px.
    pub gap: u32,
    unit: f32,
}

impl Cutter {
    /// The whole of a panel less a margin; `margin` and `gap` in design units.
    fn new(size: Size, unit: f32, margin: u32, gap: u32) -> Self {
        let area = Rectangle::new(Point::zero(), size).offset(-(px(unit, margin) as i32));
        Self::of(area, unit, px(unit, gap))
    }

    /// Cuts up `area`, with `gap` px between the parts.
    pub fn of(area: Rectangle, unit: f32, gap: u32) -> Self {
        Self { area, gap, unit }
    }

    /// The upper `units`.
    pub fn top(&mut self, units: u32) -> Rectangle {
        let height = px(self.unit, units).min(self.area.size.height);
        let cut = Rectangle::new(self.area.top_left, Size::new(self.area.size.width, height));
        let used = (height + self.gap).min(self.area.size.height);
        self.area.top_left.y += used as i32;
        self.area.size.height -= used;
        cut
    }

    /// The lower `units`.
    pub fn bottom(&mut self, units: u32) -> Rectangle {
        let height = px(self.unit, units).min(self.area.size.height);
        let above = self.area.size.height - height;
        let cut =
            Rectangle::new(self.area.top_left + Point::new(0, above as i32), Size::new(self.area.size.width, height));
        self.area.size.height = above.saturating_sub(self.gap);
        cut
    }

    /// The left `units`.
    pub fn left(&mut self, units: u32) -> Rectangle {
        self.left_px(px(self.unit, units))
    }

    /// The left `width` px.
    pub fn left_px(&mut self, width: u32) -> Rectangle {
        let width = width.min(self.area.size.width);
        let cut = Rectangle::new(self.area.top_left, Size::new(width, self.area.size.height));
        let used = (width + self.gap).min(self.area.size.width);
        self.area.top_left.x += used as i32;
        self.area.size.width -= used;
        cut
    }

    /// The right `width` px.
    pub fn right_px(&mut self, width: u32) -> Rectangle {
        let width = width.min(self.area.size.width);
        let before = self.area.size.width - width;
        let cut =
            Rectangle::new(self.area.top_left + Point::new(before as i32, 0), Size::new(width, self.area.size.height));
        self.area.size.width = before.saturating_sub(self.gap);
        cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Panels that people have, from small SPI ones to desk screens.
    const PANELS: [(u32, u32); 15] = [
        (128, 128),
        (128, 160),
        (160, 128),
        (220, 176),
        (240, 135),
        (240, 240),
        (240, 320),
        (320, 240),
        (480, 320),
        (480, 800),
        (640, 480),
        (800, 480),
        (1024, 600),
        (1280, 720),
        (1280, 800),
    ];

    #[test]
    fn parts_fill_the_panel_and_do_not_overlap() {
        for (width, height) in PANELS {
            let size = Size::new(width, height);
            let Some(layout) = Layout::of(size) else {
                panic!("{width}x{height} has room");
            };
            let l = &layout;
            let mut parts = vec![l.status, l.picture, l.headline, l.blur, l.timeline];
            parts.extend(l.bars);
            let whole = Rectangle::new(Point::zero(), size);
            for (i, part) in parts.iter().enumerate() {
                assert!(!part.is_zero_sized(), "{width}x{height}: part {i} is empty");
                assert_eq!(part.intersection(&whole), *part, "{width}x{height}: part {i}");
                for other in &parts[..i] {
                    assert!(part.intersection(other).is_zero_sized(), "{width}x{height}: {part:?} meets {other:?}");
                }
            }
            let share = (l.picture.size.width * l.picture.size.height) as f32;
            let share = share / (width * height) as f32;
            let least = if width < 240 || height < 240 { 0.14 } else { 0.24 };
            assert!(share > least, "{width}x{height}: the picture has {share:.2}");
            assert!(l.unit >= LEAST_UNIT, "{width}x{height}: {}", l.unit);
        }
    }

    #[test]
    fn small_panels_get_big_text_only() {
        for (width, height) in [(128, 64), (128, 32), (160, 80), (84, 48)] {
            assert_eq!(Layout::of(Size::new(width, height)), None);
        }
    }
}
