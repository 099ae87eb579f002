//! What faces of the demo, and what is around them, are painted with.

use models::GrayImage;

/// Lets `paint` change the pixels within `reach` px of a point: it is given the distance
/// to the point and the old value, and returns the new one.
pub fn paint_around(picture: &mut GrayImage, centre: (f32, f32), reach: f32, paint: impl Fn(f32, f32, f32) -> f32) {
    let (width, height) = (picture.width(), picture.height());
    let range = |middle: f32, end: usize| {
        let first = (middle - reach).floor().max(0.0) as usize;
        first..((middle + reach).ceil().max(0.0) as usize).min(end)
    };
    let pixels = picture.pixels_mut();
    for y in range(centre.1, height) {
        for x in range(centre.0, width) {
            let pixel = &mut pixels[y * width + x];
            let (dx, dy) = (x as f32 + 0.5 - centre.0, y as f32 + 0.5 - centre.1);
            *pixel = gray_level(paint(dx, dy, f32::from(*pixel)));
        }
    }
}

/// Distance from the middle of an ellipse in its own radii: 1 on its line.
pub fn ellipse(x: f32, y: f32, rx: f32, ry: f32) -> f32 {
    ((x / rx).powi(2) + (y / ry).powi(2)).sqrt()
}

/// 0 below `from`, 1 above `to`, smooth between.
pub fn smooth_step(from: f32, to: f32, value: f32) -> f32 {
    let share = ((value - from) / (to - from)).clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}

/// Rounded, and held within what a pixel can be.
pub fn gray_level(value: f32) -> u8 {
    // The cast cuts off at both ends; `f32::round` would cost a call for each pixel.
    (value + 0.5) as u8
}

/// The pixel at `(x, y)`, which must be inside.
pub fn at(picture: &GrayImage, x: usize, y: usize) -> f32 {
    f32::from(picture.pixels()[y * picture.width() + x])
}
