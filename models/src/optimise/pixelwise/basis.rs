//! Into the basis in which a convolution is a product, and back: `B^T d B`, `G g G^T` and `A^T m A` of Lavin and Gray 2016,
//! section 4, for tiles of `OUT` = 2 or 4 pixels of the output, which need `IN` = 4 or 6 of the input.

use std::array::from_fn;
use std::ops::Range;

use pulp::Simd;

use super::Size;
use super::grid::Grid;
use super::vectors::{FILTERS, Finish};

/// Numbers of a filter, 3 x 3 by rows, in the basis for tiles of `side` pixels.
pub fn of_filter(weights: &[f32; 9], side: usize) -> impl Iterator<Item = f32> {
    // Of four numbers or six.
    let line = move |[a, b, c]: [f64; 3]| match side {
        2 => [a, (a + b + c) / 2.0, (a - b + c) / 2.0, c, 0.0, 0.0],
        _ => {
            let [even, odd] = [a + 4.0 * c, 2.0 * b];
            [a / 4.0, -(a + b + c) / 6.0, -(a - b + c) / 6.0, (even + odd) / 24.0, (even - odd) / 24.0, c]
        }
    };
    let columns: [[f64; 6]; 3] = from_fn(|x| line(from_fn(|y| weights[3 * y + x].into())));
    let rows = (0..side + 2).map(move |y| line(from_fn(|x| columns[x][y])));
    rows.flat_map(move |row| row.into_iter().take(side + 2)).map(|number| number as f32)
}

/// A row or a column of the input.
#[inline(always)]
fn enter_line<S: Simd, const IN: usize>(simd: S, line: [S::f32s; IN]) -> [S::f32s; IN] {
    let (four, minus_five) = (simd.splat_f32s(4.0), simd.splat_f32s(-5.0));
    let mut entered = line;
    match (&line[..], &mut entered[..]) {
        (&[a, b, c, d], entered) => {
            entered.copy_from_slice(&[
                simd.sub_f32s(a, c),
                simd.add_f32s(b, c),
                simd.sub_f32s(c, b),
                simd.sub_f32s(b, d),
            ]);
        }
        (&[a, b, c, d, e, f], entered) => {
            let minus_four = simd.splat_f32s(-4.0);
            let [even, odd] = [simd.mul_add_f32s(minus_four, c, e), simd.mul_add_f32s(minus_four, b, d)];
            let [near, far] = [simd.sub_f32s(e, c), simd.sub_f32s(d, b)];
            let twice = simd.add_f32s(far, far);
            entered.copy_from_slice(&[
                simd.mul_add_f32s(four, a, simd.mul_add_f32s(minus_five, c, e)),
                simd.add_f32s(even, odd),
                simd.sub_f32s(even, odd),
                simd.add_f32s(near, twice),
                simd.sub_f32s(near, twice),
                simd.mul_add_f32s(four, b, simd.mul_add_f32s(minus_five, d, f)),
            ]);
        }
        _ => {}
    }
    entered
}

/// A row or a column of products.
#[inline(always)]
fn leave_line<S: Simd, const IN: usize, const OUT: usize>(simd: S, line: [S::f32s; IN]) -> [S::f32s; OUT] {
    let mut left = [simd.splat_f32s(0.0); OUT];
    match (&line[..], &mut left[..]) {
        (&[a, b, c, d], left) => {
            left.copy_from_slice(&[simd.add_f32s(simd.add_f32s(a, b), c), simd.sub_f32s(simd.sub_f32s(b, c), d)]);
        }
        (&[a, b, c, d, e, f], left) => {
            let (two, four, eight) = (simd.splat_f32s(2.0), simd.splat_f32s(4.0), simd.splat_f32s(8.0));
            let [near, near_odd] = [simd.add_f32s(b, c), simd.sub_f32s(b, c)];
            let [far, far_odd] = [simd.add_f32s(d, e), simd.sub_f32s(d, e)];
            left.copy_from_slice(&[
                simd.add_f32s(simd.add_f32s(a, near), far),
                simd.mul_add_f32s(two, far_odd, near_odd),
                simd.mul_add_f32s(four, far, near),
                simd.add_f32s(simd.mul_add_f32s(eight, far_odd, near_odd), f),
            ]);
        }
        _ => {}
    }
    left
}

