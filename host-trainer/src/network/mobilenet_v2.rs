//! MobileNetV2 (Sandler et al. 2018), width 1.0, as torchvision builds it.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::head::Head;
use super::inverted_residual::{InvertedResidual, Kind, stages};
use super::layers::{ConvNorm, Layer, Layers, relu6};
use crate::config::HeadConfig;

/// `[batch, channels, side, side]` -> `[batch, classes]`.
#[derive(Module, Debug)]
pub struct MobileNetV2 {
    stem: ConvNorm,
    blocks: Vec<InvertedResidual>,
    last: ConvNorm,
    head: Head,
}

/// What torchvision's names become. The first block has no expansion, so its numbers mean other layers.
pub const TORCH_NAMES: &[(&str, &str)] = &[
    (r"^features\.0\.0\.", "stem.conv."),
    (r"^features\.0\.1\.", "stem.norm."),
    (r"^features\.18\.0\.", "last.conv."),
    (r"^features\.18\.1\.", "last.norm."),
    (r"^features\.1\.conv\.0\.0\.", "blocks.1.depthwise.conv."),
    (r"^features\.1\.conv\.0\.1\.", "blocks.1.depthwise.norm."),
    (r"^features\.1\.conv\.1\.", "blocks.1.project.conv."),
    (r"^features\.1\.conv\.2\.", "blocks.1.project.norm."),
    (r"^features\.(\d+)\.conv\.0\.0\.", "blocks.$1.expand.conv."),
    (r"^features\.(\d+)\.conv\.0\.1\.", "blocks.$1.expand.norm."),
    (r"^features\.(\d+)\.conv\.1\.0\.", "blocks.$1.depthwise.conv."),
    (r"^features\.(\d+)\.conv\.1\.1\.", "blocks.$1.depthwise.norm."),
    (r"^features\.(\d+)\.conv\.2\.", "blocks.$1.project.conv."),
    (r"^features\.(\d+)\.conv\.3\.", "blocks.$1.project.norm."),
    (r"^classifier\.1\.", "head.output."),
];

/// Expansion, side of the filters, channels, blocks, stride of the first block.
const STAGES: [[usize; 5]; 7] = [
    [1, 3, 16, 1, 1],
    [6, 3, 24, 2, 2],
    [6, 3, 32, 3, 2],
    [6, 3, 64, 4, 2],
    [6, 3, 96, 3, 1],
    [6, 3, 160, 3, 2],
    [6, 3, 320, 1, 1],
];
const STEM: usize = 32;
const LAST: usize = 1280;

impl MobileNetV2 {
    /// The published widths.
    pub fn new(head: &HeadConfig, channels: usize, classes: usize, device: &Device) -> Self {
        Self::of(STAGES, Kind::MobileNet, head, [channels, classes], device)
    }

    /// Of other stages, and blocks of a kind without squeeze-and-excitation.
    pub fn of(
        table: [[usize; 5]; 7],
        kind: Kind,
        head: &HeadConfig,
        [channels, classes]: [usize; 2],
        device: &Device,
    ) -> Self {
        // Before the stem, in the order in which weights have always been drawn.
        let blocks = stages(table, kind, STEM, device).into_iter().flatten().collect();
        let [.., [_, _, width, _, _]] = table;
        Self {
            stem: ConvNorm::new([channels, STEM], 3, 2, device).with_epsilon(kind.epsilon()),
            blocks,
            last: ConvNorm::new([width, LAST], 1, 1, device).with_epsilon(kind.epsilon()),
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
