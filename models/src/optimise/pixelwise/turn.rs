//! From maps that lie one after the other to those whose channels lie side by side, and back.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;

/// Channels that are turned together.
const SQUARE: usize = 4;

/// A change from one order to the other.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// From `[pictures, channels, height, width]`.
    ToPixels,
    /// To that.
    ToMaps,
}

impl Op for Turn {
    fn name(&self) -> StaticName {
        match self {
            Self::ToPixels => "ToPixels".into(),
            Self::ToMaps => "ToMaps".into(),
        }
    }

    op_as_typed_op!();
}

impl EvalOp for Turn {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let input = args_1!(inputs);
        let (shape, [rows, columns]) = self.of(input.shape())?;
        let mut output = Tensor::zero::<f32>(&shape)?;
        let from = input.try_as_plain_ram()?.as_slice::<f32>()?;
        let mut to = output.try_as_plain_ram_mut()?;
        let to = to.as_slice_mut::<f32>()?;
        for (from, to) in from.chunks_exact(rows * columns).zip(to.chunks_exact_mut(rows * columns)) {
            transpose(from, [rows, columns], to);
        }
        Ok(tvec!(output.into_tvalue()))
    }
}

impl Turn {
    /// The shape that this one becomes, and rows and columns of the matrix that is turned for each picture.
    fn of(self, shape: &[usize]) -> TractResult<([usize; 4], [usize; 2])> {
        let &[pictures, a, b, c] = shape else { bail!("a map has four axes, not {}", shape.len()) };
        Ok(match self {
            Self::ToPixels => ([pictures, b, c, a], [a, b * c]),
            Self::ToMaps => ([pictures, c, a, b], [a * b, c]),
        })
    }
}

impl TypedOp for Turn {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let shape = inputs[0].shape.as_concrete().context("a map of unknown size")?;
        Ok(tvec!(f32::fact(self.of(shape)?.0)))
    }

    as_op!();
}

/// Takes out the changes that the next one undoes.
///
/// # Errors
/// tract refuses what is put together.
pub fn without_detours(network: &mut TypedModel) -> TractResult<()> {
    let places: Vec<usize> = network.nodes().iter().map(|node| node.id).collect();
    for place in places {
        let node = network.node(place);
        let [second, first] = [node, network.node(node.inputs.first().map_or(place, |input| input.node))];
        let turns = [first, second].map(|node| node.op_as::<Turn>());
        if turns != [Some(&Turn::ToMaps), Some(&Turn::ToPixels)] {
            continue;
        }
        let mut patch = TypedModelPatch::default();
        let pixels = patch.tap_model(network, first.inputs[0])?;
        patch.shunt_outside(network, place.into(), pixels)?;
        patch.apply(network)?;
    }
    Ok(())
}

/// Columns become rows.
fn transpose(from: &[f32], [rows, columns]: [usize; 2], to: &mut [f32]) {
    let whole = [rows, columns].map(|count| count - count % SQUARE);
    for row in (0..whole[0]).step_by(SQUARE) {
        for column in (0..whole[1]).step_by(SQUARE) {
            let mut square = [[0.0; SQUARE]; SQUARE];
            for (y, line) in square.iter_mut().enumerate() {
                line.copy_from_slice(&from[(row + y) * columns + column..][..SQUARE]);
            }
            for x in 0..SQUARE {
                let line: [f32; SQUARE] = std::array::from_fn(|y| square[y][x]);
                to[(column + x) * rows + row..][..SQUARE].copy_from_slice(&line);
            }
        }
    }
    let mut rest = |rows_left: std::ops::Range<usize>, columns_left: std::ops::Range<usize>| {
        for row in rows_left {
            for column in columns_left.clone() {
                to[column * rows + row] = from[row * columns + column];
            }
        }
    };
    rest(0..whole[0], whole[1]..columns);
    rest(whole[0]..rows, 0..columns);
}
