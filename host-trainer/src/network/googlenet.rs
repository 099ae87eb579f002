//! GoogLeNet (Szegedy et al. 2015, "Going deeper with convolutions"; Inception v1), the network of the blur study.
//!
//! As torchvision builds it: batch normalisation behind every convolution, and 3 x 3 where the
//! paper has 5 x 5. The two auxiliary classifiers are left out.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor};

use super::head::Head;
use super::layers::{ConvNorm, Layer, Layers, max_pool_3};
use crate::config::HeadConfig;

/// `[batch, channels, side, side]` -> `[batch, classes]`. Fields are named as torchvision's.
#[derive(Module, Debug)]
pub struct GoogLeNet {
    conv1: ConvNorm,
    conv2: ConvNorm,
    conv3: ConvNorm,
    inception3a: Inception,
    inception3b: Inception,
    inception4a: Inception,
    inception4b: Inception,
    inception4c: Inception,
    inception4d: Inception,
    inception4e: Inception,
    inception5a: Inception,
    inception5b: Inception,
    head: Head,
}

/// Four ways side by side, whose channels are put behind one another.
#[derive(Module, Debug)]
struct Inception {
    branch1: ConvNorm,
    branch2: Vec<ConvNorm>,
    branch3: Vec<ConvNorm>,
    branch4: ConvNorm,
}

/// What torchvision's names become.
pub const TORCH_NAMES: &[(&str, &str)] =
    &[(r"\.bn\.", ".norm."), (r"\.branch4\.1\.", ".branch4."), (r"^fc\.", "head.output.")];

/// torchvision's.
const EPSILON: f64 = 1e-3;

impl GoogLeNet {
    /// The published widths.
    pub fn new(head: &HeadConfig, channels: usize, classes: usize, device: &Device) -> Self {
        let conv = |channels, size, stride| conv(channels, size, stride, device);
        let inception = |input, widths| Inception::new(input, widths, device);
        Self {
            conv1: conv([channels, 64], 7, 2),
            conv2: conv([64, 64], 1, 1),
            conv3: conv([64, 192], 3, 1),
            inception3a: inception(192, [64, 96, 128, 16, 32, 32]),
            inception3b: inception(256, [128, 128, 192, 32, 96, 64]),
            inception4a: inception(480, [192, 96, 208, 16, 48, 64]),
            inception4b: inception(512, [160, 112, 224, 24, 64, 64]),
            inception4c: inception(512, [128, 128, 256, 24, 64, 64]),
            inception4d: inception(512, [112, 144, 288, 32, 64, 64]),
            inception4e: inception(528, [256, 160, 320, 32, 128, 128]),
            inception5a: inception(832, [256, 160, 320, 32, 128, 128]),
            inception5b: inception(832, [384, 192, 384, 48, 128, 128]),
            head: Head::new(head, 1024, classes, device),
        }
    }

    /// Logits of a batch.
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        let x = halve(relu(self.conv1.forward(crops)), 3);
        let x = relu(self.conv2.forward(x));
        let x = halve(relu(self.conv3.forward(x)), 3);
        let through = |x, modules: &[&Inception]| modules.iter().fold(x, |x, module| module.forward(x));
        let x = halve(through(x, &[&self.inception3a, &self.inception3b]), 3);
        let fourth = [&self.inception4a, &self.inception4b, &self.inception4c, &self.inception4d, &self.inception4e];
        let x = halve(through(x, &fourth), 2);
        self.head.forward(through(x, &[&self.inception5a, &self.inception5b]))
    }

    /// All layers with weights.
    pub fn layers(&mut self) -> Layers<'_> {
        let modules = [
            &mut self.inception3a,
            &mut self.inception3b,
            &mut self.inception4a,
            &mut self.inception4b,
            &mut self.inception4c,
            &mut self.inception4d,
            &mut self.inception4e,
            &mut self.inception5a,
            &mut self.inception5b,
        ];
        let stem = [&mut self.conv1, &mut self.conv2, &mut self.conv3];
        Layers {
            base: stem.into_iter().chain(modules.into_iter().flat_map(Inception::convs)).map(Layer::ConvNorm).collect(),
            head: self.head.layers(),
        }
    }
}

fn conv(channels: [usize; 2], size: usize, stride: usize, device: &Device) -> ConvNorm {
    ConvNorm::new(channels, size, stride, device).with_epsilon(EPSILON)
}

/// Maximum over `size` x `size` px in steps of two; a last window may stand out over the edge.
fn halve(x: Tensor<4>, size: usize) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions::new([size, size]).with_stride([2, 2]).with_ceil_mode(true))
}

impl Inception {
    /// Widths: 1 x 1; 1 x 1 and 3 x 3; 1 x 1 and 3 x 3 again; behind the pooling.
    fn new(input: usize, widths: [usize; 6], device: &Device) -> Self {
        let [single, narrow3, wide3, narrow5, wide5, pooled] = widths;
        let pair = |narrow, wide| vec![conv([input, narrow], 1, 1, device), conv([narrow, wide], 3, 1, device)];
        Self {
            branch1: conv([input, single], 1, 1, device),
            branch2: pair(narrow3, wide3),
            branch3: pair(narrow5, wide5),
            branch4: conv([input, pooled], 1, 1, device),
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let pair = |convs: &[ConvNorm]| convs.iter().fold(input.clone(), |x, conv| relu(conv.forward(x)));
        let pooled = max_pool_3(input.clone(), 1);
        let ways = vec![
            relu(self.branch1.forward(input.clone())),
            pair(&self.branch2),
            pair(&self.branch3),
            relu(self.branch4.forward(pooled)),
        ];
        Tensor::cat(ways, 1)
    }

    fn convs(&mut self) -> impl Iterator<Item = &mut ConvNorm> {
        let pairs = self.branch2.iter_mut().chain(&mut self.branch3);
        [&mut self.branch1].into_iter().chain(pairs).chain([&mut self.branch4])
    }
}
