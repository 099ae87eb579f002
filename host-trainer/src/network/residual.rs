//! Mien's own network: a stride-2 stem and residual 3x3 convolutions.
//!
//! He et al. 2016 ("Deep residual learning for image recognition") without its 1x1 stride-2
//! shortcuts and without max pooling, both of which are slow under tract: a stage is one
//! stride-2 convolution and then identity-shortcut blocks.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::module::adaptive_avg_pool2d;
use burn::tensor::{Device, Tensor};

use super::layers::{ConvNorm, Layer, Layers};

/// `[batch, channels, side, side]` -> `[batch, classes]`.
#[derive(Module, Debug)]
pub struct ResidualNet {
    stages: Vec<Stage>,
    dropout: Dropout,
    head: Linear,
}

/// A convolution that halves the side, and residual blocks behind it.
#[derive(Module, Debug)]
pub struct Stage {
    down: ConvNorm,
    blocks: Vec<Block>,
}

#[derive(Module, Debug)]
struct Block {
    first: ConvNorm,
    second: ConvNorm,
}

impl ResidualNet {
    /// One stage for each entry of `widths` (channels) and `blocks` (residual blocks).
    pub fn new(
        widths: &[usize],
        blocks: &[usize],
        dropout: f64,
        [mut channels, classes]: [usize; 2],
        device: &Device,
    ) -> Self {
        let stages = widths
            .iter()
            .zip(blocks)
            .map(|(&width, &count)| Stage::new([std::mem::replace(&mut channels, width), width], count, device))
            .collect();
        Self {
            stages,
            dropout: DropoutConfig::new(dropout).init(),
            head: LinearConfig::new(channels, classes).init(device),
        }
    }

    /// Logits of a batch of crops.
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        let features = self.stages.iter().fold(crops, |x, stage| stage.forward(x));
        let pooled = adaptive_avg_pool2d(features, [1, 1]).flatten::<2>(1, 3);
        self.head.forward(self.dropout.forward(pooled))
    }

    /// The same network, to be trained, with logits that are so many times as large.
    pub fn times(mut self, factor: f64) -> Self {
        self.head.weight = self.head.weight.map(|weight| weight.mul_scalar(factor).detach().require_grad());
        self.head.bias = self.head.bias.map(|bias| bias.map(|bias| bias.mul_scalar(factor).detach().require_grad()));
        self
    }

    /// All layers with weights.
    pub fn layers(&mut self) -> Layers<'_> {
        let base = self.stages.iter_mut().flat_map(Stage::layers).collect();
        Layers { base, head: vec![Layer::Linear(&mut self.head)] }
    }
}

impl Stage {
    /// From and to so many channels, with so many blocks.
    pub fn new([input, width]: [usize; 2], blocks: usize, device: &Device) -> Self {
        Self {
            down: ConvNorm::new([input, width], 3, 2, device),
            blocks: (0..blocks).map(|_| Block::new(width, device)).collect(),
        }
    }

    /// `[batch, input, h, w]` -> `[batch, width, h / 2, w / 2]`, rounded up.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let x = relu(self.down.forward(input));
        self.blocks.iter().fold(x, |x, block| block.forward(x))
    }

    /// All layers with weights.
    pub fn layers(&mut self) -> impl Iterator<Item = Layer<'_>> {
        let blocks = self.blocks.iter_mut().flat_map(|block| [&mut block.first, &mut block.second]);
        [&mut self.down].into_iter().chain(blocks).map(Layer::ConvNorm)
    }
}

impl Block {
    fn new(width: usize, device: &Device) -> Self {
        Self { first: ConvNorm::new([width, width], 3, 1, device), second: ConvNorm::new([width, width], 3, 1, device) }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let inner = relu(self.first.forward(input.clone()));
        relu(self.second.forward(inner) + input)
    }
}
