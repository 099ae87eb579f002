//! The convolutions that are taken over from tract, and what stands in their place.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat};
use tract_onnx::tract_core::ops::math::{Add, Max};
use tract_onnx::tract_core::ops::nn::DataFormat;

use super::layout::Geometry;
use super::{by_columns, pixelwise};

/// A convolution of maps, `[pictures, channels, height, width]`, by constant filters.
pub struct Convolution {
    /// Of its node.
    pub name: String,
    input: OutletId,
    bias: OutletId,
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
    /// Added after that, if anything is: a map like the output.
    pub shortcut: Option<OutletId>,
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
        Ok(Some(Self {
            name: node.name.clone(),
            input: node.inputs[0],
            bias: node.inputs[2],
            output: node.id.into(),
            pictures,
            geometry,
            filters,
            weights,
        }))
    }

    /// What is faster than tract's own way, if anything is, together with what follows that it can do as well.
    ///
    /// # Errors
    /// tract refuses what is put together.
    pub fn patch(&self, network: &TypedModel) -> TractResult<Option<TypedModelPatch>> {
        let added = addition(network, self.output);
        let sum = added.map_or(self.output, |(sum, _)| sum);
        let mut patch = TypedModelPatch::default();
        let mut wired = |rectified: OutletId, shortcut: Option<OutletId>, way: Wire| -> TractResult<Option<OutletId>> {
            let rectifier = rectifier(network, rectified);
            let mut tap = |outlet| patch.tap_model(network, outlet);
            let inputs = Inputs {
                map: tap(self.input)?,
                bias: tap(self.bias)?,
                shortcut: shortcut.map(&mut tap).transpose()?,
                zero: rectifier.map(|(_, zero)| tap(zero)).transpose()?,
            };
            let Some(maps) = way(self, &mut patch, inputs)? else { return Ok(None) };
            let output = rectifier.map_or(rectified, |(output, _)| output);
            patch.shunt_outside(network, output, maps)?;
            Ok(Some(maps))
        };
        let done = match wired(sum, added.map(|(_, other)| other), pixelwise::wire)? {
            None => wired(self.output, None, by_columns::wire)?,
            done => done,
        };
        Ok(done.map(|_| patch))
    }
}

/// How a convolution is put into a patch; gives its output, or nothing if this way is none for it.
type Wire = fn(&Convolution, &mut TypedModelPatch, Inputs) -> TractResult<Option<OutletId>>;

/// The only node that takes what `outlet` gives, if there is only one and the network does not give it too.
fn successor(network: &TypedModel, outlet: OutletId) -> Option<(&TypedNode, usize)> {
    let [successor] = &network.node(outlet.node).outputs[outlet.slot].successors[..] else { return None };
    let is_given = network.outputs.contains(&outlet);
    (!is_given).then(|| (network.node(successor.node), successor.slot))
}

/// The rectifier, `max(x, 0)`, that takes what `outlet` gives, if nothing else takes it: its output, and its zero.
fn rectifier(network: &TypedModel, outlet: OutletId) -> Option<(OutletId, OutletId)> {
    let (next, slot) = successor(network, outlet)?;
    let is_maximum = next.op_as::<TypedBinOp>().is_some_and(|op| op.0.is::<Max>());
    let zero = *next.inputs.get(1)?;
    let other = network.outlet_fact(zero).ok()?.konst.as_ref()?;
    let is_zero = other.len() == 1 && other.is_all_zero().unwrap_or(false);
    (is_maximum && slot == 0 && is_zero).then(|| (next.id.into(), zero))
}

/// The sum of what `outlet` gives and of another map of its shape, if nothing else takes it: the sum, and the other map.
fn addition(network: &TypedModel, outlet: OutletId) -> Option<(OutletId, OutletId)> {
    let (next, slot) = successor(network, outlet)?;
    let is_sum = next.op_as::<TypedBinOp>().is_some_and(|op| op.0.is::<Add>());
    let other = *next.inputs.get(1 - slot.min(1))?;
    let [own, others] = [outlet, other].map(|outlet| network.outlet_fact(outlet).ok());
    let is_like_it = own?.shape == others?.shape && own?.datum_type == others?.datum_type && others?.konst.is_none();
    (is_sum && is_like_it).then(|| (next.id.into(), other))
}
