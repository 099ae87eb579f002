//! Filters of any size, on every pixel or on some of them, as they are.

use pulp::Simd;

use super::vectors::{FILTERS, Finish, PIXELS, Sums};
use super::{Call, Size, workspace};

/// The filters of a convolution: `[blocks of filters, rows, numbers of a row, filters of a block]`.
#[derive(PartialEq)]
pub struct Direct(Vec<f32>);

impl Direct {
    /// Of `weights`, `[filters, channels, height, width]`.
    pub fn new(size: &Size, weights: &[f32]) -> Self {
        let (column, channels) = (size.geometry.column(), size.geometry.channels);
        let area = column / channels;
        let mut numbers = vec![0.0; size.blocks() * column * FILTERS];
        for (place, &weight) in weights.iter().enumerate() {
            let [filter, channel, pixel] = [place / column, place % column / area, place % area];
            let number = filter / FILTERS * column + pixel * channels + channel;
            numbers[number * FILTERS + filter % FILTERS] = weight;
        }
        Self(numbers)
    }

    /// One call.
    #[inline(always)]
    pub fn run<S: Simd, const VECTORS: usize>(&self, simd: S, call: Call<'_>) {
        let Call { size, map, finish, workspace, output } = call;
        let geometry = &size.geometry;
        let area = [0, 1].map(|axis| (geometry.output[axis] - 1) * geometry.stride[axis] + geometry.filter[axis]);
        let plane = workspace::plane(&mut workspace.plane, geometry, area, map);
        let mut work = Work { size, area, plane, finish, output };
        let pixels = size.pictures * geometry.columns();
        for (block, filters) in self.0.chunks_exact(geometry.column() * FILTERS).enumerate() {
            let filters = S::as_simd_f32s(filters).0.as_chunks::<VECTORS>().0;
            for first in (0..pixels).step_by(PIXELS) {
                match pixels - first {
                    1 => work.some::<S, VECTORS, 1>(simd, filters, block, first),
                    2 => work.some::<S, VECTORS, 2>(simd, filters, block, first),
                    3 => work.some::<S, VECTORS, 3>(simd, filters, block, first),
                    4 => work.some::<S, VECTORS, 4>(simd, filters, block, first),
                    5 => work.some::<S, VECTORS, 5>(simd, filters, block, first),
                    _ => work.some::<S, VECTORS, PIXELS>(simd, filters, block, first),
                }
            }
        }
    }
}

/// What is the same for all pixels of a call.
struct Work<'a> {
    size: &'a Size,
    /// Of the plane, px down and across.
    area: [usize; 2],
    plane: &'a [f32],
    finish: Finish<'a>,
    output: &'a mut [f32],
}

impl Work<'_> {
    /// A block of filters on `COUNT` pixels of the output.
    #[inline(always)]
    fn some<S: Simd, const VECTORS: usize, const COUNT: usize>(
        &mut self,
        simd: S,
        filters: &[[S::f32s; VECTORS]],
        block: usize,
        first: usize,
    ) {
        let geometry = &self.size.geometry;
        let ([high, wide], [height, width]) = (self.area, geometry.output);
        let mut starts = [0; COUNT];
        for (pixel, start) in starts.iter_mut().enumerate() {
            let (row, x) = ((first + pixel) / width, (first + pixel) % width);
            let top = row / height * high + row % height * geometry.stride[0];
            *start = (top * wide + x * geometry.stride[1]) * geometry.channels;
        }
        let mut sums = Sums::<S, VECTORS, COUNT>::new(simd);
        for (row, filters) in filters.chunks_exact(geometry.filter[1] * geometry.channels).enumerate() {
            let mut starts = starts;
            for start in &mut starts {
                *start += row * wide * geometry.channels;
            }
            sums.add(simd, filters, self.plane, starts);
        }
        for (pixel, sums) in sums.0.into_iter().enumerate() {
            for (vector, sum) in sums.into_iter().enumerate() {
                let filter = block * FILTERS + vector * S::F32_LANES;
                if filter < self.size.filters {
                    let place = (first + pixel) * self.size.filters + filter;
                    self.finish.put(simd, sum, filter, self.output, place);
                }
            }
        }
    }
}
