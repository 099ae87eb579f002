//! The convolutions that are taken over from tract, and what stands in their place.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat};
use tract_onnx::tract_core::ops::math::Max;
use tract_onnx::tract_core::ops::nn::DataFormat;

use super::by_columns;
use super::layout::Geometry;
use super::winograd::Winograd;

/// A convolution of maps, `[pictures, channels, height, width]`, by constant filters, and the rectifier behind it where
/// nothing else sees what that rectifies.
pub struct Convolution {
    /// Of its node.
    pub name: String,
    input: OutletId,
    bias: OutletId,
    /// What the rectifier compares with, if there is one.
    zero: Option<OutletId>,
    output: OutletId,
    /// Maps that are filtered each by itself.
    pub pictures: usize,
    /// Sizes.
    pub geometry: Geometry,
    /// Channels of the output.
    pub filters: usize,
    /// `[filters, numbers of a column]`.
    pub weights: Tensor,
}

/// What a convolution is made of in the patch that takes its place.
pub struct Inputs {
    /// What it filters.
    pub map: OutletId,
    /// Added, one number for each filter.
    pub bias: OutletId,
    /// What the rectifier compares with, if there is one.
    pub zero: Option<OutletId>,
}

impl Convolution {
    /// What is computed at this place of the network, if it is a plain convolution.
    ///
    /// # Errors
    /// The network does not hold together.
    pub fn at(network: &TypedModel, place: usize) -> TractResult<Option<Self>> {
        let node = network.node(place);
        let Some(conv) = node.op_as::<Conv>() else { return Ok(None) };
        let facts = network.node_input_facts(place)?;
        let (Some(&[pictures, channels, height, width]), &[_, weights, bias]) =
            (facts[0].shape.as_concrete(), &facts[..])
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
        if !is_plain || [pictures, channels, height, width, output[0], output[1]].contains(&0) {
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
        let mut weights = weights.clone().into_tensor();
        weights.set_shape(&[filters, geometry.column()])?;
        let rectifier = rectifier(network, node);
        Ok(Some(Self {
            name: node.name.clone(),
            input: node.inputs[0],
            bias: node.inputs[2],
            zero: rectifier.map(|rectifier| rectifier.inputs[1]),
            output: rectifier.map_or(node.id, |rectifier| rectifier.id).into(),
            pictures,
            geometry,
            filters,
            weights,
        }))
    }

    /// What is faster than tract's own way, if anything is.
    ///
    /// # Errors
    /// tract refuses what is put together.
    pub fn patch(&self, network: &TypedModel) -> TractResult<Option<TypedModelPatch>> {
        let mut patch = TypedModelPatch::default();
        let mut tap = |outlet| patch.tap_model(network, outlet);
        let inputs = Inputs { map: tap(self.input)?, bias: tap(self.bias)?, zero: self.zero.map(tap).transpose()? };
        let weights = self.weights.try_as_plain_ram()?.as_slice::<f32>()?;
        let maps = match Winograd::new(self.pictures, &self.geometry, weights, self.zero.is_some()) {
            Some(winograd) => Some(patch.wire_node(&self.name, winograd, &[inputs.map, inputs.bias])?[0]),
            None => by_columns::wire(self, &mut patch, inputs)?,
        };
        let Some(maps) = maps else { return Ok(None) };
        patch.shunt_outside(network, self.output, maps)?;
        Ok(Some(patch))
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
