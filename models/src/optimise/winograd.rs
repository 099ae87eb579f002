//! Convolutions by 3 x 3 filters that lie on every pixel, with fewer multiplications: four or two and a quarter for each pixel of
//! the output, channel and filter, where there are nine.
//!
//! A tile of 2 x 2 pixels of the output needs 4 x 4 of the input, and one of 4 x 4 needs 6 x 6. With these and the filters seen by
//! another basis, in which a convolution is a product number by number, as many products give a tile as it has numbers there:
//! F(2 x 2, 3 x 3) and F(4 x 4, 3 x 3) of Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", after
//! Winograd 1980. Over all channels, filters and tiles these are 16 or 36 products of matrices, which [`product`] computes;
//! [`basis`] goes there and back. Larger tiles would save more, and lose more of what single precision can tell apart.
//!
//! Inside, channels are what lies side by side, whatever the size of the map: both changes of basis are then sums of vectors.

mod basis;
mod product;
mod transpose;
mod workspace;

use std::fmt;
use std::sync::Arc;

use pulp::{Simd, WithSimd};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;

use self::basis::Finish;
use self::product::{FILTERS, Filters};
use self::workspace::{Parts, Workspace};
use super::layout::Geometry;

/// Sides of a tile, pixels of the output.
const SIDES: [usize; 2] = [2, 4];
/// Tiles that go through all steps together, so that what one step leaves is still near the processor in the next.
const TILES: usize = 36;
/// Channels, and filters, from which on the products outweigh the changes of basis.
const MANY: usize = 16;

/// Numbers of the longest vectors that are used.
const LANES: usize = 8;

/// Vector instructions that what is here is laid out for: AVX2 with its fused multiplication and addition.
#[cfg(target_arch = "x86_64")]
type Vectors = pulp::x86::V3;
/// Those of 64-bit ARM.
#[cfg(target_arch = "aarch64")]
type Vectors = pulp::aarch64::Neon;
/// None.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
type Vectors = pulp::Scalar;

/// Those of this machine, if it has them.
fn vectors() -> Option<Vectors> {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    return Vectors::try_new();
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return None;
}

/// `[pictures, channels, height, width]` and a bias for each filter -> `[pictures, filters, height, width]`.
#[derive(Clone)]
pub struct Winograd {
    vectors: Vectors,
    size: Size,
    filters: Arc<Filters>,
    is_rectified: bool,
}

/// Sizes of a convolution.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Size {
    /// Of a tile, one of [`SIDES`].
    side: usize,
    pictures: usize,
    geometry: Geometry,
    filters: usize,
}

impl Size {
    /// Rows of tiles of a picture, and tiles in each.
    fn tiles(&self) -> [usize; 2] {
        self.geometry.output.map(|pixels| pixels.div_ceil(self.side))
    }

    /// Pixels of the input with what is around it, down and across.
    fn plane(&self) -> [usize; 2] {
        self.tiles().map(|tiles| self.side * tiles + 2)
    }

    /// Numbers of a tile in the basis.
    fn points(&self) -> usize {
        (self.side + 2).pow(2)
    }

    /// What the products take, for each channel and filter: as much for reading the filters as for multiplying some tiles by
    /// them, since those of all layers together are more than a processor keeps near.
    fn work(&self) -> usize {
        let [down, across] = self.tiles();
        self.points() * (self.pictures * down * across + product::TILES)
    }

    /// Channels, and zeros that fill the last vector of them.
    fn channels(&self) -> usize {
        self.geometry.channels.next_multiple_of(LANES)
    }

    /// Blocks of filters that are computed together.
    fn blocks(&self) -> usize {
        self.filters.div_ceil(FILTERS)
    }
}

