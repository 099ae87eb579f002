//! ResNet (He et al. 2016, "Deep residual learning for image recognition") with 18 or 50 layers, as torchvision
//! builds it: in a bottleneck the 3 x 3 convolution has the stride.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::head::Head;
use super::layers::{ConvNorm, Layer, Layers, max_pool_3};
use crate::config::HeadConfig;

/// `[batch, channels, side, side]` -> `[batch, classes]`.
#[derive(Module, Debug)]
pub struct ResNet {
    stem: ConvNorm,
    stages: Vec<Vec<Block>>,
    head: Head,
}

/// Two or three convolutions beside a shortcut.
#[derive(Module, Debug)]
struct Block {
    convs: Vec<ConvNorm>,
    shortcut: Option<ConvNorm>,
}

/// What torchvision's names become.
pub const TORCH_NAMES: &[(&str, &str)] = &[
    (r"^conv1\.", "stem.conv."),
    (r"^bn1\.", "stem.norm."),
    (r"^layer(\d)\.", "stages.$1."),
    (r"\.conv(\d)\.", ".convs.$1.conv."),
    (r"\.bn(\d)\.", ".convs.$1.norm."),
    (r"\.downsample\.0\.", ".shortcut.conv."),
    (r"\.downsample\.1\.", ".shortcut.norm."),
    (r"^fc\.", "head.output."),
];

/// Channels inside the blocks of each stage.
const WIDTHS: [usize; 4] = [64, 128, 256, 512];

impl ResNet {
    /// ResNet-18: two blocks of two 3 x 3 convolutions in each stage.
    pub fn resnet18(head: &HeadConfig, channels: usize, classes: usize, device: &Device) -> Self {
        Self::new([2, 2, 2, 2], Block::basic, 1, [channels, classes], head, device)
    }

    /// ResNet-50: bottlenecks.
    pub fn resnet50(head: &HeadConfig, channels: usize, classes: usize, device: &Device) -> Self {
        Self::new([3, 4, 6, 3], Block::bottleneck, 4, [channels, classes], head, device)
    }

    fn new(
        depths: [usize; 4],
        block: fn(usize, usize, usize, &Device) -> Block,
        expansion: usize,
        [channels, classes]: [usize; 2],
        head: &HeadConfig,
        device: &Device,
    ) -> Self {
        let mut input = WIDTHS[0];
        let mut stages = Vec::new();
        for (index, (&width, depth)) in WIDTHS.iter().zip(depths).enumerate() {
            let mut stage = Vec::new();
            for number in 0..depth {
                let stride = if index > 0 && number == 0 { 2 } else { 1 };
                stage.push(block(input, width, stride, device));
                input = width * expansion;
            }
            stages.push(stage);
        }
        Self {
            stem: ConvNorm::new([channels, WIDTHS[0]], 7, 2, device),
            stages,
            head: Head::new(head, input, classes, device),
        }
    }

    /// Logits of a batch.
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        let x = max_pool_3(relu(self.stem.forward(crops)), 2);
        self.head.forward(self.stages.iter().flatten().fold(x, |x, block| block.forward(x)))
    }

    /// All layers with weights.
    pub fn layers(&mut self) -> Layers<'_> {
        let blocks = self.stages.iter_mut().flatten();
        let blocks = blocks.flat_map(|block| block.convs.iter_mut().chain(&mut block.shortcut));
        Layers {
            base: [&mut self.stem].into_iter().chain(blocks).map(Layer::ConvNorm).collect(),
            head: self.head.layers(),
        }
    }
}

impl Block {
    fn basic(input: usize, width: usize, stride: usize, device: &Device) -> Self {
        let convs = vec![ConvNorm::new([input, width], 3, stride, device), ConvNorm::new([width, width], 3, 1, device)];
        Self::around(convs, [input, width], stride, device)
    }

    fn bottleneck(input: usize, width: usize, stride: usize, device: &Device) -> Self {
        let convs = vec![
            ConvNorm::new([input, width], 1, 1, device),
            ConvNorm::new([width, width], 3, stride, device),
            ConvNorm::new([width, width * 4], 1, 1, device),
        ];
        Self::around(convs, [input, width * 4], stride, device)
    }

    fn around(convs: Vec<ConvNorm>, channels: [usize; 2], stride: usize, device: &Device) -> Self {
        let changes_shape = stride > 1 || channels[0] != channels[1];
        Self { convs, shortcut: changes_shape.then(|| ConvNorm::new(channels, 1, stride, device)) }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let mut x = input.clone();
        for (index, conv) in self.convs.iter().enumerate() {
            x = conv.forward(if index == 0 { x } else { relu(x) });
        }
        let shortcut = match &self.shortcut {
            Some(shortcut) => shortcut.forward(input),
            None => input,
        };
        relu(x + shortcut)
    }
}
