//! DenseNet-121 (Huang et al. 2017), as torchvision builds it: every layer sees the channels of all before it.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::activation::relu;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Device, Tensor};

use super::head::Head;
use super::layers::{ConvNorm, Layer, Layers, conv, max_pool_3};
use crate::config::HeadConfig;

/// `[batch, channels, side, side]` -> `[batch, classes]`.
#[derive(Module, Debug)]
pub struct DenseNet121 {
    stem: ConvNorm,
    blocks: Vec<Vec<DenseLayer>>,
    transitions: Vec<Transition>,
    norm: BatchNorm,
    head: Head,
}

/// Adds [`GROWTH`] channels to those it is given.
#[derive(Module, Debug)]
struct DenseLayer {
    norm: BatchNorm,
    bottleneck: ConvNorm,
    growth: Conv2d,
}

/// Halves the channels and the side between two blocks.
#[derive(Module, Debug)]
struct Transition {
    norm: BatchNorm,
    conv: Conv2d,
}

/// What torchvision's names become, those of its older files (`norm.1` for `norm1`) too.
pub const TORCH_NAMES: &[(&str, &str)] = &[
    (r"^features\.conv0\.", "stem.conv."),
    (r"^features\.norm0\.", "stem.norm."),
    (r"^features\.norm5\.", "norm."),
    (r"^features\.transition(\d)\.", "transitions.$1."),
    (r"^features\.denseblock(\d)\.denselayer(\d+)\.", "blocks.$1.$2."),
    (r"^(blocks\.\d\.\d+)\.norm\.?1\.", "$1.norm."),
    (r"^(blocks\.\d\.\d+)\.conv\.?1\.", "$1.bottleneck.conv."),
    (r"^(blocks\.\d\.\d+)\.norm\.?2\.", "$1.bottleneck.norm."),
    (r"^(blocks\.\d\.\d+)\.conv\.?2\.", "$1.growth."),
    (r"^classifier\.", "head.output."),
];

/// Layers of each block.
const DEPTHS: [usize; 4] = [6, 12, 24, 16];
const GROWTH: usize = 32;
const STEM: usize = 64;

impl DenseNet121 {
    /// The published widths.
    pub fn new(head: &HeadConfig, channels: usize, classes: usize, device: &Device) -> Self {
        let mut input = STEM;
        let (mut blocks, mut transitions) = (Vec::new(), Vec::new());
        for (index, depth) in DEPTHS.into_iter().enumerate() {
            if index > 0 {
                transitions.push(Transition::new(input, device));
                input /= 2;
            }
            blocks.push((0..depth).map(|number| DenseLayer::new(input + number * GROWTH, device)).collect());
            input += depth * GROWTH;
        }
        Self {
            stem: ConvNorm::new([channels, STEM], 7, 2, device),
            blocks,
            transitions,
            norm: BatchNormConfig::new(input).init(device),
            head: Head::new(head, input, classes, device),
        }
    }

    /// Logits of a batch; the side must be at least 32 px, as it is halved five times.
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        let mut x = max_pool_3(relu(self.stem.forward(crops)), 2);
        let mut transitions = self.transitions.iter();
        for block in &self.blocks {
            x = block.iter().fold(x, |x, layer| layer.forward(x));
            if let Some(transition) = transitions.next() {
                x = transition.forward(x);
            }
        }
        self.head.forward(relu(self.norm.forward(x)))
    }

    /// All layers with weights.
    pub fn layers(&mut self) -> Layers<'_> {
        let mut base = vec![Layer::ConvNorm(&mut self.stem)];
        let mut transitions = self.transitions.iter_mut();
        for block in &mut self.blocks {
            base.extend(block.iter_mut().flat_map(DenseLayer::layers));
            base.extend(transitions.next().into_iter().flat_map(Transition::layers));
        }
        base.push(Layer::Norm(&mut self.norm));
        Layers { base, head: self.head.layers() }
    }
}

impl DenseLayer {
    fn new(input: usize, device: &Device) -> Self {
        Self {
            norm: BatchNormConfig::new(input).init(device),
            bottleneck: ConvNorm::new([input, 4 * GROWTH], 1, 1, device),
            growth: conv([4 * GROWTH, GROWTH], 3, 1).init(device),
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let x = self.bottleneck.forward(relu(self.norm.forward(input.clone())));
        let grown = self.growth.forward(relu(x));
        Tensor::cat(vec![input, grown], 1)
    }

    fn layers(&mut self) -> [Layer<'_>; 3] {
        [Layer::Norm(&mut self.norm), Layer::ConvNorm(&mut self.bottleneck), Layer::Conv(&mut self.growth)]
    }
}

impl Transition {
    fn new(input: usize, device: &Device) -> Self {
        Self { norm: BatchNormConfig::new(input).init(device), conv: conv([input, input / 2], 1, 1).init(device) }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let x = self.conv.forward(relu(self.norm.forward(input)));
        avg_pool2d(x, AvgPoolOptions::new([2, 2]))
    }

    fn layers(&mut self) -> [Layer<'_>; 2] {
        [Layer::Norm(&mut self.norm), Layer::Conv(&mut self.conv)]
    }
}
