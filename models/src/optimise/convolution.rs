//! The convolutions that may be taken over from tract.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat};
use tract_onnx::tract_core::ops::nn::DataFormat;

use super::layout::Geometry;

/// A convolution of maps, `[pictures, channels, height, width]`, by constant filters.
pub struct Convolution {
    /// Of its node.
    pub name: String,
    /// What it filters.
    pub input: OutletId,
    /// Added, one number for each filter.
    pub bias: OutletId,
    /// Its result.
    pub output: OutletId,
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
        let filters = conv.output_channels();
        if !is_plain || [pictures, channels, height, width, filters, output[0], output[1]].contains(&0) {
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
}