/// Puts these `rows` of tiles, counted through all pictures, into the basis: `[points, tiles, channels]`.
#[inline(always)]
pub fn enter<S: Simd, const IN: usize, const OUT: usize>(
    simd: S,
    grid: &Grid,
    rows: Range<usize>,
    plane: &[f32],
    entered: &mut [f32],
) {
    let &Grid { down, across, channels, .. } = grid;
    let [high, wide] = grid.area();
    let vectors = channels / S::F32_LANES;
    let point = rows.len() * across * vectors;
    let plane = S::as_simd_f32s(plane).0;
    let entered = S::as_mut_simd_f32s(entered).0;
    // Loops throughout, where closures would read better: those are not always compiled into what has the vectors.
    let zero = simd.splat_f32s(0.0);
    let mut tile = 0;
    for row in rows {
        let top = row / down * high + row % down * OUT;
        for x in 0..across {
            let corner = (top * wide + OUT * x) * vectors;
            for vector in 0..vectors {
                let mut lines = [[zero; IN]; IN];
                for (y, entered) in lines.iter_mut().enumerate() {
                    let mut line = [zero; IN];
                    for (x, number) in line.iter_mut().enumerate() {
                        *number = plane[corner + (y * wide + x) * vectors + vector];
                    }
                    *entered = enter_line::<S, IN>(simd, line);
                }
                for x in 0..IN {
                    let mut line = [zero; IN];
                    for (number, entered) in line.iter_mut().zip(&lines) {
                        *number = entered[x];
                    }
                    for (y, number) in enter_line::<S, IN>(simd, line).into_iter().enumerate() {
                        entered[(IN * y + x) * point + tile + vector] = number;
                    }
                }
            }
            tile += vectors;
        }
    }
}

/// Takes the products of these `rows` of tiles out of the basis, into their places of the output.
#[inline(always)]
pub fn leave<S: Simd, const VECTORS: usize, const IN: usize, const OUT: usize>(
    simd: S,
    grid: &Grid,
    size: &Size,
    rows: Range<usize>,
    finish: Finish<'_>,
    products: &[f32],
    output: &mut [f32],
) {
    let &Grid { down, across, blocks, .. } = grid;
    let [height, width] = size.geometry.output;
    let tiles = rows.len() * across;
    let point = blocks * tiles * VECTORS;
    let products = S::as_simd_f32s(products).0;
    let zero = simd.splat_f32s(0.0);
    for block in 0..blocks {
        let vectors = VECTORS.min((size.filters - block * FILTERS) / S::F32_LANES);
        for (number, row) in rows.clone().enumerate() {
            let [picture, top] = [row / down, row % down * OUT];
            for column in 0..across {
                let tile = (block * tiles + number * across + column) * VECTORS;
                let left = column * OUT;
                for vector in 0..vectors {
                    let filter = block * FILTERS + vector * S::F32_LANES;
                    let mut lines = [[zero; OUT]; IN];
                    for (x, left) in lines.iter_mut().enumerate() {
                        let mut line = [zero; IN];
                        for (y, number) in line.iter_mut().enumerate() {
                            *number = products[(IN * y + x) * point + tile + vector];
                        }
                        *left = leave_line::<S, IN, OUT>(simd, line);
                    }
                    for y in 0..OUT.min(height - top) {
                        let mut line = [zero; IN];
                        for (number, left) in line.iter_mut().zip(&lines) {
                            *number = left[y];
                        }
                        let line: [S::f32s; OUT] = leave_line::<S, IN, OUT>(simd, line);
                        let start = ((picture * height + top + y) * width + left) * size.filters + filter;
                        for (x, sum) in line.into_iter().enumerate().take(width - left) {
                            finish.put(simd, sum, filter, output, start + x * size.filters);
                        }
                    }
                }
            }
        }
    }
}
