//! Convolutions of maps whose channels lie side by side, `[pictures, height, width, channels]`, which this crate computes itself.
//!
//! In that order what a filter covers of a row lies side by side, so that nothing has to be laid out, and what is done to all
//! channels of a pixel is done to whole vectors ([`vectors`]). Filters of 3 x 3 px that lie on every pixel are applied in
//! [`tiles`], with less than half of the multiplications, and all others [`direct`]ly. tract's maps are [`turn`]ed before the
//! first convolution and after the last one of those that follow on one another.

mod basis;
mod direct;
mod grid;
mod tiles;
mod turn;
mod vectors;
mod workspace;

use std::fmt;
use std::sync::Arc;

use pulp::{Simd, WithSimd};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;

use self::direct::Direct;
use self::tiles::Tiles;
use self::turn::Turn;
pub use self::turn::without_detours;
use self::vectors::{FILTERS, Finish, LANES, Vectors};
use self::workspace::Workspace;
use super::convolution::{Convolution, Inputs};
use super::layout::Geometry;

/// `[pictures, height, width, channels]`, a bias for each filter and, where it adds one, a map like the output ->
/// `[pictures, height, width, filters]`.
#[derive(Clone)]
struct Pixelwise {
    vectors: Vectors,
    size: Size,
    way: Arc<Way>,
    is_rectified: bool,
}

/// Sizes of a convolution.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Size {
    pictures: usize,
    geometry: Geometry,
    filters: usize,
}

impl Size {
    /// Blocks of filters that are computed together.
    fn blocks(&self) -> usize {
        self.filters.div_ceil(FILTERS)
    }

    /// Of the output.
    fn shape(&self) -> [usize; 4] {
        let [height, width] = self.geometry.output;
        [self.pictures, height, width, self.filters]
    }
}

/// How it is computed, and the filters as that wants them.
#[derive(PartialEq)]
enum Way {
    Direct(Direct),
    Tiles(Tiles),
}

/// Puts a convolution of pixels into `patch`, and changes of order around it; `None` if this machine has no vectors for it, or if
/// its channels do not fill them.
///
/// # Errors
/// tract refuses what is put together.
pub fn wire(
    convolution: &Convolution,
    patch: &mut TypedModelPatch,
    Inputs { map, bias, shortcut, zero }: Inputs,
) -> TractResult<Option<OutletId>> {
    let Convolution { name, pictures, geometry, filters, weights, .. } = convolution;
    let Some(vectors) = vectors::vectors().filter(|_| filters.is_multiple_of(LANES)) else { return Ok(None) };
    let size = Size { pictures: *pictures, geometry: geometry.clone(), filters: *filters };
    let weights = weights.try_as_plain_ram()?.as_slice::<f32>()?;
    let way = match Tiles::new(&size, weights) {
        Some(tiles) => Way::Tiles(tiles),
        None => Way::Direct(Direct::new(&size, weights)),
    };
    let mut inputs = tvec!(patch.wire_node(format!("{name}.pixels"), Turn::ToPixels, &[map])?[0], bias);
    if let Some(shortcut) = shortcut {
        inputs.push(patch.wire_node(format!("{name}.shortcut"), Turn::ToPixels, &[shortcut])?[0]);
    }
    let pixelwise = Pixelwise { vectors, size, way: Arc::new(way), is_rectified: zero.is_some() };
    let pixels = patch.wire_node(format!("{name}.pixelwise"), pixelwise, &inputs)?[0];
    Ok(Some(patch.wire_node(name, Turn::ToMaps, &[pixels])?[0]))
}

impl PartialEq for Pixelwise {
    fn eq(&self, other: &Self) -> bool {
        (&self.size, self.is_rectified, &self.way) == (&other.size, other.is_rectified, &other.way)
    }
}

impl Eq for Pixelwise {}

impl fmt::Debug for Pixelwise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pixelwise").field("size", &self.size).finish_non_exhaustive()
    }
}

impl Op for Pixelwise {
    fn name(&self) -> StaticName {
        match *self.way {
            Way::Direct(_) => "PixelwiseDirect".into(),
            Way::Tiles(_) => "PixelwiseTiles".into(),
        }
    }

    op_as_typed_op!();
}

impl EvalOp for Pixelwise {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let mut output = Tensor::zero::<f32>(&self.size.shape())?;
        let [map, bias] = [numbers(&inputs[0])?, numbers(&inputs[1])?];
        let shortcut = inputs.get(2).map(numbers).transpose()?;
        let floor = if self.is_rectified { 0.0 } else { f32::NEG_INFINITY };
        let finish = Finish { bias, shortcut, floor };
        Workspace::with(|workspace| -> TractResult<()> {
            let mut output = output.try_as_plain_ram_mut()?;
            let output = output.as_slice_mut::<f32>()?;
            let call = Call { size: &self.size, map, finish, workspace, output };
            Simd::vectorize(self.vectors, Run { way: &self.way, call });
            Ok(())
        })?;
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for Pixelwise {
    fn output_facts(&self, _: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(f32::fact(self.size.shape())))
    }

    as_op!();
}

/// What a tensor holds.
fn numbers(tensor: &TValue) -> TractResult<&[f32]> {
    tensor.try_as_plain_ram()?.as_slice()
}

/// One call.
struct Call<'a> {
    size: &'a Size,
    map: &'a [f32],
    finish: Finish<'a>,
    workspace: &'a mut Workspace,
    output: &'a mut [f32],
}

/// One call, with what it is computed by.
struct Run<'a> {
    way: &'a Way,
    call: Call<'a>,
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // There are vectors of eight numbers and of four.
        if S::F32_LANES == LANES {
            self.run::<S, { FILTERS / LANES }>(simd);
        } else {
            self.run::<S, { 2 * FILTERS / LANES }>(simd);
        }
    }
}

impl Run<'_> {
    /// With as many `VECTORS` as a block of filters fills.
    #[inline(always)]
    fn run<S: Simd, const VECTORS: usize>(self, simd: S) {
        match self.way {
            Way::Direct(direct) => direct.run::<S, VECTORS>(simd, self.call),
            Way::Tiles(tiles) => tiles.run::<S, VECTORS>(simd, self.call),
        }
    }
}
