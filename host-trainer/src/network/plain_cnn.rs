//! Plain networks of growing depth: the baselines of the transfer-learning study.
//!
//! The study says no more than "four CNNs of growing depth". Here a network of `depth` blocks
//! has in each block a 3 x 3 convolution with batch normalisation and ReLU, twice as many
//! channels as in the block before (32 at first), and 2 x 2 max pooling.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::head::Head;
use super::layers::{ConvNorm, Layer, Layers, max_pool_2};
use crate::config::HeadConfig;

/// `[batch, channels, side, side]` -> `[batch, classes]`.
#[derive(Module, Debug)]
pub struct PlainCnn {
    convs: Vec<ConvNorm>,
    head: Head,
}

/// Channels of the first block.
const WIDTH: usize = 32;

impl PlainCnn {
    /// A network of `depth` blocks.
    pub fn new(depth: usize, head: &HeadConfig, channels: usize, classes: usize, device: &Device) -> Self {
        let mut input = channels;
        let convs = (0..depth)
            .map(|index| {
                let output = WIDTH << index;
                ConvNorm::new([std::mem::replace(&mut input, output), output], 3, 1, device)
            })
            .collect();
        Self { convs, head: Head::new(head, input, classes, device) }
    }

    /// Logits of a batch.
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        let features = self.convs.iter().fold(crops, |x, conv| max_pool_2(relu(conv.forward(x))));
        self.head.forward(features)
    }

    /// All layers with weights.
    pub fn layers(&mut self) -> Layers<'_> {
        Layers { base: self.convs.iter_mut().map(Layer::ConvNorm).collect(), head: self.head.layers() }
    }
}
