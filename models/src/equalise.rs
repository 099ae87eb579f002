//! Spreads the grey levels of a face: histogram equalisation, and the same in tiles with a limit (CLAHE: K. Zuiderveld,
//! "Contrast limited adaptive histogram equalization", Graphics Gems IV, 1994).

use crate::{Gray8, GrayImage};

const LEVELS: usize = 256;

/// What becomes of each grey level, 0..=255; never falling.
type Curve = [f32; LEVELS];

/// Spreads the grey levels over the full range, so that about equally many pixels have each. A flat picture stays as it is.
pub fn equalise(picture: Gray8<'_>) -> GrayImage {
    let counts = histogram(picture, 0..picture.width(), 0..picture.height());
    let all: f32 = counts.iter().sum();
    let darkest = counts.iter().copied().find(|&count| count > 0.0).unwrap_or(0.0);
    if all <= darkest {
        return picture.to_image();
    }
    let curve = running_sum(&counts).map(|sum| (sum - darkest).max(0.0) / (all - darkest) * 255.0);
    map(picture, |_, _, grey| curve[grey])
}

/// Spreads the grey levels of each of `tiles` x `tiles` tiles, in which no level counts with more pixels
/// than `clip_limit` times what it would have if all were equally frequent; in between the tiles' curves are blended by distance.
pub fn clahe(picture: Gray8<'_>, tiles: usize, clip_limit: f32) -> GrayImage {
    let (width, height) = (picture.width(), picture.height());
    let (columns, rows) = (tiles.clamp(1, width), tiles.clamp(1, height));
    let curve = |tile: usize| {
        let (column, row) = (tile % columns, tile / columns);
        let across = column * width / columns..(column + 1) * width / columns;
        let down = row * height / rows..(row + 1) * height / rows;
        limited_curve(&histogram(picture, across, down), clip_limit)
    };
    let curves: Vec<Curve> = (0..columns * rows).map(curve).collect();
    map(picture, |x, y, grey| {
        let (left, right, across) = neighbours(x, width, columns);
        let (upper, lower, down) = neighbours(y, height, rows);
        let at = |column: usize, row: usize| curves[row * columns + column][grey];
        let above = at(left, upper) + (at(right, upper) - at(left, upper)) * across;
        let below = at(left, lower) + (at(right, lower) - at(left, lower)) * across;
        above + (below - above) * down
    })
}

/// The tiles whose middles a pixel lies between, and how far it is on the way from the first to the second, 0..=1.
fn neighbours(at: usize, pixels: usize, tiles: usize) -> (usize, usize, f32) {
    let place = (at as f32 + 0.5) * tiles as f32 / pixels as f32 - 0.5;
    let place = place.clamp(0.0, tiles as f32 - 1.0);
    let first = place as usize;
    (first, (first + 1).min(tiles - 1), place - first as f32)
}

/// Equalisation where what levels have beyond the limit is shared out among all of them.
fn limited_curve(counts: &Curve, clip_limit: f32) -> Curve {
    let all: f32 = counts.iter().sum();
    let limit = clip_limit * all / LEVELS as f32;
    let excess: f32 = counts.iter().map(|count| (count - limit).max(0.0)).sum();
    let limited = counts.map(|count| count.min(limit) + excess / LEVELS as f32);
    running_sum(&limited).map(|sum| sum / all * 255.0)
}

fn histogram(picture: Gray8<'_>, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> Curve {
    let mut counts = [0.0; LEVELS];
    for y in rows {
        for &grey in &picture.row(y)[columns.clone()] {
            counts[usize::from(grey)] += 1.0;
        }
    }
    counts
}

fn running_sum(counts: &Curve) -> Curve {
    let mut sum = 0.0;
    counts.map(|count| {
        sum += count;
        sum
    })
}

/// Every pixel by its place and grey level.
fn map(picture: Gray8<'_>, level: impl Fn(usize, usize, usize) -> f32) -> GrayImage {
    let mut mapped = GrayImage::new(picture.width(), picture.height());
    for (y, row) in mapped.pixels_mut().chunks_exact_mut(picture.width()).enumerate() {
        for (x, (pixel, &grey)) in row.iter_mut().zip(picture.row(y)).enumerate() {
            // `as` saturates.
            *pixel = level(x, y, usize::from(grey)).round() as u8;
        }
    }
    mapped
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TILES: usize = 4;
    const CLIP_LIMIT: f32 = 2.0;

    /// Rings around the middle, and light from one side.
    fn rings(side: usize) -> GrayImage {
        let level = |at: usize| {
            let (x, y) = ((at % side) as f32 - side as f32 / 2.0, (at / side) as f32 - side as f32 / 2.0);
            (120.0 + 60.0 * ((x * x + y * y).sqrt() / 4.0).sin() + x).clamp(0.0, 255.0) as u8
        };
        GrayImage::from_vec((0..side * side).map(level).collect(), side, side).unwrap()
    }

    /// The same with a twentieth of its contrast.
    fn pale() -> GrayImage {
        let mut pale = rings(48);
        pale.pixels_mut().iter_mut().for_each(|pixel| *pixel = 120 + *pixel / 20);
        pale
    }

    /// Whether no pixel that was darker than another one is brighter now.
    fn keeps_order(before: &GrayImage, after: &GrayImage) -> bool {
        let mut pairs: Vec<(u8, u8)> = before.pixels().iter().copied().zip(after.pixels().iter().copied()).collect();
        pairs.sort_unstable();
        pairs.windows(2).all(|pair| pair[0].1 <= pair[1].1)
    }

    fn range(picture: &GrayImage) -> u8 {
        let darkest = picture.pixels().iter().min().copied().unwrap_or(0);
        picture.pixels().iter().max().copied().unwrap_or(0) - darkest
    }

    #[test]
    fn equalising_fills_the_range_in_order() {
        for picture in [rings(48), pale()] {
            let equalised = equalise(picture.view());
            assert!(keeps_order(&picture, &equalised));
            assert_eq!(range(&equalised), 255);
        }
        let flat = GrayImage::from_vec(vec![90; 100], 10, 10);
        assert!(flat.is_ok_and(|flat| equalise(flat.view()) == flat));
    }

    #[test]
    fn clahe_spreads_what_is_pale_within_its_limit() {
        let pale = pale();
        let clear = clahe(pale.view(), TILES, CLIP_LIMIT);
        assert_eq!((clear.width(), clear.height()), (48, 48));
        assert!(range(&clear) > range(&pale) && range(&clear) < range(&equalise(pale.view())));
        // With one tile there is one curve, which does not fall.
        let single = clahe(pale.view(), 1, CLIP_LIMIT);
        assert!(keeps_order(&pale, &single));
        // A limit of 1 lets no level stand out: nothing changes but the rounding.
        let barely = clahe(pale.view(), 1, 1.0);
        assert!(range(&barely) <= range(&pale) + 14, "{}", range(&barely));
    }

    #[test]
    fn more_tiles_than_pixels_are_as_many_as_pixels() {
        let tiny = GrayImage::new(3, 3);
        assert_eq!(clahe(tiny.view(), 8, 2.0).pixels().len(), 9);
    }
}
