//! Layers that several networks share.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::tensor::{Device, Tensor};

/// A square convolution of odd size without bias, followed by batch normalisation.
#[derive(Module, Debug)]
pub struct ConvNorm {
    conv: Conv2d,
    norm: Option<BatchNorm>,
}

/// He et al. 2015: keeps the variance of activations through ReLU layers.
const HE_FAN_OUT: Initializer = Initializer::KaimingNormal { gain: std::f64::consts::SQRT_2, fan_out_only: true };

impl ConvNorm {
    /// A `size` x `size` convolution that keeps the side, or divides it by `stride` (rounded up).
    pub fn new(channels: [usize; 2], size: usize, stride: usize, device: &Device) -> Self {
        let margin = size / 2;
        Self::with_padding(channels, size, stride, PaddingConfig2d::Explicit(margin, margin, margin, margin), device)
    }

    /// The same with its own padding.
    pub fn with_padding(
        channels: [usize; 2],
        size: usize,
        stride: usize,
        padding: PaddingConfig2d,
        device: &Device,
    ) -> Self {
        let conv = Conv2dConfig::new(channels, [size, size])
            .with_stride([stride, stride])
            .with_padding(padding)
            .with_bias(false)
            .with_initializer(HE_FAN_OUT)
            .init(device);
        Self { conv, norm: Some(BatchNormConfig::new(channels[1]).init(device)) }
    }

    /// `[batch, in, h, w]` -> `[batch, out, h / stride, w / stride]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let output = self.conv.forward(input);
        match &self.norm {
            Some(norm) => norm.forward(output),
            None => output,
        }
    }

    /// One convolution with a bias that does the same as this pair does in evaluation.
    pub fn folded(mut self) -> Self {
        let Some(norm) = self.norm.take() else { return self };
        let deviation = norm.running_var.value().add_scalar(norm.epsilon).sqrt();
        let gain = norm.gamma.val() / deviation;
        let bias = norm.beta.val() - norm.running_mean.value() * gain.clone();
        let [out, ..] = self.conv.weight.dims();
        let weight = self.conv.weight.val() * gain.reshape([out, 1, 1, 1]);
        self.conv.weight = Param::from_tensor(weight);
        self.conv.bias = Some(Param::from_tensor(bias));
        self
    }
}
