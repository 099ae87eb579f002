//! A convolution as a product of matrices: its weights by one column for every output pixel.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::matmul::ModePicker;
use tract_onnx::tract_core::ops::matmul::optimized::{
    AddMatMulGeometry, MapOutputAxisToInput, MatMulOperand, OptMatMul, ProtoFusedSpec,
};
use tract_onnx::tract_core::prelude::tract_linalg::BinOp;
use tract_onnx::tract_core::prelude::tract_linalg::mmm::OutputStoreSpec;
use tract_onnx::tract_core::prelude::tract_linalg::pack::PackedFormat;

use super::columns::Columns;
use super::convolution::{Convolution, Inputs};
use super::kernel::{Choice, Side};

/// Px of an output row from which on tract runs a convolution of few channels as a filter along the rows, without columns.
const WIDE: usize = 128;

/// The same as columns, a product of matrices, and another shape, without a shortcut; `None` where tract's own way is better, or where it has no
/// kernel that takes packed columns.
///
/// # Errors
/// tract refuses what is put together.
pub fn wire(
    convolution: &Convolution,
    patch: &mut TypedModelPatch,
    Inputs { map, bias, zero, .. }: Inputs,
) -> TractResult<Option<OutletId>> {
    let Convolution { name, pictures, geometry, filters, weights, .. } = convolution;
    let ([rows, columns], pixels) = (geometry.output, geometry.columns());
    if columns >= WIDE {
        return Ok(None);
    }
    let Some(Choice { side, kernel, packing }) = Choice::new(*filters, geometry.column(), pixels) else {
        return Ok(None);
    };
    let (left, right) = &kernel.packings()[packing];
    let (columns_format, weights_format) = side.of(left, right);
    let Some(format) = columns_format.downcast_ref::<PackedFormat>().cloned() else { return Ok(None) };
    let weights = weights_format.prepare_one(weights, 1, 0)?;
    let laid_out = Columns::new(*pictures, geometry.clone(), format);
    let laid_out = patch.wire_node(format!("{name}.columns"), laid_out, &[map])?[0];

    let nothing = || MapOutputAxisToInput(tvec!());
    // tract is quicker where it need not ask which picture it is.
    let picture = if *pictures == 1 { nothing() } else { MapOutputAxisToInput(tvec!((0, 0))) };
    let (a_axes, b_axes) = side.of(picture, nothing());
    let k = geometry.column().to_dim();
    let geo = AddMatMulGeometry { k, c_to_a_axis_mapping: a_axes, c_to_b_axis_mapping: b_axes };
    let (a, b) = side.of(MatMulOperand::Input(0), MatMulOperand::Const(weights));
    let mut steps = vec![
        ProtoFusedSpec::AddMatMul { geo, a, b, packings: vec![(packing, None)] },
        match side {
            Side::Left => ProtoFusedSpec::BinPerCol(1, BinOp::Add, nothing()),
            Side::Right => ProtoFusedSpec::BinPerRow(1, BinOp::Add, nothing()),
        },
    ];
    let mut inputs = tvec!(laid_out, bias);
    if let Some(zero) = zero {
        steps.push(ProtoFusedSpec::BinScalar(2, BinOp::Max));
        inputs.push(zero);
    }
    let (m, n) = side.of(Some(2), Some(1));
    let (mr, nr) = (kernel.mr(), kernel.nr());
    steps.push(ProtoFusedSpec::Store(vec![OutputStoreSpec::View { m_axis: m, n_axis: n, mr, nr }]));
    let fact = f32::fact([*pictures, *filters, pixels]);
    let product = OptMatMul::new(vec![kernel], ModePicker::Single, fact, m, n, steps, packing == 0)?;
    let product = patch.wire_node(format!("{name}.product"), product, &inputs)?[0];
    let shape = AxisOp::Reshape(2, tvec!(pixels.to_dim()), tvec!(rows.to_dim(), columns.to_dim()));
    Ok(Some(patch.wire_node(name, shape, &[product])?[0]))
}
