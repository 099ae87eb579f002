//! Filters of 3 x 3 px that lie on every pixel, with fewer multiplications: four or two and a quarter for each pixel of the output,
//! channel and filter, where there are nine.
//!
//! A tile of 2 x 2 pixels of the output needs 4 x 4 of the input, and one of 4 x 4 needs 6 x 6. With these and the filters seen by
//! another basis, in which a convolution is a product number by number, as many products give a tile as it has numbers there:
//! F(2 x 2, 3 x 3) and F(4 x 4, 3 x 3) of Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", after
//! Winograd 1980. Over all channels, filters and tiles these are 16 or 36 products of matrices; [`basis`] goes there and back.
//! Larger tiles would save more, and lose more of what single precision can tell apart.

use pulp::Simd;

use super::grid::{Grid, SIDES};
use super::vectors::{FILTERS, LANES, PIXELS, Sums};
use super::{Call, Size, basis, workspace};

/// Tiles that go through all steps together, so that what one step leaves is still near the processor in the next.
const TOGETHER: usize = 36;
/// Channels, and filters, from which on the products outweigh the changes of basis.
const MANY: usize = 16;

/// The filters of a convolution in the basis.
#[derive(PartialEq)]
pub struct Tiles {
    grid: Grid,
    /// `[points, blocks of filters, channels, filters of a block]`.
    numbers: Vec<f32>,
}

impl Tiles {
    /// Of `weights`, `[filters, channels, height, width]`; `None` if they are no filters for tiles, or too few of them.
    pub fn new(size: &Size, weights: &[f32]) -> Option<Self> {
        let geometry = &size.geometry;
        let fits = geometry.filter == [3, 3] && geometry.stride == [1, 1] && geometry.channels.is_multiple_of(LANES);
        if !fits || geometry.channels.min(size.filters) < MANY {
            return None;
        }
        let grid = SIDES.map(|side| Grid::new(size, side)).into_iter().min_by_key(Grid::work)?;
        let Grid { channels, blocks, .. } = grid;
        let mut numbers = vec![0.0; grid.points() * blocks * channels * FILTERS];
        for (number, weights) in weights.as_chunks::<9>().0.iter().enumerate() {
            let [filter, channel] = [number / channels, number % channels];
            for (point, value) in basis::of_filter(weights, grid.side).enumerate() {
                let block = point * blocks + filter / FILTERS;
                numbers[(block * channels + channel) * FILTERS + filter % FILTERS] = value;
            }
        }
        Some(Self { grid, numbers })
    }

    /// One call.
    #[inline(always)]
    pub fn run<S: Simd, const VECTORS: usize>(&self, simd: S, call: Call<'_>) {
        if self.grid.side == SIDES[0] {
            self.through::<S, VECTORS, 4, 2>(simd, call);
        } else {
            self.through::<S, VECTORS, 6, 4>(simd, call);
        }
    }

    /// With tiles that have `OUT` pixels a side and need `IN`.
    #[inline(always)]
    fn through<S: Simd, const VECTORS: usize, const IN: usize, const OUT: usize>(&self, simd: S, call: Call<'_>) {
        let Call { size, map, finish, workspace, output } = call;
        let Self { grid, .. } = self;
        let plane = workspace::plane(&mut workspace.plane, &size.geometry, grid.area(), map);
        let together = (TOGETHER / grid.across).max(1);
        let rows = grid.pictures * grid.down;
        for first in (0..rows).step_by(together) {
            let rows = first..(first + together).min(rows);
            let tiles = rows.len() * grid.across;
            let entered = workspace::part(&mut workspace.entered, grid.points() * tiles * grid.channels);
            let products = workspace::part(&mut workspace.products, grid.points() * tiles * grid.blocks * FILTERS);
            basis::enter::<S, IN, OUT>(simd, grid, rows.clone(), plane, entered);
            self.times::<S, VECTORS>(simd, tiles, entered, products);
            basis::leave::<S, VECTORS, IN, OUT>(simd, grid, size, rows, finish, products, output);
        }
    }

    /// Multiplies `entered`, `[points, tiles, channels]`, with them: `products` becomes `[points, blocks of filters, tiles,
    /// filters of a block]`.
    #[inline(always)]
    fn times<S: Simd, const VECTORS: usize>(&self, simd: S, tiles: usize, entered: &[f32], products: &mut [f32]) {
        let Self { grid: Grid { channels, blocks, .. }, numbers } = self;
        let of_point = products.chunks_exact_mut(blocks * tiles * FILTERS);
        let filters = numbers.chunks_exact(blocks * channels * FILTERS);
        for ((entered, filters), products) in entered.chunks_exact(tiles * channels).zip(filters).zip(of_point) {
            let of_block = products.chunks_exact_mut(tiles * FILTERS);
            for (filters, products) in filters.chunks_exact(channels * FILTERS).zip(of_block) {
                let filters = S::as_simd_f32s(filters).0.as_chunks::<VECTORS>().0;
                let products = S::as_mut_simd_f32s(products).0.as_chunks_mut::<VECTORS>().0;
                for (entered, products) in entered.chunks(PIXELS * channels).zip(products.chunks_mut(PIXELS)) {
                    match products.len() {
                        1 => tiles_times::<S, VECTORS, 1>(simd, filters, entered, products),
                        2 => tiles_times::<S, VECTORS, 2>(simd, filters, entered, products),
                        3 => tiles_times::<S, VECTORS, 3>(simd, filters, entered, products),
                        4 => tiles_times::<S, VECTORS, 4>(simd, filters, entered, products),
                        5 => tiles_times::<S, VECTORS, 5>(simd, filters, entered, products),
                        _ => tiles_times::<S, VECTORS, PIXELS>(simd, filters, entered, products),
                    }
                }
            }
        }
    }
}

/// `COUNT` tiles by a block of filters.
#[inline(always)]
fn tiles_times<S: Simd, const VECTORS: usize, const COUNT: usize>(
    simd: S,
    filters: &[[S::f32s; VECTORS]],
    entered: &[f32],
    products: &mut [[S::f32s; VECTORS]],
) {
    let mut sums = Sums::<S, VECTORS, COUNT>::new(simd);
    let mut starts = [0; COUNT];
    for (tile, start) in starts.iter_mut().enumerate() {
        *start = tile * filters.len();
    }
    sums.add(simd, filters, entered, starts);
    for (product, sum) in products.iter_mut().zip(sums.0) {
        *product = sum;
    }
}
