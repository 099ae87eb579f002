//! mini-Xception (Arriaga, Valdenegro-Toro and Ploeger 2017): the network of the acting-mirror
//! study, kept as the reference that Mien's own is measured against.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::activation::relu;
use burn::tensor::module::adaptive_avg_pool2d;
use burn::tensor::{Device, Tensor};

use super::layers::ConvNorm;

/// `[batch, 1, side, side]` -> `[batch, classes]`; 58,423 numbers with seven classes.
#[derive(Module, Debug)]
pub struct MiniXception {
    stem: Vec<ConvNorm>,
    modules: Vec<XceptionModule>,
    head: Conv2d,
}

#[derive(Module, Debug)]
struct XceptionModule {
    shortcut: ConvNorm,
    first: SeparableConv,
    second: SeparableConv,
    pool: MaxPool2d,
}

#[derive(Module, Debug)]
struct SeparableConv {
    depthwise: Conv2d,
    pointwise: ConvNorm,
}

impl MiniXception {
    /// The published widths: 8, 8, then modules of 16, 32, 64 and 128 channels.
    pub fn new(classes: usize, device: &Device) -> Self {
        let valid = |channels| ConvNorm::with_padding(channels, 3, 1, PaddingConfig2d::Valid, device);
        let widths = [8, 16, 32, 64, 128];
        Self {
            stem: vec![valid([1, 8]), valid([8, 8])],
            modules: widths.windows(2).map(|pair| XceptionModule::new(pair[0], pair[1], device)).collect(),
            head: Conv2dConfig::new([128, classes], [3, 3])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(device),
        }
    }

    /// Logits of a batch of crops (the published network ends in a softmax; ours is in the loss).
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        let x = self.stem.iter().fold(crops, |x, layer| relu(layer.forward(x)));
        let x = self.modules.iter().fold(x, |x, module| module.forward(x));
        adaptive_avg_pool2d(self.head.forward(x), [1, 1]).flatten::<2>(1, 3)
    }

    /// See [`super::Network::folded`].
    pub fn folded(mut self) -> Self {
        self.stem = self.stem.into_iter().map(ConvNorm::folded).collect();
        for module in &mut self.modules {
            module.shortcut = module.shortcut.clone().folded();
            for conv in [&mut module.first, &mut module.second] {
                conv.pointwise = conv.pointwise.clone().folded();
            }
        }
        self
    }
}

impl XceptionModule {
    fn new(input: usize, output: usize, device: &Device) -> Self {
        Self {
            shortcut: ConvNorm::new([input, output], 1, 2, device),
            first: SeparableConv::new(input, output, device),
            second: SeparableConv::new(output, output, device),
            pool: MaxPool2dConfig::new([3, 3]).with_strides([2, 2]).with_padding(PaddingConfig2d::Same).init(),
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let shortcut = self.shortcut.forward(input.clone());
        let x = relu(self.first.forward(input));
        self.pool.forward(self.second.forward(x)) + shortcut
    }
}

impl SeparableConv {
    fn new(input: usize, output: usize, device: &Device) -> Self {
        Self {
            depthwise: Conv2dConfig::new([input, input], [3, 3])
                .with_groups(input)
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .with_bias(false)
                .init(device),
            pointwise: ConvNorm::new([input, output], 1, 1, device),
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        self.pointwise.forward(self.depthwise.forward(input))
    }
}
