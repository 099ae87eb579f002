//! Pictures: borrowed views with a row stride, an owned gray picture, and geometry in
//! pixels. Coordinates start at the top left; pixel (x, y) covers [x, x+1) x [y, y+1).

use serde::{Deserialize, Serialize};

use crate::ImageError;

/// Checks that `bytes` hold `height` rows of `row_bytes`, `stride` bytes apart. The last
/// row may end early, as cameras deliver it.
fn check_layout(bytes: usize, width: usize, height: usize, channels: usize, stride: usize) -> Result<(), ImageError> {
    let bad_size = ImageError::BadSize { width, height };
    if width == 0 || height == 0 {
        return Err(bad_size);
    }
    let row_bytes = width.checked_mul(channels).ok_or(bad_size.clone())?;
    if stride < row_bytes {
        return Err(ImageError::ShortStride { stride, row_bytes });
    }
    let expected = stride.checked_mul(height - 1).and_then(|n| n.checked_add(row_bytes)).ok_or(bad_size)?;
    if bytes < expected {
        return Err(ImageError::WrongLength { width, height, found: bytes, expected });
    }
    Ok(())
}

/// A borrowed 8-bit gray picture; rows are `stride` bytes apart.
#[derive(Copy, Clone, Debug)]
pub struct Gray8<'a> {
    pixels: &'a [u8],
    width: usize,
    height: usize,
    stride: usize,
}

impl<'a> Gray8<'a> {
    /// A view of `width` x `height` pixels whose rows start `stride` bytes apart.
    ///
    /// # Errors
    /// A side of 0, a stride shorter than a row, or too few bytes. More bytes than
    /// needed are fine: camera buffers have padding.
    pub fn new(pixels: &'a [u8], width: usize, height: usize, stride: usize) -> Result<Self, ImageError> {
        check_layout(pixels.len(), width, height, 1, stride)?;
        Ok(Self { pixels, width, height, stride })
    }

    /// A view of rows without padding.
    ///
    /// # Errors
    /// As [`Gray8::new`].
    pub fn packed(pixels: &'a [u8], width: usize, height: usize) -> Result<Self, ImageError> {
        Self::new(pixels, width, height, width)
    }

    /// Width in pixels, at least 1.
    pub fn width(self) -> usize {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(self) -> usize {
        self.height
    }

    /// Distance between the starts of two rows, in bytes.
    pub fn stride(self) -> usize {
        self.stride
    }

    /// Row `y`, `width` bytes.
    ///
    /// # Panics
    /// If `y` is not below the height.
    pub fn row(self, y: usize) -> &'a [u8] {
        let start = y * self.stride;
        &self.pixels[start..start + self.width]
    }

    /// Pixel (x, y).
    ///
    /// # Panics
    /// If it lies outside of the picture.
    pub fn get(self, x: usize, y: usize) -> u8 {
        self.row(y)[x]
    }

    /// What of `rect` lies inside of the picture, by whole pixels, and where its left top corner is; `None` if nothing.
    pub fn part(self, rect: &PixelRect) -> Option<(Self, usize, usize)> {
        // A negative number and NaN become 0, and one that is too large the greatest there is.
        let (left, top) = (rect.x as usize, rect.y as usize);
        let right = ((rect.x + rect.width) as usize).min(self.width);
        let bottom = ((rect.y + rect.height) as usize).min(self.height);
        if left >= right || top >= bottom {
            return None;
        }
        let pixels = &self.pixels[top * self.stride + left..];
        Some((Self { pixels, width: right - left, height: bottom - top, stride: self.stride }, left, top))
    }

    /// A packed copy.
    pub fn to_image(self) -> GrayImage {
        let mut pixels = Vec::with_capacity(self.width * self.height);
        for y in 0..self.height {
            pixels.extend_from_slice(self.row(y));
        }
        GrayImage { pixels, width: self.width, height: self.height }
    }
}

