//! The products in between: for each number of the basis a matrix of filters and channels by one of channels and tiles.

use std::array::from_fn;

use pulp::Simd;

use super::{Size, basis};

/// Filters whose sums for some tiles stay in registers together.
pub const FILTERS: usize = 16;
/// Tiles for which they do: 12 vectors of eight numbers, of the 16 that AVX2 has, or 24 of four, of the 32 of 64-bit ARM.
pub const TILES: usize = 6;

/// The filters of a convolution in the basis.
#[derive(PartialEq)]
pub struct Filters {
    /// `[points, blocks of filters, channels, filters of a block]`.
    numbers: Vec<f32>,
    channels: usize,
    blocks: usize,
}

impl Filters {
    /// Of `weights`, `[filters, channels, 3, 3]`.
    pub fn new(size: &Size, weights: &[f32]) -> Self {
        let (channels, blocks) = (size.channels(), size.blocks());
        let mut numbers = vec![0.0; size.points() * blocks * channels * FILTERS];
        for (number, weights) in weights.as_chunks::<9>().0.iter().enumerate() {
            let [filter, channel] = [number / size.geometry.channels, number % size.geometry.channels];
            for (point, value) in basis::of_filter(weights, size.side).into_iter().enumerate() {
                let block = point * blocks + filter / FILTERS;
                numbers[(block * channels + channel) * FILTERS + filter % FILTERS] = value;
            }
        }
        Self { numbers, channels, blocks }
    }

    /// Multiplies `entered`, `[points, tiles, channels]`, with them: `products` becomes `[points, blocks of filters, tiles,
    /// filters of a block]`.
    #[inline(always)]
    pub fn times<S: Simd, const VECTORS: usize>(&self, simd: S, tiles: usize, entered: &[f32], products: &mut [f32]) {
        let Self { numbers, channels, blocks } = self;
        let of_point = products.chunks_exact_mut(blocks * tiles * FILTERS);
        let filters = numbers.chunks_exact(blocks * channels * FILTERS);
        for ((entered, filters), products) in entered.chunks_exact(tiles * channels).zip(filters).zip(of_point) {
            let of_block = products.chunks_exact_mut(tiles * FILTERS);
            for (filters, products) in filters.chunks_exact(channels * FILTERS).zip(of_block) {
                let filters = S::as_simd_f32s(filters).0.as_chunks::<VECTORS>().0;
                let products = S::as_mut_simd_f32s(products).0.as_chunks_mut::<VECTORS>().0;
                for (entered, products) in entered.chunks(TILES * channels).zip(products.chunks_mut(TILES)) {
                    match products.len() {
                        1 => sums::<S, VECTORS, 1>(simd, filters, entered, products),
                        2 => sums::<S, VECTORS, 2>(simd, filters, entered, products),
                        3 => sums::<S, VECTORS, 3>(simd, filters, entered, products),
                        4 => sums::<S, VECTORS, 4>(simd, filters, entered, products),
                        5 => sums::<S, VECTORS, 5>(simd, filters, entered, products),
                        _ => sums::<S, VECTORS, TILES>(simd, filters, entered, products),
                    }
                }
            }
        }
    }
}

/// The sums over all channels of a block of `filters` for `COUNT` tiles.
#[inline(always)]
fn sums<S: Simd, const VECTORS: usize, const COUNT: usize>(
    simd: S,
    filters: &[[S::f32s; VECTORS]],
    entered: &[f32],
    sums: &mut [[S::f32s; VECTORS]],
) {
    let channels = filters.len();
    let tiles: [&[f32]; COUNT] = from_fn(|tile| &entered[tile * channels..][..channels]);
    let mut all = [[simd.splat_f32s(0.0); VECTORS]; COUNT];
    for (channel, filters) in filters.iter().enumerate() {
        for (tile, sums) in tiles.iter().zip(&mut all) {
            let number = simd.splat_f32s(tile[channel]);
            for (filters, sum) in filters.iter().zip(sums) {
                *sum = simd.mul_add_f32s(*filters, number, *sum);
            }
        }
    }
    for (sum, all) in sums.iter_mut().zip(all) {
        *sum = all;
    }
}
