//! Layers that several networks share.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, Linear, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor};

/// He et al. 2015: keeps the variance of activations through ReLU layers.
const HE_FAN_OUT: Initializer = Initializer::KaimingNormal { gain: std::f64::consts::SQRT_2, fan_out_only: true };

/// Share of every batch in the statistics of a normalisation: the library's.
const MOMENTUM: f64 = 0.1;

/// A part of a network that has weights: what is folded for export, or frozen for fine-tuning.
pub enum Layer<'a> {
    /// A convolution and the normalisation of its output.
    ConvNorm(&'a mut ConvNorm),
    /// A convolution alone.
    Conv(&'a mut Conv2d),
    /// A normalisation that no convolution comes right before.
    Norm(&'a mut BatchNorm),
    /// A fully connected layer.
    Linear(&'a mut Linear),
}

/// All layers with weights of a network, in the order of the forward pass.
pub struct Layers<'a> {
    /// Those that find features.
    pub base: Vec<Layer<'a>>,
    /// Those that give the logits.
    pub head: Vec<Layer<'a>>,
}

impl Layer<'_> {
    /// Takes the layer out of training: no gradient for its weights, and its batch statistics stay as they are.
    pub fn freeze(self) {
        match self {
            Self::ConvNorm(layer) => *layer = layer.clone().freeze(),
            Self::Conv(layer) => *layer = layer.clone().freeze(),
            Self::Norm(layer) => *layer = layer.clone().freeze(),
            Self::Linear(layer) => *layer = layer.clone().freeze(),
        }
    }

    /// Folds the normalisation into the convolution, where the layer has both.
    pub fn fold(self) {
        if let Self::ConvNorm(layer) = self {
            layer.fold();
        }
    }
}

impl<'a> Layer<'a> {
    /// The convolution and its normalisation, where the layer has both.
    pub fn conv_norm(self) -> Option<&'a mut ConvNorm> {
        if let Self::ConvNorm(layer) = self { Some(layer) } else { None }
    }
}

/// A square convolution without bias, followed by batch normalisation.
#[derive(Module, Debug)]
pub struct ConvNorm {
    conv: Conv2d,
    norm: Option<BatchNorm>,
}

impl ConvNorm {
    /// A convolution of odd `size` that keeps the side, or divides it by `stride` (rounded up).
    pub fn new(channels: [usize; 2], size: usize, stride: usize, device: &Device) -> Self {
        Self::of(&conv(channels, size, stride), device)
    }

    /// The same without padding.
    pub fn valid(channels: [usize; 2], size: usize, stride: usize, device: &Device) -> Self {
        Self::of(&conv(channels, size, stride).with_padding(PaddingConfig2d::Valid), device)
    }

    /// One filter of odd `size` for each channel.
    pub fn depthwise(channels: usize, size: usize, stride: usize, device: &Device) -> Self {
        Self::of(&conv([channels, channels], size, stride).with_groups(channels), device)
    }

    fn of(conv: &Conv2dConfig, device: &Device) -> Self {
        Self { conv: conv.init(device), norm: Some(BatchNormConfig::new(conv.channels[1]).init(device)) }
    }

    /// With another number than 1e-5 added to the variance.
    pub fn with_epsilon(mut self, epsilon: f64) -> Self {
        if let Some(norm) = &mut self.norm {
            norm.epsilon = epsilon;
        }
        self
    }

