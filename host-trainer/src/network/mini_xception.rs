//! mini-Xception (Arriaga, Valdenegro-Toro and Ploeger 2017): the network of the acting-mirror
//! study, kept as the reference that Mien's own is measured against.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::activation::relu;
use burn::tensor::module::adaptive_avg_pool2d;
use burn::tensor::{Device, Tensor};

use super::layers::{ConvNorm, Layer, Layers, SeparableConv, biased_conv};

/// `[batch, channels, side, side]` -> `[batch, classes]`; 58,423 numbers with one channel and seven classes.
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

impl MiniXception {
    /// The published widths: 8, 8, then modules of 16, 32, 64 and 128 channels.
    pub fn new(channels: usize, classes: usize, device: &Device) -> Self {
        let widths = [8, 16, 32, 64, 128];
        Self {
            stem: vec![ConvNorm::valid([channels, 8], 3, 1, device), ConvNorm::valid([8, 8], 3, 1, device)],
            modules: widths.windows(2).map(|pair| XceptionModule::new(pair[0], pair[1], device)).collect(),
            head: biased_conv([128, classes], 3, device),
        }
    }

    /// Logits of a batch of crops (the published network ends in a softmax; ours is in the loss).
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        let x = self.stem.iter().fold(crops, |x, layer| relu(layer.forward(x)));
        let x = self.modules.iter().fold(x, |x, module| module.forward(x));
        adaptive_avg_pool2d(self.head.forward(x), [1, 1]).flatten::<2>(1, 3)
    }

    /// All layers with weights.
    pub fn layers(&mut self) -> Layers<'_> {
        let stem = self.stem.iter_mut().map(Layer::ConvNorm);
        Layers {
            base: stem.chain(self.modules.iter_mut().flat_map(XceptionModule::layers)).collect(),
            head: vec![Layer::Conv(&mut self.head)],
        }
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

    fn layers(&mut self) -> impl Iterator<Item = Layer<'_>> {
        let shortcut = Layer::ConvNorm(&mut self.shortcut);
        [shortcut].into_iter().chain(self.first.layers()).chain(self.second.layers())
    }
}