impl Winograd {
    /// The convolution by `weights`, `[filters, channels, 3, 3]`, and the rectifier behind it if there is one; `None` if it is
    /// none of those that are computed here, or not faster on this machine.
    pub fn new(pictures: usize, geometry: &Geometry, weights: &[f32], is_rectified: bool) -> Option<Self> {
        let vectors = vectors()?;
        let filters = weights.len() / geometry.column();
        let fits = geometry.filter == [3, 3] && geometry.stride == [1, 1];
        if !fits || geometry.channels < MANY || filters < MANY {
            return None;
        }
        let size = |side| Size { side, pictures, geometry: geometry.clone(), filters };
        let size = SIDES.map(size).into_iter().min_by_key(Size::work)?;
        let filters = Arc::new(Filters::new(&size, weights));
        Some(Self { vectors, size, filters, is_rectified })
    }
}

impl PartialEq for Winograd {
    fn eq(&self, other: &Self) -> bool {
        self.size == other.size && self.is_rectified == other.is_rectified && self.filters == other.filters
    }
}

impl Eq for Winograd {}

impl fmt::Debug for Winograd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Winograd")
            .field("size", &self.size)
            .field("is_rectified", &self.is_rectified)
            .finish_non_exhaustive()
    }
}

impl Op for Winograd {
    fn name(&self) -> StaticName {
        "Winograd".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Winograd {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let (maps, bias) = args_2!(inputs);
        let [height, width] = self.size.geometry.output;
        let mut output = Tensor::zero::<f32>(&[self.size.pictures, self.size.filters, height, width])?;
        Workspace::with(|workspace| -> TractResult<()> {
            let maps = maps.try_as_plain_ram()?;
            let bias = bias.try_as_plain_ram()?;
            let mut output = output.try_as_plain_ram_mut()?;
            Simd::vectorize(
                self.vectors,
                Run {
                    winograd: self,
                    maps: maps.as_slice()?,
                    bias: bias.as_slice()?,
                    output: output.as_slice_mut()?,
                    workspace,
                },
            );
            Ok(())
        })?;
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for Winograd {
    fn output_facts(&self, _: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let [height, width] = self.size.geometry.output;
        Ok(tvec!(f32::fact([self.size.pictures, self.size.filters, height, width])))
    }

    as_op!();
}

/// One call.
struct Run<'a> {
    winograd: &'a Winograd,
    maps: &'a [f32],
    bias: &'a [f32],
    output: &'a mut [f32],
    workspace: &'a mut Workspace,
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // There are vectors of eight numbers and of four, and tiles of 2 and of 4 px.
        match (S::F32_LANES == LANES, self.winograd.size.side == 2) {
            (true, true) => self.run::<S, { FILTERS / LANES }, 4, 2>(simd),
            (true, false) => self.run::<S, { FILTERS / LANES }, 6, 4>(simd),
            (false, true) => self.run::<S, { 2 * FILTERS / LANES }, 4, 2>(simd),
            (false, false) => self.run::<S, { 2 * FILTERS / LANES }, 6, 4>(simd),
        }
    }
}

impl Run<'_> {
    /// With as many `VECTORS` as a block of filters fills, and tiles that have `OUT` pixels and need `IN`.
    #[inline(always)]
    fn run<S: Simd, const VECTORS: usize, const IN: usize, const OUT: usize>(self, simd: S) {
        let Self { winograd: Winograd { size, filters, is_rectified, .. }, maps, bias, output, workspace } = self;
        let [down, across] = size.tiles();
        let together = (TILES / across).max(1);
        let Parts { plane, entered, products, strip } = workspace.parts(size, together * across);
        workspace::fill(plane, size, maps);
        let finish = Finish { bias, floor: if *is_rectified { 0.0 } else { f32::NEG_INFINITY } };
        let rows = size.pictures * down;
        for first in (0..rows).step_by(together) {
            let rows = first..(first + together).min(rows);
            let tiles = rows.len() * across;
            let entered = &mut entered[..size.points() * tiles * size.channels()];
            let products = &mut products[..size.points() * tiles * size.blocks() * FILTERS];
            basis::enter::<S, IN, OUT>(simd, size, rows.clone(), plane, entered);
            filters.times::<S, VECTORS>(simd, tiles, entered, products);
            basis::leave::<S, VECTORS, IN, OUT>(simd, size, rows, finish, [products, strip], output);
        }
    }
}
