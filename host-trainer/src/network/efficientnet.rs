//! EfficientNet-B0 (Tan and Le 2019), as torchvision builds it but for its stochastic depth, which is left out.

use burn::module::Module;
use burn::tensor::activation::silu;
use burn::tensor::{Device, Tensor};

use super::head::Head;
use super::inverted_residual::{InvertedResidual, Kind, stages};
use super::layers::{ConvNorm, Layer, Layers};
use crate::config::HeadConfig;

/// `[batch, channels, side, side]` -> `[batch, classes]`.
#[derive(Module, Debug)]
pub struct EfficientNetB0 {
    stem: ConvNorm,
    stages: Vec<Vec<InvertedResidual>>,
    last: ConvNorm,
    head: Head,
}

/// What torchvision's names become. The first stage has no expansion, so its numbers mean other layers.
pub const TORCH_NAMES: &[(&str, &str)] = &[
    (r"^features\.0\.0\.", "stem.conv."),
    (r"^features\.0\.1\.", "stem.norm."),
    (r"^features\.8\.0\.", "last.conv."),
    (r"^features\.8\.1\.", "last.norm."),
    (r"^features\.(\d)\.(\d)\.block\.", "stages.$1.$2."),
    (r"^stages\.1\.0\.0\.0\.", "stages.1.0.depthwise.conv."),
    (r"^stages\.1\.0\.0\.1\.", "stages.1.0.depthwise.norm."),
    (r"^stages\.1\.0\.1\.", "stages.1.0.squeeze."),
    (r"^stages\.1\.0\.2\.0\.", "stages.1.0.project.conv."),
    (r"^stages\.1\.0\.2\.1\.", "stages.1.0.project.norm."),
    (r"^stages\.(\d)\.(\d)\.0\.0\.", "stages.$1.$2.expand.conv."),
    (r"^stages\.(\d)\.(\d)\.0\.1\.", "stages.$1.$2.expand.norm."),
    (r"^stages\.(\d)\.(\d)\.1\.0\.", "stages.$1.$2.depthwise.conv."),
    (r"^stages\.(\d)\.(\d)\.1\.1\.", "stages.$1.$2.depthwise.norm."),
    (r"^stages\.(\d)\.(\d)\.2\.", "stages.$1.$2.squeeze."),
    (r"^stages\.(\d)\.(\d)\.3\.0\.", "stages.$1.$2.project.conv."),
    (r"^stages\.(\d)\.(\d)\.3\.1\.", "stages.$1.$2.project.norm."),
    (r"^classifier\.1\.", "head.output."),
];

/// Expansion, side of the filters, channels, blocks, stride of the first block.
pub const STAGES: [[usize; 5]; 7] = [
    [1, 3, 16, 1, 1],
    [6, 3, 24, 2, 2],
    [6, 5, 40, 2, 2],
    [6, 3, 80, 3, 2],
    [6, 5, 112, 3, 1],
    [6, 5, 192, 4, 2],
    [6, 3, 320, 1, 1],
];
const STEM: usize = 32;
const LAST: usize = 1280;

impl EfficientNetB0 {
    /// The published widths.
    pub fn new(head: &HeadConfig, channels: usize, classes: usize, device: &Device) -> Self {
        // Before the stem, in the order in which weights have always been drawn.
        let stages = stages(STAGES, Kind::EfficientNet, STEM, device);
        let [.., [_, _, width, _, _]] = STAGES;
        Self {
            stem: ConvNorm::new([channels, STEM], 3, 2, device),
            stages,
            last: ConvNorm::new([width, LAST], 1, 1, device),
            head: Head::new(head, LAST, classes, device),
        }
    }

    /// Logits of a batch.
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        let x = silu(self.stem.forward(crops));
        let x = self.stages.iter().flatten().fold(x, |x, block| block.forward(x));
        self.head.forward(silu(self.last.forward(x)))
    }

    /// All layers with weights.
    pub fn layers(&mut self) -> Layers<'_> {
        let blocks = self.stages.iter_mut().flatten().flat_map(InvertedResidual::layers);
        let last = Layer::ConvNorm(&mut self.last);
        Layers {
            base: [Layer::ConvNorm(&mut self.stem)].into_iter().chain(blocks).chain([last]).collect(),
            head: self.head.layers(),
        }
    }
}