/// A borrowed 8-bit RGB picture, three bytes a pixel; rows are `stride` bytes apart.
#[derive(Copy, Clone, Debug)]
pub struct Rgb8<'a> {
    pixels: &'a [u8],
    width: usize,
    height: usize,
    stride: usize,
}

impl<'a> Rgb8<'a> {
    /// A view of `width` x `height` pixels whose rows start `stride` bytes apart.
    ///
    /// # Errors
    /// As [`Gray8::new`], a row being `3 * width` bytes.
    pub fn new(pixels: &'a [u8], width: usize, height: usize, stride: usize) -> Result<Self, ImageError> {
        check_layout(pixels.len(), width, height, 3, stride)?;
        Ok(Self { pixels, width, height, stride })
    }

    /// A view of rows without padding.
    ///
    /// # Errors
    /// As [`Rgb8::new`].
    pub fn packed(pixels: &'a [u8], width: usize, height: usize) -> Result<Self, ImageError> {
        Self::new(pixels, width, height, width.saturating_mul(3))
    }

    /// Width in pixels, at least 1.
    pub fn width(self) -> usize {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(self) -> usize {
        self.height
    }

    /// Distance between the starts of two rows, in bytes.
    pub fn stride(self) -> usize {
        self.stride
    }

    /// Row `y`, `3 * width` bytes: R, G, B, R, ...
    ///
    /// # Panics
    /// If `y` is not below the height.
    pub fn row(self, y: usize) -> &'a [u8] {
        let start = y * self.stride;
        &self.pixels[start..start + 3 * self.width]
    }

    /// The Rec. 601 luma, with the 16-bit integer weights and the rounding of libjpeg,
    /// so that it agrees with the gray that a JPEG of the same picture carries.
    pub fn to_gray(self) -> GrayImage {
        let mut pixels = Vec::with_capacity(self.width * self.height);
        for y in 0..self.height {
            pixels.extend(self.row(y).as_chunks::<3>().0.iter().map(|&[r, g, b]| {
                let luma = 19_595 * u32::from(r) + 38_470 * u32::from(g) + 7_471 * u32::from(b);
                ((luma + 0x8000) >> 16) as u8
            }));
        }
        GrayImage { pixels, width: self.width, height: self.height }
    }
}

/// An owned 8-bit gray picture without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrayImage {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
}

impl GrayImage {
    /// A black picture.
    ///
    /// # Panics
    /// If a side is 0. Sizes that come from outside go through [`GrayImage::from_vec`].
    pub fn new(width: usize, height: usize) -> Self {
        assert!(width > 0 && height > 0, "a picture needs at least one pixel");
        Self { pixels: vec![0; width * height], width, height }
    }

    /// Takes `width * height` bytes, row after row.
    ///
    /// # Errors
    /// A side of 0, or any other number of bytes.
    pub fn from_vec(pixels: Vec<u8>, width: usize, height: usize) -> Result<Self, ImageError> {
        check_layout(pixels.len(), width, height, 1, width)?;
        if pixels.len() != width * height {
            return Err(ImageError::WrongLength { width, height, found: pixels.len(), expected: width * height });
        }
        Ok(Self { pixels, width, height })
    }

    /// The whole picture as a view.
    pub fn view(&self) -> Gray8<'_> {
        Gray8 { pixels: &self.pixels, width: self.width, height: self.height, stride: self.width }
    }

    /// Width in pixels, at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All pixels, row after row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// All pixels, row after row.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }
}

/// A point in a picture, in pixels.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PixelPoint {
    /// Distance from the left edge.
    pub x: f32,
    /// Distance from the top edge.
    pub y: f32,
}

