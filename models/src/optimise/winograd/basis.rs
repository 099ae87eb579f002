//! Into the basis in which a convolution is a product, and back: `B^T d B`, `G g G^T` and `A^T m A` of Lavin and Gray 2016.

use std::array::from_fn;
use std::ops::Range;

use pulp::Simd;

use super::product::FILTERS;
use super::transpose::transpose;
use super::{POINTS, Size};

/// Numbers of a filter, 3 x 3 by rows, in the basis.
pub fn of_filter(weights: &[f32; 9]) -> [f32; POINTS] {
    let change = |[a, b, c]: [f32; 3]| [a, (a + b + c) / 2.0, (a - b + c) / 2.0, c];
    let columns: [[f32; 4]; 3] = from_fn(|x| change(from_fn(|y| weights[3 * y + x])));
    let rows: [[f32; 4]; 4] = from_fn(|y| change(from_fn(|x| columns[x][y])));
    from_fn(|point| rows[point / 4][point % 4])
}

/// Puts these `rows` of tiles, counted through all pictures, into the basis: `[points, tiles, channels]`.
#[inline(always)]
pub fn enter<S: Simd>(simd: S, size: &Size, rows: Range<usize>, plane: &[f32], entered: &mut [f32]) {
    let [down, across] = size.tiles();
    let [high, wide] = size.plane();
    let vectors = size.channels() / S::F32_LANES;
    let tiles = rows.len() * across;
    let plane = S::as_simd_f32s(plane).0;
    let entered = S::as_mut_simd_f32s(entered).0;
    let change = |[a, b, c, d]: [S::f32s; 4]| {
        [simd.sub_f32s(a, c), simd.add_f32s(b, c), simd.sub_f32s(c, b), simd.sub_f32s(b, d)]
    };
    let mut tile = 0;
    for row in rows {
        let top = row / down * high + row % down * 2;
        for x in 0..across {
            let pixels: [&[S::f32s]; 4] = from_fn(|y| &plane[((top + y) * wide + 2 * x) * vectors..][..4 * vectors]);
            for vector in 0..vectors {
                let across: [[S::f32s; 4]; 4] = from_fn(|y| change(from_fn(|x| pixels[y][x * vectors + vector])));
                for x in 0..4 {
                    for (y, number) in change(from_fn(|y| across[y][x])).into_iter().enumerate() {
                        entered[((4 * y + x) * tiles + tile) * vectors + vector] = number;
                    }
                }
            }
            tile += 1;
        }
    }
}

/// What is done to every pixel of the output.
#[derive(Copy, Clone)]
pub struct Finish<'a> {
    /// Added, one for each filter or the same for all.
    pub bias: &'a [f32],
    /// The least that comes out.
    pub floor: f32,
}

/// Takes the products of these `rows` of tiles out of the basis, into their places of the output.
#[inline(always)]
pub fn leave<S: Simd, const VECTORS: usize>(
    simd: S,
    size: &Size,
    rows: Range<usize>,
    finish: Finish<'_>,
    [products, strip]: [&mut [f32]; 2],
    output: &mut [f32],
) {
    let [down, across] = size.tiles();
    let [height, width] = size.geometry.output;
    let tiles = rows.len() * across;
    let floor = simd.splat_f32s(finish.floor);
    let blocks = size.blocks();
    let products = S::as_simd_f32s(products).0;
    let point = blocks * tiles * VECTORS;
    let wide = 2 * across;
    let change =
        |[a, b, c, d]: [S::f32s; 4]| [simd.add_f32s(simd.add_f32s(a, b), c), simd.sub_f32s(simd.sub_f32s(b, c), d)];
    for block in 0..blocks {
        let filters = FILTERS.min(size.filters - block * FILTERS);
        let mut bias = [0.0; FILTERS];
        for (filter, bias) in bias[..filters].iter_mut().enumerate() {
            *bias = finish.bias[(block * FILTERS + filter) % finish.bias.len()];
        }
        let bias = S::as_simd_f32s(&bias).0;
        for (number, row) in rows.clone().enumerate() {
            // Two rows of pixels, `[2, pixels, filters]`.
            let pixels = S::as_mut_simd_f32s(strip).0;
            for x in 0..across {
                let tile = (block * tiles + number * across + x) * VECTORS;
                for vector in 0..VECTORS {
                    let at = |y: usize, x: usize| products[(4 * y + x) * point + tile + vector];
                    let halves: [[S::f32s; 2]; 4] = from_fn(|x| change(from_fn(|y| at(y, x))));
                    for y in 0..2 {
                        let pair = change(from_fn(|x| halves[x][y]));
                        for (right, sum) in pair.into_iter().enumerate() {
                            let sum = simd.add_f32s(sum, bias[vector]);
                            // In this order what is no number stays none.
                            pixels[(y * wide + 2 * x + right) * VECTORS + vector] = simd.max_f32s(floor, sum);
                        }
                    }
                }
            }
            let [picture, top] = [row / down, row % down * 2];
            for y in top..(top + 2).min(height) {
                let first = picture * size.filters + block * FILTERS;
                let from = &strip[(y - top) * wide * FILTERS..];
                transpose(from, FILTERS, [width, filters], &mut output[(first * height + y) * width..], height * width);
            }
        }
    }
}