    /// `[batch, in, h, w]` -> `[batch, out, h / stride, w / stride]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let output = self.conv.forward(input);
        match &self.norm {
            Some(norm) => norm.forward(output),
            None => output,
        }
    }

    /// Lets the next forward pass in training keep the statistics of its batch alone, or again a moving average.
    fn keep_last_batch(&mut self, alone: bool) {
        if let Some(norm) = &mut self.norm {
            norm.momentum = if alone { 1.0 } else { MOMENTUM };
        }
    }

    /// The reverse of folding, where the normalisation has but the folded shift: with the statistics that it has kept,
    /// it gets the scale and the shift under which it changes nothing else.
    fn unfold(&mut self) {
        let Some(norm) = &mut self.norm else { return };
        let deviation = norm.running_var.value_sync().add_scalar(norm.epsilon).sqrt();
        let shift = norm.beta.val().detach() + norm.running_mean.value_sync();
        norm.gamma = Param::initialized(norm.gamma.id, deviation.detach().require_grad());
        norm.beta = Param::initialized(norm.beta.id, shift.detach().require_grad());
    }

    /// Becomes one convolution with a bias that does the same as this pair does in evaluation.
    fn fold(&mut self) {
        let Some(norm) = self.norm.take() else { return };
        let deviation = norm.running_var.value().add_scalar(norm.epsilon).sqrt();
        let gain = norm.gamma.val() / deviation;
        let bias = norm.beta.val() - norm.running_mean.value() * gain.clone();
        let [out, ..] = self.conv.weight.dims();
        let weight = self.conv.weight.val() * gain.reshape([out, 1, 1, 1]);
        self.conv.weight = Param::from_tensor(weight);
        self.conv.bias = Some(Param::from_tensor(bias));
    }
}

/// Unfolds all of `conv_norms` of a network, which come in the order of the forward pass: each gets the statistics of what
/// `forward` gives it, and the scale that goes with them, so that the network answers as the folded one did and can learn
/// on. One with random weights gets a normalisation that changes nothing.
pub fn unfold<N>(network: &mut N, conv_norms: impl Fn(&mut N) -> Vec<&mut ConvNorm>, forward: impl Fn(&N)) {
    // One after the other: what a layer is given depends on those before it.
    for number in 0..conv_norms(network).len() {
        conv_norms(network)[number].keep_last_batch(true);
        forward(network);
        let layer = &mut conv_norms(network)[number];
        layer.unfold();
        layer.keep_last_batch(false);
    }
}

/// A square convolution of odd `size` without bias that keeps the side, or divides it by `stride` (rounded up).
pub fn conv(channels: [usize; 2], size: usize, stride: usize) -> Conv2dConfig {
    let margin = size / 2;
    Conv2dConfig::new(channels, [size, size])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(margin, margin, margin, margin))
        .with_bias(false)
        .with_initializer(HE_FAN_OUT)
}

/// The same with a bias, which begins at 0.
pub fn biased_conv(channels: [usize; 2], size: usize, device: &Device) -> Conv2d {
    let mut conv = conv(channels, size, 1).init(device);
    conv.bias = Some(Initializer::Zeros.init([channels[1]], device));
    conv
}

/// Maximum over squares of 2 x 2 px; halves the side, rounded down.
pub fn max_pool_2(x: Tensor<4>) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions::new([2, 2]))
}

/// Maximum over 3 x 3 px around every pixel, or around every second one: `stride` 1 keeps the side, 2 halves it, rounded
/// up.
pub fn max_pool_3(x: Tensor<4>, stride: usize) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions::new([3, 3]).with_stride([stride, stride]).with_padding([1, 1]))
}

/// A depthwise convolution and a pointwise one with normalisation (Chollet 2017, "Xception").
#[derive(Module, Debug)]
pub struct SeparableConv {
    depthwise: Conv2d,
    pointwise: ConvNorm,
}

impl SeparableConv {
    /// 3 x 3; keeps the side.
    pub fn new(input: usize, output: usize, device: &Device) -> Self {
        Self {
            depthwise: conv([input, input], 3, 1).with_groups(input).init(device),
            pointwise: ConvNorm::new([input, output], 1, 1, device),
        }
    }

    /// `[batch, input, h, w]` -> `[batch, output, h, w]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        self.pointwise.forward(self.depthwise.forward(input))
    }

    /// Both layers.
    pub fn layers(&mut self) -> [Layer<'_>; 2] {
        [Layer::Conv(&mut self.depthwise), Layer::ConvNorm(&mut self.pointwise)]
    }
}

/// `min(max(x, 0), 6)` by operations that the exporter knows; exact for every x up to 6.
pub fn relu6(x: Tensor<4>) -> Tensor<4> {
    relu(x.clone()) - relu(x.sub_scalar(6.0))
}
