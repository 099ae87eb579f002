//! EfficientNet-Lite0 (Liu 2020, "Higher accuracy on vision models with EfficientNet-Lite"): EfficientNet-B0 for edge devices, with
//! ReLU6 and without squeeze-and-excitation.
//!
//! Convolutions of stride 2 pad evenly here, where TensorFlow's pad below and at the right only: half a pixel's shift, which
//! fine-tuning takes up.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::efficientnet::{LAST, STAGES, STEM};
use super::head::Head;
use super::inverted_residual::{InvertedResidual, Kind, Shape};
use super::layers::{ConvNorm, Layer, Layers, relu6};
use crate::config::HeadConfig;

/// `[batch, channels, side, side]` -> `[batch, classes]`.
#[derive(Module, Debug)]
pub struct EfficientNetLite0 {
    stem: ConvNorm,
    blocks: Vec<InvertedResidual>,
    last: ConvNorm,
    head: Head,
}

/// What the names of Melas-Kyriazi's EfficientNet-PyTorch become, under which weights for PyTorch are published.
pub const TORCH_NAMES: &[(&str, &str)] = &[
    (r"^_conv_stem\.", "stem.conv."),
    (r"^_bn0\.", "stem.norm."),
    (r"^_conv_head\.", "last.conv."),
    (r"^_bn1\.", "last.norm."),
    (r"^_blocks\.(\d+)\._expand_conv\.", "blocks.$1.expand.conv."),
    (r"^_blocks\.(\d+)\._bn0\.", "blocks.$1.expand.norm."),
    (r"^_blocks\.(\d+)\._depthwise_conv\.", "blocks.$1.depthwise.conv."),
    (r"^_blocks\.(\d+)\._bn1\.", "blocks.$1.depthwise.norm."),
    (r"^_blocks\.(\d+)\._project_conv\.", "blocks.$1.project.conv."),
    (r"^_blocks\.(\d+)\._bn2\.", "blocks.$1.project.norm."),
    (r"^_fc\.", "head.output."),
];

impl EfficientNetLite0 {
    /// The published widths.
    pub fn new(head: &HeadConfig, channels: usize, classes: usize, device: &Device) -> Self {
        let mut input = STEM;
        let mut blocks = Vec::new();
        for [expansion, size, output, count, first_stride] in STAGES {
            for number in 0..count {
                let stride = if number == 0 { first_stride } else { 1 };
                let shape = Shape { expansion, size, stride, input, output };
                blocks.push(InvertedResidual::new(shape, Kind::EfficientNetLite, device));
                input = output;
            }
        }
        let epsilon = Kind::EfficientNetLite.epsilon();
        Self {
            stem: ConvNorm::new([channels, STEM], 3, 2, device).with_epsilon(epsilon),
            blocks,
            last: ConvNorm::new([input, LAST], 1, 1, device).with_epsilon(epsilon),
            head: Head::new(head, LAST, classes, device),
        }
    }

    /// Logits of a batch.
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        let x = relu6(self.stem.forward(crops));
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        self.head.forward(relu6(self.last.forward(x)))
    }

    /// All layers with weights.
    pub fn layers(&mut self) -> Layers<'_> {
        let blocks = self.blocks.iter_mut().flat_map(InvertedResidual::layers);
        let last = Layer::ConvNorm(&mut self.last);
        Layers {
            base: [Layer::ConvNorm(&mut self.stem)].into_iter().chain(blocks).chain([last]).collect(),
            head: self.head.layers(),
        }
    }
}
