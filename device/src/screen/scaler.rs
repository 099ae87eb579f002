//! Pictures brought to the size that the screen has for them.

use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::primitives::Rectangle;

/// Weights are whole numbers that add up to this.
const ONE: u32 = 1 << 12;

/// The source pixels that make one target pixel: the first, and the weight of each.
struct Taps {
    first: usize,
    weights: Vec<u32>,
}

/// Resamples pictures of one size to another: a triangle filter as wide as one target
/// pixel, so that shrinking averages and enlarging interpolates. Whole-number arithmetic.
pub struct Scaler {
    source: (usize, usize),
    target: (usize, usize),
    columns: Vec<Taps>,
    rows: Vec<Taps>,
    /// Source rows at target width.
    narrow: Vec<u8>,
}

impl Scaler {
    /// From `source` to `target` (width, height), all at least 1 px.
    pub fn new(source: (usize, usize), target: (usize, usize)) -> Self {
        Self { source, target, columns: taps(source.0, target.0), rows: taps(source.1, target.1), narrow: Vec::new() }
    }

    /// Whether this is the scaler from `source` to `target`.
    pub fn is_for(&self, source: (usize, usize), target: (usize, usize)) -> bool {
        (self.source, self.target) == (source, target)
    }

    /// Calls `take` with the number and the bytes of each target row. `pixels` holds
    /// packed source rows of `CHANNELS` bytes a pixel.
    pub fn run<const CHANNELS: usize>(&mut self, pixels: &[u8], mut take: impl FnMut(usize, &[u8])) {
        let width = self.target.0 * CHANNELS;
        self.narrow.clear();
        for row in pixels.chunks_exact(self.source.0 * CHANNELS) {
            for taps in &self.columns {
                let mut sums = [ONE / 2; CHANNELS];
                let values = row[taps.first * CHANNELS..].chunks_exact(CHANNELS);
                for (value, weight) in values.zip(&taps.weights) {
                    for (sum, value) in sums.iter_mut().zip(value) {
                        *sum += u32::from(*value) * weight;
                    }
                }
                self.narrow.extend(sums.map(|sum| (sum / ONE) as u8));
            }
        }
        let mut sums = vec![0_u32; width];
        let mut bytes = vec![0_u8; width];
        for (y, taps) in self.rows.iter().enumerate() {
            sums.fill(ONE / 2);
            let rows = self.narrow[taps.first * width..].chunks_exact(width);
            for (row, weight) in rows.zip(&taps.weights) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += u32::from(*value) * weight;
                }
            }
            for (byte, sum) in bytes.iter_mut().zip(&sums) {
                *byte = (sum / ONE) as u8;
            }
            take(y, &bytes);
        }
    }
}

/// The biggest rectangle in the middle of `area` with the proportions of a picture of
/// `width` x `height` px; `None` when either is empty.
pub fn letterbox(area: Rectangle, width: usize, height: usize) -> Option<Rectangle> {
    if width == 0 || height == 0 || area.is_zero_sized() {
        return None;
    }
    let (aw, ah) = (u64::from(area.size.width), u64::from(area.size.height));
    let (w, h) = (width as u64, height as u64);
    let (fit_w, fit_h) = if aw * h <= ah * w { (aw, (aw * h + w / 2) / w) } else { ((ah * w + h / 2) / h, ah) };
    let size = Size::new(fit_w.max(1) as u32, fit_h.max(1) as u32);
    let spare = area.size.saturating_sub(size);
    let shift = Point::new(spare.width as i32 / 2, spare.height as i32 / 2);
    Some(Rectangle::new(area.top_left + shift, size))
}

fn taps(source: usize, target: usize) -> Vec<Taps> {
    let scale = source as f64 / target as f64;
    let reach = scale.max(1.0);
    let one = |i: usize| {
        let centre = (i as f64 + 0.5) * scale;
        let first = (centre - reach).floor().max(0.0) as usize;
        let last = ((centre + reach).ceil() as usize).min(source);
        let raw: Vec<f64> = (first..last).map(|j| (1.0 - (j as f64 + 0.5 - centre).abs() / reach).max(0.0)).collect();
        let sum: f64 = raw.iter().sum();
        let mut weights: Vec<u32> = raw.iter().map(|weight| (weight / sum * f64::from(ONE)).round() as u32).collect();
        // Rounding must not make a flat picture lighter or darker: the heaviest evens it out.
        let rest = ONE as i64 - weights.iter().map(|w| i64::from(*w)).sum::<i64>();
        if let Some(heaviest) = weights.iter_mut().max() {
            *heaviest = (i64::from(*heaviest) + rest) as u32;
        }
        Taps { first, weights }
    };
    (0..target).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale<const N: usize>(pixels: &[u8], from: (usize, usize), to: (usize, usize)) -> Vec<u8> {
        let mut out = Vec::new();
        let mut scaler = Scaler::new(from, to);
        scaler.run::<N>(pixels, |_, row| out.extend_from_slice(row));
        out
    }

    #[test]
    fn equal_sizes_copy() {
        let pixels: Vec<u8> = (0..24).map(|i| i * 10).collect();
        assert_eq!(scale::<1>(&pixels, (6, 4), (6, 4)), pixels);
        assert_eq!(scale::<3>(&pixels, (4, 2), (4, 2)), pixels);
    }

    #[test]
    fn a_flat_picture_stays_flat_at_every_size() {
        for (to_w, to_h) in [(1, 1), (3, 7), (40, 31), (157, 3)] {
            let out = scale::<1>(&[203; 37 * 29], (37, 29), (to_w, to_h));
            assert_eq!(out, vec![203; to_w * to_h]);
        }
    }

    #[test]
    fn shrinking_averages() {
        let stripes: Vec<u8> = (0..64).map(|i| if i % 2 == 0 { 0 } else { 200 }).collect();
        for value in &scale::<1>(&stripes, (64, 1), (8, 1))[1..7] {
            assert!((95..=105).contains(value), "{value}");
        }
    }

    #[test]
    fn the_letterbox_keeps_proportions() {
        let area = Rectangle::new(Point::new(10, 20), Size::new(200, 100));
        let wide = letterbox(area, 640, 160);
        assert_eq!(wide, Some(Rectangle::new(Point::new(10, 45), Size::new(200, 50))));
        let tall = letterbox(area, 300, 600);
        assert_eq!(tall, Some(Rectangle::new(Point::new(85, 20), Size::new(50, 100))));
        assert_eq!(letterbox(area, 0, 5), None);
    }
}
