//! Upright resizing of gray pictures, for the detectors: exact area averages when shrinking, so
//! that fine texture does not alias, and bilinear interpolation when enlarging. What makes each pixel
//! of its column and what of its row is all that there is to it, so that anything of that kind can be
//! sampled by [`blend`].

use crate::image::{Gray8, GrayImage};

/// The source pixels that one destination pixel is made of, along one axis.
pub(crate) struct Taps {
    /// The first of them.
    pub first: usize,
    /// What each counts, from the first on; together 1.
    pub weights: Vec<f32>,
}

impl Taps {
    /// Behind the last source pixel.
    fn end(&self) -> usize {
        self.first + self.weights.len()
    }
}

/// `picture` resized to `width` x `height` px (at least 1 each); each axis on its own, the aspect
/// ratio is the caller's.
pub fn resize(picture: Gray8<'_>, width: usize, height: usize) -> GrayImage {
    let (width, height) = (width.max(1), height.max(1));
    blend(picture, &taps(picture.width(), width), &taps(picture.height(), height))
}

/// A picture of a pixel for each of `columns` and each of `rows`, made of those of `picture` that the two name; taps go from
/// left to right, and down.
pub(crate) fn blend(picture: Gray8<'_>, columns: &[Taps], rows: &[Taps]) -> GrayImage {
    let mut out = GrayImage::new(columns.len(), rows.len());
    let (Some(first), Some(last)) = (columns.first(), columns.last()) else { return out };
    let (start, end) = (first.first, last.end());
    let mut blended = vec![0.0f32; end - start];
    for (row, target) in rows.iter().zip(out.pixels_mut().chunks_exact_mut(columns.len())) {
        blended.fill(0.0);
        for (offset, &weight) in row.weights.iter().enumerate() {
            let source = &picture.row(row.first + offset)[start..end];
            for (sum, &pixel) in blended.iter_mut().zip(source) {
                *sum += weight * f32::from(pixel);
            }
        }
        for (column, pixel) in columns.iter().zip(target) {
            let source = &blended[column.first - start..column.end() - start];
            let sum: f32 = source.iter().zip(&column.weights).map(|(v, w)| v * w).sum();
            *pixel = (sum + 0.5) as u8;
        }
    }
    out
}

/// Weights (sum 1) of every destination pixel of an axis that goes from `from` to `to` pixels.
fn taps(from: usize, to: usize) -> Vec<Taps> {
    let step = from as f64 / to as f64;
    let last = from - 1;
    (0..to)
        .map(|i| {
            if step > 1.0 {
                let (start, end) = (i as f64 * step, (i + 1) as f64 * step);
                let first = (start as usize).min(last);
                let stop = (end.ceil() as usize).clamp(first + 1, from);
                let covered = |p: usize| (end.min((p + 1) as f64) - start.max(p as f64)).max(0.0);
                let total: f64 = (first..stop).map(covered).sum();
                let weights = (first..stop).map(|p| (covered(p) / total) as f32).collect();
                Taps { first, weights }
            } else {
                let centre = ((i as f64 + 0.5) * step - 0.5).clamp(0.0, last as f64);
                let first = centre as usize;
                let share = (centre - first as f64) as f32;
                let weights = if first == last { vec![1.0] } else { vec![1.0 - share, share] };
                Taps { first, weights }
            }
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn halving_averages_blocks_of_four() {
        let pixels = [10, 20, 100, 104, 30, 40, 108, 112];
        let picture = Gray8::packed(&pixels, 4, 2).unwrap();
        assert_eq!(resize(picture, 2, 1).pixels(), [25, 106]);
    }

    #[test]
    fn shrinking_by_a_fraction_weighs_by_area() {
        let picture = Gray8::packed(&[0, 90, 180], 3, 1).unwrap();
        assert_eq!(resize(picture, 2, 1).pixels(), [30, 150]);
    }

    #[test]
    fn enlarging_interpolates_and_repeats_the_edges() {
        let picture = Gray8::packed(&[0, 100], 2, 1).unwrap();
        assert_eq!(resize(picture, 4, 1).pixels(), [0, 25, 75, 100]);
    }

    #[test]
    fn the_same_size_is_the_same_picture_whatever_the_stride() {
        let pixels: Vec<u8> = (0..35).collect();
        let picture = Gray8::new(&pixels, 5, 5, 7).unwrap();
        assert_eq!(resize(picture, 5, 5), picture.to_image());
    }

    #[test]
    fn a_checkerboard_shrinks_to_flat_gray() {
        let pixels: Vec<u8> = (0..64 * 64).map(|i| if (i + i / 64) % 2 == 0 { 0 } else { 255 }).collect();
        let small = resize(Gray8::packed(&pixels, 64, 64).unwrap(), 16, 16);
        assert!(small.pixels().iter().all(|p| (127..=128).contains(p)));
    }

    #[test]
    fn odd_sizes_do_not_panic() {
        let picture = GrayImage::new(1, 1);
        assert_eq!(resize(picture.view(), 7, 3).pixels().len(), 21);
        assert_eq!(resize(picture.view(), 0, 3).pixels().len(), 3);
        assert_eq!(resize(GrayImage::new(997, 3).view(), 101, 1).pixels().len(), 101);
    }
}
