//! The convolutions that are taken over from tract, and what stands in their place.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat};
use tract_onnx::tract_core::ops::math::Max;
use tract_onnx::tract_core::ops::matmul::ModePicker;
use tract_onnx::tract_core::ops::matmul::optimized::{
    AddMatMulGeometry, MapOutputAxisToInput, MatMulOperand, OptMatMul, ProtoFusedSpec,
};
use tract_onnx::tract_core::ops::nn::DataFormat;
use tract_onnx::tract_core::prelude::tract_linalg::BinOp;
use tract_onnx::tract_core::prelude::tract_linalg::mmm::{MMMInputValue, MatMatMul, OutputStoreSpec};
use tract_onnx::tract_core::prelude::tract_linalg::pack::PackedFormat;

use super::columns::Columns;
use super::kernel::{Choice, Side};
use super::layout::Geometry;

/// Px of an output row from which on tract runs a convolution of few channels as a filter along the rows, without columns.
const WIDE: usize = 128;

/// A convolution of one picture's maps, `[1, channels, height, width]`, by constant filters, and the rectifier behind it where
/// nothing else sees what that rectifies.
pub struct Convolution {
    name: String,
    input: OutletId,
    bias: OutletId,
    /// What the rectifier compares with, if there is one.
    zero: Option<OutletId>,
    output: OutletId,
    geometry: Geometry,
    filters: usize,
    side: Side,
    kernel: Box<dyn MatMatMul>,
    packing: usize,
    format: PackedFormat,
    /// `[filters, numbers of a column]`, packed.
    weights: Box<dyn MMMInputValue>,
}

impl Convolution {
    /// What is computed at this place of the network, if it is a convolution that is faster here.
    ///
    /// # Errors
    /// The network does not hold together.
    pub fn at(network: &TypedModel, place: usize) -> TractResult<Option<Self>> {
        let node = network.node(place);
        let Some(conv) = node.op_as::<Conv>() else { return Ok(None) };
        let facts = network.node_input_facts(place)?;
        let (Some(&[1, channels, height, width]), &[_, weights, bias]) = (facts[0].shape.as_concrete(), &facts[..])
        else {
            return Ok(None);
        };
        let (Some(weights), true) = (&weights.konst, bias.shape.volume() == conv.output_channels().to_dim()) else {
            return Ok(None);
        };
        let pool = &conv.pool_spec;
        let &[filter_height, filter_width] = &pool.kernel_shape[..] else { return Ok(None) };
        let is_plain = conv.group == 1
            && conv.q_params.is_none()
            && conv.kernel_fmt == KernelFormat::OIHW
            && pool.data_format == DataFormat::NCHW
            && pool.dilations().iter().all(|&dilation| dilation == 1)
            && filter_height * filter_width > 1
            && [facts[0].datum_type, weights.datum_type(), bias.datum_type].iter().all(|&t| t == f32::datum_type());
        let padding = pool.computed_padding(&[height, width]);
        let output = [padding[0].convoluted, padding[1].convoluted];
        if !is_plain || [channels, height, width, output[0], output[1]].contains(&0) || output[1] >= WIDE {
            return Ok(None);
        }
        let geometry = Geometry {
            channels,
            input: [height, width],
            filter: [filter_height, filter_width],
            stride: [pool.stride(0), pool.stride(1)],
            before: [padding[0].pad_before, padding[1].pad_before],
            output,
        };
        let filters = conv.output_channels();
        let Some(Choice { side, kernel, packing }) = Choice::new(filters, geometry.column(), geometry.columns()) else {
            return Ok(None);
        };
        let (left, right) = &kernel.packings()[packing];
        let (columns_format, weights_format) = side.of(left, right);
        let Some(format) = columns_format.downcast_ref::<PackedFormat>().cloned() else { return Ok(None) };
        let mut weights = weights.clone().into_tensor();
        weights.set_shape(&[filters, geometry.column()])?;
        let rectifier = rectifier(network, node);
        Ok(Some(Self {
            name: node.name.clone(),
            input: node.inputs[0],
            bias: node.inputs[2],
            output: rectifier.map_or(node.id, |rectifier| rectifier.id).into(),
            zero: rectifier.map(|rectifier| rectifier.inputs[1]),
            weights: weights_format.prepare_one(&weights, 1, 0)?,
            side,
            kernel,
            packing,
            filters,
            geometry,
            format,
        }))
    }

    /// The same as columns, a product of matrices, and another shape.
    ///
    /// # Errors
    /// tract refuses what is put together.
    pub fn patch(self, network: &TypedModel) -> TractResult<TypedModelPatch> {
        let Self { name, geometry, .. } = self;
        let mut patch = TypedModelPatch::default();
        let mut tap = |outlet| patch.tap_model(network, outlet);
        let (map, bias, zero) = (tap(self.input)?, tap(self.bias)?, self.zero.map(tap).transpose()?);
        let ([rows, columns], pixels) = (geometry.output, geometry.columns());
        let k = geometry.column().to_dim();
        let laid_out = patch.wire_node(format!("{name}.columns"), Columns::new(geometry, self.format), &[map])?[0];

        let nothing = || MapOutputAxisToInput(tvec!());
        let geometry = AddMatMulGeometry { k, c_to_a_axis_mapping: nothing(), c_to_b_axis_mapping: nothing() };
        let (a, b) = self.side.of(MatMulOperand::Input(0), MatMulOperand::Const(self.weights));
        let mut steps = vec![
            ProtoFusedSpec::AddMatMul { geo: geometry, a, b, packings: vec![(self.packing, None)] },
            match self.side {
                Side::Left => ProtoFusedSpec::BinPerCol(1, BinOp::Add, nothing()),
                Side::Right => ProtoFusedSpec::BinPerRow(1, BinOp::Add, nothing()),
            },
        ];
        let mut inputs = tvec!(laid_out, bias);
        if let Some(zero) = zero {
            steps.push(ProtoFusedSpec::BinScalar(2, BinOp::Max));
            inputs.push(zero);
        }
        let (m, n) = self.side.of(Some(2), Some(1));
        let (mr, nr) = (self.kernel.mr(), self.kernel.nr());
        steps.push(ProtoFusedSpec::Store(vec![OutputStoreSpec::View { m_axis: m, n_axis: n, mr, nr }]));
        let fact = f32::fact([1, self.filters, pixels]);
        let product = OptMatMul::new(vec![self.kernel], ModePicker::Single, fact, m, n, steps, self.packing == 0)?;
        let product = patch.wire_node(format!("{name}.product"), product, &inputs)?[0];
        let shape = AxisOp::Reshape(2, tvec!(pixels.to_dim()), tvec!(rows.to_dim(), columns.to_dim()));
        let maps = patch.wire_node(name, shape, &[product])?[0];
        patch.shunt_outside(network, self.output, maps)?;
        Ok(patch)
    }
}

/// The rectifier, `max(x, 0)`, that takes what `node` gives, if nothing else takes it.
fn rectifier<'a>(network: &'a TypedModel, node: &TypedNode) -> Option<&'a TypedNode> {
    let [successor] = &node.outputs[0].successors[..] else { return None };
    let next = network.node(successor.node);
    let is_maximum = next.op_as::<TypedBinOp>().is_some_and(|op| op.0.is::<Max>());
    let other = network.outlet_fact(*next.inputs.get(1)?).ok()?.konst.as_ref()?;
    let is_zero = other.len() == 1 && other.is_all_zero().unwrap_or(false);
    (is_maximum && successor.slot == 0 && is_zero && !network.outputs.contains(&node.id.into())).then_some(next)
}
