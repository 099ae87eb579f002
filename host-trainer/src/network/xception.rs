//! Xception (Chollet 2017): separable convolutions beside shortcuts.
//!
//! Padding and names are those of timm's `legacy_xception`, whose weights are free to use;
//! Keras pads its poolings on one side only, but has the same weights.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::head::Head;
use super::layers::{ConvNorm, Layer, Layers, SeparableConv, max_pool_3};
use crate::config::HeadConfig;

/// `[batch, channels, side, side]` -> `[batch, classes]`.
#[derive(Module, Debug)]
pub struct Xception {
    stem: Vec<ConvNorm>,
    blocks: Vec<Block>,
    tail: Vec<SeparableConv>,
    head: Head,
}

/// Two or three separable convolutions beside a shortcut.
#[derive(Module, Debug)]
struct Block {
    rep: Vec<SeparableConv>,
    shortcut: Option<ConvNorm>,
    /// Whether a ReLU stands before the first convolution too.
    #[module(skip)]
    begins_with_relu: bool,
}

/// What timm's names become. In `rep` a normalisation has the number after its convolution's.
pub const TORCH_NAMES: &[(&str, &str)] = &[
    (r"^conv([12])\.", "stem.$1.conv."),
    (r"^bn([12])\.", "stem.$1.norm."),
    (r"^conv([34])\.conv1\.", "tail.$1.depthwise."),
    (r"^conv([34])\.pointwise\.", "tail.$1.pointwise.conv."),
    (r"^bn([34])\.", "tail.$1.pointwise.norm."),
    (r"^block(\d+)\.", "blocks.$1."),
    (r"\.skip\.", ".shortcut.conv."),
    (r"\.skipbn\.", ".shortcut.norm."),
    (r"\.rep\.1\.(weight|bias|running_mean|running_var)$", ".rep.0.pointwise.norm.$1"),
    (r"\.rep\.2\.(weight|bias|running_mean|running_var)$", ".rep.1.pointwise.norm.$1"),
    (r"\.rep\.4\.(weight|bias|running_mean|running_var)$", ".rep.3.pointwise.norm.$1"),
    (r"\.rep\.5\.(weight|bias|running_mean|running_var)$", ".rep.4.pointwise.norm.$1"),
    (r"\.rep\.8\.(weight|bias|running_mean|running_var)$", ".rep.7.pointwise.norm.$1"),
    (r"\.rep\.(\d)\.conv1\.", ".rep.$1.depthwise."),
    (r"\.rep\.(\d)\.pointwise\.weight$", ".rep.$1.pointwise.conv.weight"),
    (r"^fc\.", "head.output."),
];

impl Xception {
    /// The published widths.
    pub fn new(head: &HeadConfig, channels: usize, classes: usize, device: &Device) -> Self {
        let mut blocks = vec![
            Block::new(&[64, 128, 128], 2, false, device),
            Block::new(&[128, 256, 256], 2, true, device),
            Block::new(&[256, 728, 728], 2, true, device),
        ];
        blocks.extend((0..8).map(|_| Block::new(&[728; 4], 1, true, device)));
        blocks.push(Block::new(&[728, 728, 1024], 2, true, device));
        Self {
            stem: vec![ConvNorm::valid([channels, 32], 3, 2, device), ConvNorm::valid([32, 64], 3, 1, device)],
            blocks,
            tail: vec![SeparableConv::new(1024, 1536, device), SeparableConv::new(1536, 2048, device)],
            head: Head::new(head, 2048, classes, device),
        }
    }

    /// Logits of a batch.
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        let x = self.stem.iter().fold(crops, |x, conv| relu(conv.forward(x)));
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        self.head.forward(self.tail.iter().fold(x, |x, conv| relu(conv.forward(x))))
    }

    /// All layers with weights.
    pub fn layers(&mut self) -> Layers<'_> {
        let stem = self.stem.iter_mut().map(Layer::ConvNorm);
        let tail = self.tail.iter_mut().flat_map(SeparableConv::layers);
        Layers {
            base: stem.chain(self.blocks.iter_mut().flat_map(Block::layers)).chain(tail).collect(),
            head: self.head.layers(),
        }
    }
}

impl Block {
    /// `widths`: channels at the input and behind each convolution.
    fn new(widths: &[usize], stride: usize, begins_with_relu: bool, device: &Device) -> Self {
        let (input, output) = (widths[0], widths[widths.len() - 1]);
        Self {
            rep: widths.windows(2).map(|pair| SeparableConv::new(pair[0], pair[1], device)).collect(),
            shortcut: (stride > 1 || input != output).then(|| ConvNorm::new([input, output], 1, stride, device)),
            begins_with_relu,
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let mut x = input.clone();
        for (index, conv) in self.rep.iter().enumerate() {
            x = conv.forward(if index > 0 || self.begins_with_relu { relu(x) } else { x });
        }
        match &self.shortcut {
            Some(shortcut) => max_pool_3(x, 2) + shortcut.forward(input),
            None => x + input,
        }
    }

    fn layers(&mut self) -> impl Iterator<Item = Layer<'_>> {
        let rep = self.rep.iter_mut().flat_map(SeparableConv::layers);
        rep.chain(self.shortcut.iter_mut().map(Layer::ConvNorm))
    }
}
