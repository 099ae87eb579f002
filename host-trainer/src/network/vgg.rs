//! VGG-16 and VGG-19 (Simonyan and Zisserman 2015), without batch normalisation.
//!
//! Of the published networks only the convolutions are here. Their three fully connected layers
//! are made for 224 x 224 px and hold 9 of 10 weights; as in the transfer-learning study, global
//! average pooling and a small head take their place.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::head::Head;
use super::layers::{Layer, Layers, biased_conv, max_pool_2};
use crate::config::HeadConfig;

/// `[batch, channels, side, side]` -> `[batch, classes]`.
#[derive(Module, Debug)]
pub struct Vgg {
    convs: Vec<Conv2d>,
    /// Convolutions before each pooling.
    #[module(skip)]
    depths: [usize; 5],
    head: Head,
}

/// What torchvision's names become; `features` counts the layers without weights too, which loading takes out.
pub const TORCH_NAMES: &[(&str, &str)] = &[(r"^features\.", "convs.")];

/// Channels between one pooling and the next.
const WIDTHS: [usize; 5] = [64, 128, 256, 512, 512];

impl Vgg {
    /// 13 convolutions.
    pub fn vgg16(head: &HeadConfig, channels: usize, classes: usize, device: &Device) -> Self {
        Self::new([2, 2, 3, 3, 3], head, channels, classes, device)
    }

    /// 16 convolutions.
    pub fn vgg19(head: &HeadConfig, channels: usize, classes: usize, device: &Device) -> Self {
        Self::new([2, 2, 4, 4, 4], head, channels, classes, device)
    }

    fn new(depths: [usize; 5], head: &HeadConfig, channels: usize, classes: usize, device: &Device) -> Self {
        let mut input = channels;
        let widths = depths.iter().zip(WIDTHS).flat_map(|(&depth, width)| vec![width; depth]);
        let convs = widths.map(|width| biased_conv([std::mem::replace(&mut input, width), width], 3, device)).collect();
        Self { convs, depths, head: Head::new(head, input, classes, device) }
    }

    /// Logits of a batch; the side must be at least 32 px, as five poolings halve it.
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        let mut convs = self.convs.iter();
        let features = self
            .depths
            .iter()
            .fold(crops, |x, &depth| max_pool_2(convs.by_ref().take(depth).fold(x, |x, conv| relu(conv.forward(x)))));
        self.head.forward(features)
    }

    /// All layers with weights.
    pub fn layers(&mut self) -> Layers<'_> {
        Layers { base: self.convs.iter_mut().map(Layer::Conv).collect(), head: self.head.layers() }
    }
}
