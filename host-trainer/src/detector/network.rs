//! The detector's network: an anchor-free one in the form of YuNet (Wu et al. 2023, "YuNet: a tiny millisecond-level face
//! detector"), built of what tract runs fast.
//!
//! Five convolutions halve the picture, residual blocks follow, and the maps at strides 8, 16 and 32 have a head each.
//! Unlike YuNet's there are no depthwise convolutions, no pooling and no neck, and the input is gray.

use burn::module::Module;
use burn::nn::Initializer;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};

use super::config::DetectorConfig;
use super::form::{STRIDES, VALUES};
use crate::network::layers::{ConvNorm, Layer, biased_conv, conv, unfold};
use crate::network::residual::Stage;

/// Grays are multiplied by this, which brings them near 1.
const INPUT_SCALE: f64 = 1.0 / 64.0;
/// Logit of a face in the beginning: one cell in a hundred.
const RARE: f32 = -4.6;

/// `[batch, 1, h, w]` of gray 0..=255 -> three maps.
#[derive(Module, Debug)]
pub struct DetectorNet {
    /// Without normalisation, which would cost as much as the convolution on a map of this size.
    stem: Conv2d,
    stages: Vec<Stage>,
    heads: Vec<Head>,
}

#[derive(Module, Debug)]
struct Head {
    mix: ConvNorm,
    out: Conv2d,
}

impl DetectorNet {
    /// With fresh random weights (seed the device first).
    pub fn new(config: &DetectorConfig, device: &Device) -> Self {
        let [mut channels, ..] = config.widths;
        let mut stem = conv([1, channels], 3, 2).init(device);
        stem.bias = Some(Initializer::Zeros.init([channels], device));
        let stages = config.widths[1..]
            .iter()
            .zip(config.blocks)
            .map(|(&width, blocks)| Stage::new([std::mem::replace(&mut channels, width), width], blocks, device))
            .collect();
        let with_heads = &config.widths[config.widths.len() - STRIDES.len()..];
        let heads =
            with_heads.iter().zip(config.head_widths).map(|(&from, width)| Head::new(from, width, device)).collect();
        Self { stem, stages, heads }
    }

    /// For each stride the numbers of its cells, `[batch, 16, h / stride, w / stride]`.
    pub fn maps(&self, pictures: Tensor<4>) -> Vec<Tensor<4>> {
        let mut features = relu(self.stem.forward(pictures.mul_scalar(INPUT_SCALE)));
        let first = self.stages.len() - self.heads.len();
        let mut maps = Vec::with_capacity(self.heads.len());
        for (index, stage) in self.stages.iter().enumerate() {
            features = stage.forward(features);
            if let Some(head) = index.checked_sub(first).and_then(|level| self.heads.get(level)) {
                maps.push(head.forward(features.clone()));
            }
        }
        maps
    }

    /// The numbers of all cells, `[batch, cells, 16]`: stride after stride, row by row.
    pub fn forward(&self, pictures: Tensor<4>) -> Tensor<3> {
        let cells = |map: Tensor<4>| {
            let [batch, values, height, width] = map.dims();
            map.reshape([batch, values, height * width]).swap_dims(1, 2)
        };
        Tensor::cat(self.maps(pictures).into_iter().map(cells).collect(), 1)
    }

    /// The reverse of [`Self::folded`], for a network in training whose normalisations have but the folded shift: see
    /// [`unfold`]; with the statistics of `pictures`, `[batch, 1, h, w]` of gray.
    pub fn unfolded(mut self, pictures: &Tensor<4>) -> Self {
        unfold(&mut self, Self::conv_norms, |network| {
            network.maps(pictures.clone());
        });
        self
    }

    /// The convolutions with a normalisation, those of the heads after those that they depend on.
    fn conv_norms(&mut self) -> Vec<&mut ConvNorm> {
        let layers = self.stages.iter_mut().flat_map(Stage::layers);
        layers.filter_map(Layer::conv_norm).chain(self.heads.iter_mut().map(|head| &mut head.mix)).collect()
    }

    /// The same function with every batch normalisation folded into its convolution.
    pub fn folded(&self) -> Self {
        let mut network = self.valid();
        network.stages.iter_mut().flat_map(Stage::layers).for_each(Layer::fold);
        network.heads.iter_mut().for_each(|head| Layer::ConvNorm(&mut head.mix).fold());
        network
    }
}

impl Head {
    fn new(channels: usize, width: usize, device: &Device) -> Self {
        let mut out = biased_conv([width, VALUES], 1, device);
        // Boxes and points begin around the middle of the cell, which is at half a stride.
        let mut start = [0.5; VALUES];
        start[0] = RARE;
        start[1] = 0.0;
        out.bias =
            out.bias.map(|bias| bias.map(|_| Tensor::from_data(TensorData::new(start.to_vec(), [VALUES]), device)));
        Self { mix: ConvNorm::new([channels, width], 1, 1, device), out }
    }

    fn forward(&self, features: Tensor<4>) -> Tensor<4> {
        self.out.forward(relu(self.mix.forward(features)))
    }
}
