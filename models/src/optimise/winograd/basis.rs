//! Into the basis in which a convolution is a product, and back: `B^T d B`, `G g G^T` and `A^T m A` of Lavin and Gray 2016,
//! section 4, for tiles of `OUT` = 2 or 4 pixels of the output, which need `IN` = 4 or 6 of the input.

use std::array::from_fn;
use std::ops::Range;

use pulp::Simd;

use super::Size;
use super::product::FILTERS;
use super::transpose::transpose;

/// Numbers of a filter, 3 x 3 by rows, in the basis for tiles of `side` pixels.
pub fn of_filter(weights: &[f32; 9], side: usize) -> Vec<f32> {
    let line = |[a, b, c]: [f64; 3]| match side {
        2 => vec![a, (a + b + c) / 2.0, (a - b + c) / 2.0, c],
        _ => {
            let [even, odd] = [a + 4.0 * c, 2.0 * b];
            vec![a / 4.0, -(a + b + c) / 6.0, -(a - b + c) / 6.0, (even + odd) / 24.0, (even - odd) / 24.0, c]
        }
    };
    let columns: [Vec<f64>; 3] = from_fn(|x| line(from_fn(|y| weights[3 * y + x].into())));
    (0..side + 2).flat_map(|y| line(from_fn(|x| columns[x][y]))).map(|number| number as f32).collect()
}

/// A row or a column of the input.
#[inline(always)]
fn enter_line<S: Simd, const IN: usize>(simd: S, line: [S::f32s; IN]) -> [S::f32s; IN] {
    let [four, minus_five] = [4.0, -5.0].map(|number| simd.splat_f32s(number));
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
            let [two, four, eight] = [2.0, 4.0, 8.0].map(|number| simd.splat_f32s(number));
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
    size: &Size,
    rows: Range<usize>,
    plane: &[f32],
    entered: &mut [f32],
) {
    let [down, across] = size.tiles();
    let [high, wide] = size.plane();
    let vectors = size.channels() / S::F32_LANES;
    let point = rows.len() * across * vectors;
    let plane = S::as_simd_f32s(plane).0;
    let entered = S::as_mut_simd_f32s(entered).0;
    let mut tile = 0;
    for row in rows {
        let top = row / down * high + row % down * OUT;
        for x in 0..across {
            let pixels: [&[S::f32s]; IN] =
                from_fn(|y| &plane[((top + y) * wide + OUT * x) * vectors..][..IN * vectors]);
            for vector in 0..vectors {
                let lines: [[S::f32s; IN]; IN] =
                    from_fn(|y| enter_line::<S, IN>(simd, from_fn(|x| pixels[y][x * vectors + vector])));
                for x in 0..IN {
                    for (y, number) in enter_line::<S, IN>(simd, from_fn(|y| lines[y][x])).into_iter().enumerate() {
                        entered[(IN * y + x) * point + tile + vector] = number;
                    }
                }
            }
            tile += vectors;
        }
    }
}

/// What is done to every pixel of the output.
#[derive(Copy, Clone)]
pub struct Finish<'a> {
    /// Added, one for each filter.
    pub bias: &'a [f32],
    /// The least that comes out.
    pub floor: f32,
}

/// Takes the products of these `rows` of tiles out of the basis, into their places of the output.
#[inline(always)]
pub fn leave<S: Simd, const VECTORS: usize, const IN: usize, const OUT: usize>(
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
    let point = size.blocks() * tiles * VECTORS;
    let products = S::as_simd_f32s(products).0;
    let wide = OUT * across;
    for (block, biases) in finish.bias.chunks(FILTERS).enumerate() {
        let mut bias = [0.0; FILTERS];
        bias[..biases.len()].copy_from_slice(biases);
        let bias = S::as_simd_f32s(&bias).0;
        for (number, row) in rows.clone().enumerate() {
            // Rows of pixels, `[OUT, pixels, filters]`.
            let pixels = S::as_mut_simd_f32s(strip).0;
            for x in 0..across {
                let tile = (block * tiles + number * across + x) * VECTORS;
                for vector in 0..VECTORS {
                    let at = |y: usize, x: usize| products[(IN * y + x) * point + tile + vector];
                    let lines: [[S::f32s; OUT]; IN] =
                        from_fn(|x| leave_line::<S, IN, OUT>(simd, from_fn(|y| at(y, x))));
                    for y in 0..OUT {
                        let line: [S::f32s; OUT] = leave_line::<S, IN, OUT>(simd, from_fn(|x| lines[x][y]));
                        for (right, sum) in line.into_iter().enumerate() {
                            let sum = simd.add_f32s(sum, bias[vector]);
                            // In this order what is no number stays none.
                            pixels[(y * wide + OUT * x + right) * VECTORS + vector] = simd.max_f32s(floor, sum);
                        }
                    }
                }
            }
            let [picture, top] = [row / down, row % down * OUT];
            let first = picture * size.filters + block * FILTERS;
            for y in top..(top + OUT).min(height) {
                let from = &strip[(y - top) * wide * FILTERS..];
                let to = &mut output[(first * height + y) * width..];
                transpose(from, FILTERS, [width, biases.len()], to, height * width);
            }
        }
    }
}
