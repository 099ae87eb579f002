//! The block of MobileNetV2 (Sandler et al. 2018), EfficientNet (Tan and Le 2019) and EfficientNet-Lite: wide inside, narrow at its ends.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::{sigmoid, silu};
use burn::tensor::module::adaptive_avg_pool2d;
use burn::tensor::{Device, Tensor};

use super::layers::{ConvNorm, Layer, biased_conv, relu6};

/// `[batch, input, h, w]` -> `[batch, output, h / stride, w / stride]`.
#[derive(Module, Debug)]
pub struct InvertedResidual {
    expand: Option<ConvNorm>,
    depthwise: ConvNorm,
    squeeze: Option<SqueezeExcitation>,
    project: ConvNorm,
    #[module(skip)]
    has_shortcut: bool,
}

/// Weighs the channels by what the whole picture is like (Hu et al. 2018).
#[derive(Module, Debug)]
struct SqueezeExcitation {
    fc1: Conv2d,
    fc2: Conv2d,
}

/// Widths and strides of a block.
#[derive(Copy, Clone)]
struct Shape {
    /// Times as many channels inside as at the input.
    expansion: usize,
    /// Side of the depthwise filters, px.
    size: usize,
    /// 1 or 2.
    stride: usize,
    /// Channels at the input.
    input: usize,
    /// Channels at the output.
    output: usize,
}

/// Squeeze-and-excitation and SiLU make an EfficientNet's block, ReLU6 alone that of the others.
#[derive(Copy, Clone, PartialEq)]
pub enum Kind {
    MobileNet,
    EfficientNet,
    EfficientNetLite,
}

impl Kind {
    /// What normalisations add to the variance: TensorFlow's number where the published weights come from there.
    pub fn epsilon(self) -> f64 {
        match self {
            Self::MobileNet | Self::EfficientNet => 1e-5,
            Self::EfficientNetLite => 1e-3,
        }
    }
}

/// All blocks of a kind, stage by stage. A stage is the expansion, the side of the filters, the channels, the number of blocks
/// and the stride of the first; the first stage is given `input` channels.
pub fn stages<const N: usize>(
    table: [[usize; 5]; N],
    kind: Kind,
    mut input: usize,
    device: &Device,
) -> Vec<Vec<InvertedResidual>> {
    let mut stages = Vec::with_capacity(N);
    for [expansion, size, output, count, first_stride] in table {
        let block = |number| {
            let (stride, input) = if number == 0 { (first_stride, input) } else { (1, output) };
            InvertedResidual::new(Shape { expansion, size, stride, input, output }, kind, device)
        };
        stages.push((0..count).map(block).collect());
        input = output;
    }
    stages
}

impl InvertedResidual {
    /// A block of one of the networks.
    fn new(shape: Shape, kind: Kind, device: &Device) -> Self {
        let Shape { expansion, size, stride, input, output } = shape;
        let inside = input * expansion;
        let epsilon = kind.epsilon();
        Self {
            expand: (expansion > 1).then(|| ConvNorm::new([input, inside], 1, 1, device).with_epsilon(epsilon)),
            depthwise: ConvNorm::depthwise(inside, size, stride, device).with_epsilon(epsilon),
            squeeze: (kind == Kind::EfficientNet).then(|| SqueezeExcitation::new(inside, (input / 4).max(1), device)),
            project: ConvNorm::new([inside, output], 1, 1, device).with_epsilon(epsilon),
            has_shortcut: stride == 1 && input == output,
        }
    }

    /// The block's output.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let activate = |x| if self.squeeze.is_some() { silu(x) } else { relu6(x) };
        let x = match &self.expand {
            Some(expand) => activate(expand.forward(input.clone())),
            None => input.clone(),
        };
        let x = activate(self.depthwise.forward(x));
        let x = match &self.squeeze {
            Some(squeeze) => squeeze.forward(x),
            None => x,
        };
        let x = self.project.forward(x);
        if self.has_shortcut { x + input } else { x }
    }

    /// Its layers with weights, in order.
    pub fn layers(&mut self) -> impl Iterator<Item = Layer<'_>> {
        let first = self.expand.iter_mut().chain([&mut self.depthwise]).map(Layer::ConvNorm);
        let squeeze = self.squeeze.iter_mut().flat_map(|squeeze| [&mut squeeze.fc1, &mut squeeze.fc2]);
        first.chain(squeeze.map(Layer::Conv)).chain([Layer::ConvNorm(&mut self.project)])
    }
}

impl SqueezeExcitation {
    fn new(channels: usize, squeezed: usize, device: &Device) -> Self {
        Self { fc1: biased_conv([channels, squeezed], 1, device), fc2: biased_conv([squeezed, channels], 1, device) }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let pooled = adaptive_avg_pool2d(input.clone(), [1, 1]);
        let weights = sigmoid(self.fc2.forward(silu(self.fc1.forward(pooled))));
        input * weights
    }
}
