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

#[derive(Module, Debug)]
struct Stage {
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
            .map(|(&width, &count)| {
                let stage = Stage {
                    down: ConvNorm::new([channels, width], 3, 2, device),
                    blocks: (0..count).map(|_| Block::new(width, device)).collect(),
                };
                channels = width;
                stage
            })
            .collect();
        Self {
            stages,
            dropout: DropoutConfig::new(dropout).init(),
            head: LinearConfig::new(channels, classes).init(device),
        }
    }

    /// Logits of a batch of crops.
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        let features = self.stages.iter().fold(crops, |x, stage| {
            let x = relu(stage.down.forward(x));
            stage.blocks.iter().fold(x, |x, block| block.forward(x))
        });
        let pooled = adaptive_avg_pool2d(features, [1, 1]).flatten::<2>(1, 3);
        self.head.forward(self.dropout.forward(pooled))
    }

    /// All layers with weights.
    pub fn layers(&mut self) -> Layers<'_> {
        let stages = self.stages.iter_mut().flat_map(|stage| {
            let blocks = stage.blocks.iter_mut().flat_map(|block| [&mut block.first, &mut block.second]);
            [&mut stage.down].into_iter().chain(blocks)
        });
        Layers { base: stages.map(Layer::ConvNorm).collect(), head: vec![Layer::Linear(&mut self.head)] }
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