/// An upright rectangle in a picture, in pixels; parts of it may lie outside.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PixelRect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl PixelRect {
    /// The middle.
    pub fn center(&self) -> PixelPoint {
        PixelPoint { x: self.x + 0.5 * self.width, y: self.y + 0.5 * self.height }
    }

    /// Square pixels covered; 0 for a rectangle turned inside out.
    pub fn area(&self) -> f32 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    /// Area that both cover, px squared.
    pub fn shared_area(&self, other: &PixelRect) -> f32 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        width.max(0.0) * height.max(0.0)
    }

    /// Intersection over union with `other`, 0 to 1; 0 where both are empty.
    pub fn iou(&self, other: &PixelRect) -> f32 {
        let shared = self.shared_area(other);
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_view_reads_what_lies_at_its_stride(
            width in 1usize..20, height in 1usize..20, padding in 0usize..7, seed: u8,
        ) {
            let stride = width + padding;
            let bytes: Vec<u8> = (0..stride * height).map(|i| (i as u8).wrapping_mul(31) ^ seed).collect();
            // The padding of the last row may be missing.
            let view = Gray8::new(&bytes[..bytes.len() - padding], width, height, stride).unwrap();
            let image = view.to_image();
            for y in 0..height {
                prop_assert_eq!(view.row(y), &bytes[y * stride..y * stride + width]);
                for x in 0..width {
                    prop_assert_eq!(image.view().get(x, y), bytes[y * stride + x]);
                }
            }
        }

        #[test]
        fn a_part_shows_the_same_pixels(
            x in -30f32..30.0, y in -30f32..30.0, width in -5f32..40.0, height in -5f32..40.0,
        ) {
            let bytes: Vec<u8> = (0..23 * 17).map(|i| i as u8).collect();
            let whole = Gray8::new(&bytes, 20, 17, 23).unwrap();
            let Some((part, left, top)) = whole.part(&PixelRect { x, y, width, height }) else { return Ok(()) };
            prop_assert!(left + part.width() <= 20 && top + part.height() <= 17);
            prop_assert!(part.width() as f32 <= width + 1.0 && part.height() as f32 <= height + 1.0);
            for row in 0..part.height() {
                prop_assert_eq!(part.row(row), &whole.row(top + row)[left..left + part.width()]);
            }
        }

        #[test]
        fn sizes_that_do_not_fit_are_errors_not_panics(
            len in 0usize..300, width: usize, height: usize, stride: usize, small in 0usize..20,
        ) {
            let bytes = vec![0u8; len];
            for (w, h, s) in [(width, height, stride), (small, height, stride), (small, small, small)] {
                if let Ok(view) = Gray8::new(&bytes, w, h, s) {
                    prop_assert_eq!(view.row(h - 1).len(), w);
                }
                if let Ok(view) = Rgb8::new(&bytes, w, h, s) {
                    prop_assert_eq!(view.row(h - 1).len(), 3 * w);
                }
                let _ = Rgb8::packed(&bytes, w, h);
                let _ = GrayImage::from_vec(bytes.clone(), w, h);
            }
        }

        #[test]
        fn overlap_is_symmetric_and_at_most_one(
            a in prop::array::uniform4(-50f32..50.0), b in prop::array::uniform4(-50f32..50.0),
        ) {
            let rect = |r: [f32; 4]| PixelRect { x: r[0], y: r[1], width: r[2], height: r[3] };
            let (a, b) = (rect(a), rect(b));
            prop_assert_eq!(a.iou(&b), b.iou(&a));
            prop_assert!((0.0..=1.0001).contains(&a.iou(&b)));
            if a.width > 0.1 && a.height > 0.1 {
                prop_assert!((a.iou(&a) - 1.0).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn luma_has_the_weights_of_rec_601() {
        let rgb = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 7, 7, 7];
        let gray = Rgb8::packed(&rgb, 5, 1).unwrap().to_gray();
        assert_eq!(gray.pixels(), [76, 150, 29, 255, 7]);
    }

    #[test]
    fn messages_name_the_sizes() {
        let error = Gray8::packed(&[0; 10], 4, 3).unwrap_err().to_string();
        assert!(error.contains("10 bytes") && error.contains("12"), "{error}");
        assert!(Gray8::new(&[0; 10], 4, 2, 3).is_err());
    }
}
