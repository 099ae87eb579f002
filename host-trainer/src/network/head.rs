//! The end that the published networks share here: global average pooling, then few fully connected layers.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::module::adaptive_avg_pool2d;
use burn::tensor::{Device, Tensor};

use super::layers::Layer;
use crate::config::HeadConfig;

/// `[batch, channels, h, w]` -> logits `[batch, classes]`.
#[derive(Module, Debug)]
pub struct Head {
    norm: Option<BatchNorm>,
    hidden: Vec<Linear>,
    dropout: Dropout,
    output: Linear,
}

impl Head {
    /// On `channels` pooled features.
    pub fn new(config: &HeadConfig, channels: usize, classes: usize, device: &Device) -> Self {
        let mut width = channels;
        let hidden = config
            .hidden
            .iter()
            .map(|&next| LinearConfig::new(std::mem::replace(&mut width, next), next).init(device))
            .collect();
        Self {
            norm: config.batch_norm.then(|| BatchNormConfig::new(channels).init(device)),
            hidden,
            dropout: DropoutConfig::new(config.dropout).init(),
            output: LinearConfig::new(width, classes).init(device),
        }
    }

    /// Logits of feature maps of any size.
    pub fn forward(&self, features: Tensor<4>) -> Tensor<2> {
        let pooled = adaptive_avg_pool2d(features, [1, 1]).flatten::<2>(1, 3);
        let pooled = match &self.norm {
            Some(norm) => norm.forward(pooled),
            None => pooled,
        };
        let x = self.hidden.iter().fold(pooled, |x, layer| layer.forward(x).tanh());
        self.output.forward(self.dropout.forward(x))
    }

    /// Its layers with weights, in order.
    pub fn layers(&mut self) -> Vec<Layer<'_>> {
        let norm = self.norm.iter_mut().map(Layer::Norm);
        let linear = self.hidden.iter_mut().chain([&mut self.output]).map(Layer::Linear);
        norm.chain(linear).collect()
    }
}
