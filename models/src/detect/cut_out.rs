//! Pictures that are one face cut out: no detector finds a face that fills its picture.

use crate::image::{Gray8, GrayImage};

/// A picture with a shorter side is taken for one face cut out, and gets a border.
const CUT_OUT_PX: usize = 100;

/// Whether `picture` is so small that it is taken for one face cut out.
pub(super) fn is_cut_out(picture: Gray8<'_>) -> bool {
    picture.width().min(picture.height()) < CUT_OUT_PX
}

/// `image` with `border` px of its mean gray on each side: an edge would be taken for a feature.
pub(super) fn with_border(image: &GrayImage, border: usize) -> GrayImage {
    let (width, height) = (image.width(), image.height());
    let sum: u64 = image.pixels().iter().map(|&p| u64::from(p)).sum();
    let mean = (sum / (width * height) as u64) as u8;
    let full = width + 2 * border;
    let mut out = GrayImage::new(full, height + 2 * border);
    out.pixels_mut().fill(mean);
    let inside = out.pixels_mut().chunks_exact_mut(full).skip(border);
    for (target, row) in inside.zip(image.pixels().chunks_exact(width)) {
        target[border..border + width].copy_from_slice(row);
    }
    out
}
