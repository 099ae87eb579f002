//! The networks, behind one type so that training, export and checkpoints do not care which.

mod branches;
mod densenet;
mod efficientnet;
mod efficientnet_lite;
mod googlenet;
mod head;
mod inverted_residual;
pub mod layers;
mod mini_xception;
mod mobilenet_v2;
mod plain_cnn;
pub mod residual;
mod resnet;
#[cfg(test)]
mod tests;
mod vgg;
mod xception;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use self::branches::BranchesNet;
use self::densenet::DenseNet121;
use self::efficientnet::EfficientNetB0;
use self::googlenet::GoogLeNet;
use self::layers::{ConvNorm, Layer, Layers, unfold};
use self::mini_xception::MiniXception;
use self::mobilenet_v2::MobileNetV2;
use self::plain_cnn::PlainCnn;
use self::residual::ResidualNet;
use self::resnet::ResNet;
use self::vgg::Vgg;
use self::xception::Xception;
use crate::config::{BranchConfig, Frozen, HeadConfig, NetworkConfig};

/// A classifier of square crops: `[batch, 1, side, side]` -> logits `[batch, classes]`.
// A run holds three of these at most: boxes would save nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Module, Debug)]
pub enum Network {
    /// See [`NetworkConfig::Residual`].
    Residual(ResidualNet),
    /// See [`NetworkConfig::Branches`].
    Branches(BranchesNet),
    /// See [`NetworkConfig::MiniXception`].
    MiniXception(MiniXception),
    /// See [`NetworkConfig::PlainCnn`].
    PlainCnn(PlainCnn),
    /// See [`NetworkConfig::Googlenet`].
    GoogLeNet(GoogLeNet),
    /// See [`NetworkConfig::Vgg16`] and [`NetworkConfig::Vgg19`].
    Vgg(Vgg),
    /// See [`NetworkConfig::Resnet18`] and [`NetworkConfig::Resnet50`].
    ResNet(ResNet),
    /// See [`NetworkConfig::MobilenetV2`].
    MobileNetV2(MobileNetV2),
    /// See [`NetworkConfig::Xception`].
    Xception(Xception),
    /// See [`NetworkConfig::EfficientnetB0`].
    EfficientNetB0(EfficientNetB0),
    /// See [`NetworkConfig::EfficientnetLite0`].
    EfficientNetLite0(MobileNetV2),
    /// See [`NetworkConfig::Densenet121`].
    DenseNet121(DenseNet121),
}

/// What the names of published weights become: regular expressions and what takes their place, applied one after the
/// other.
pub type TorchNames = &'static [(&'static str, &'static str)];

/// Does the same with whichever network it is.
macro_rules! with_each {
    ($self:expr, $network:ident => $do:expr) => {
        match $self {
            Network::Residual($network) => $do,
            Network::Branches($network) => $do,
            Network::MiniXception($network) => $do,
            Network::PlainCnn($network) => $do,
            Network::GoogLeNet($network) => $do,
            Network::Vgg($network) => $do,
            Network::ResNet($network) => $do,
            Network::MobileNetV2($network) => $do,
            Network::Xception($network) => $do,
            Network::EfficientNetB0($network) => $do,
            Network::EfficientNetLite0($network) => $do,
            Network::DenseNet121($network) => $do,
        }
    };
}

impl Network {
    /// A network for gray crops with fresh random weights (seed the device first).
    pub fn new(config: &NetworkConfig, classes: usize, device: &Device) -> Self {
        Self::with_channels(config, 1, classes, device)
    }

    /// The same for pictures of `channels` channels: `[batch, channels, side, side]`.
    fn with_channels(config: &NetworkConfig, channels: usize, classes: usize, device: &Device) -> Self {
        match config {
            NetworkConfig::Residual { widths, blocks, dropout } => {
                Self::Residual(ResidualNet::new(widths, blocks, *dropout, [channels, classes], device))
            }
            NetworkConfig::Branches { branches, dropout } => {
                let branch = |BranchConfig { widths, blocks, .. }: &BranchConfig| {
                    ResidualNet::new(widths, blocks, *dropout, [channels, classes], device)
                };
                Self::Branches(BranchesNet::new(branches.iter().map(branch).collect()))
            }
            NetworkConfig::MiniXception {} => Self::MiniXception(MiniXception::new(channels, classes, device)),
            NetworkConfig::PlainCnn { depth } => {
                Self::PlainCnn(PlainCnn::new(*depth, &HeadConfig::default(), channels, classes, device))
            }
            NetworkConfig::Googlenet(head) => Self::GoogLeNet(GoogLeNet::new(head, channels, classes, device)),
            NetworkConfig::Vgg16(head) => Self::Vgg(Vgg::vgg16(head, channels, classes, device)),
            NetworkConfig::Vgg19(head) => Self::Vgg(Vgg::vgg19(head, channels, classes, device)),
            NetworkConfig::Resnet18(head) => Self::ResNet(ResNet::resnet18(head, channels, classes, device)),
            NetworkConfig::Resnet50(head) => Self::ResNet(ResNet::resnet50(head, channels, classes, device)),
            NetworkConfig::MobilenetV2(head) => Self::MobileNetV2(MobileNetV2::new(head, channels, classes, device)),
            NetworkConfig::Xception(head) => Self::Xception(Xception::new(head, channels, classes, device)),
            NetworkConfig::EfficientnetB0(head) => {
                Self::EfficientNetB0(EfficientNetB0::new(head, channels, classes, device))
            }
            NetworkConfig::EfficientnetLite0(head) => {
                Self::EfficientNetLite0(efficientnet_lite::lite0(head, channels, classes, device))
            }
            NetworkConfig::Densenet121(head) => Self::DenseNet121(DenseNet121::new(head, channels, classes, device)),
        }
    }

    /// Residual networks side by side, each with its share of the mean of their logits; `None` if any of them is of another
    /// kind.
    pub fn side_by_side(networks: Vec<(Self, f64)>) -> Option<Self> {
        let count = networks.len() as f64;
        let residual = |(network, share)| match network {
            Self::Residual(network) => Some(network.times(share * count)),
            _ => None,
        };
        networks.into_iter().map(residual).collect::<Option<Vec<_>>>().map(|all| Self::Branches(BranchesNet::new(all)))
    }

    /// Logits of a batch of crops.
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        with_each!(self, network => network.forward(crops))
    }

    /// The same function with every batch normalisation folded into the convolution before it:
    /// fewer operations for the device, and nothing left that knows of training.
    pub fn folded(&self) -> Self {
        let mut network = self.valid();
        let Layers { base, head } = with_each!(&mut network, network => network.layers());
        base.into_iter().chain(head).for_each(Layer::fold);
        network
    }

    /// The reverse of [`Self::folded`], for a network in training whose normalisations behind convolutions have but the
    /// folded shift: see [`unfold`]; with the statistics of `crops`, `[batch, channels, side, side]`.
    pub fn unfolded(mut self, crops: &Tensor<4>) -> Self {
        unfold(&mut self, Self::conv_norms, |network| {
            network.forward(crops.clone());
        });
        self
    }

    /// The convolutions with a normalisation, in the order of the forward pass.
    fn conv_norms(&mut self) -> Vec<&mut ConvNorm> {
        let Layers { base, head } = with_each!(self, network => network.layers());
        base.into_iter().chain(head).filter_map(Layer::conv_norm).collect()
    }

    /// The same network with so much more in each logit; `None` if a layer that gives logits has no bias to put it into.
    pub fn with_more(&self, logits: &[f32]) -> Option<Self> {
        let mut network = self.clone();
        for output in network.outputs() {
            let bias = match output {
                Layer::Linear(layer) => layer.bias.as_mut()?,
                // Followed by an average over the picture, which leaves a constant as it is.
                Layer::Conv(layer) => layer.bias.as_mut()?,
                Layer::ConvNorm(_) | Layer::Norm(_) => return None,
            };
            let more = Tensor::<1>::from_floats(logits, &bias.val().device());
            *bias = Param::initialized(bias.id, bias.val().detach() + more);
        }
        Some(network)
    }

    /// The layers whose output is the logits, or what is averaged for them.
    fn outputs(&mut self) -> Vec<Layer<'_>> {
        let averages = matches!(self, Self::Branches(_));
        let Layers { mut head, .. } = with_each!(self, network => network.layers());
        // A branch has one layer in its head.
        if averages { head } else { head.pop().into_iter().collect() }
    }

    /// The network with these layers out of training, and all others in it.
    pub fn frozen(self, frozen: Frozen) -> Self {
        let mut network = self.unfreeze();
        let Layers { base, head } = with_each!(&mut network, network => network.layers());
        let learning = match frozen {
            Frozen::None => base.len() + head.len(),
            Frozen::Base => head.len(),
            Frozen::LastLayers(count) => count,
        };
        let kept = (base.len() + head.len()).saturating_sub(learning);
        base.into_iter().chain(head).take(kept).for_each(Layer::freeze);
        network
    }

    /// What the names of published weights become here. None for the networks that only Mien has weights of.
    pub fn torch_names(&self) -> TorchNames {
        match self {
            Self::Residual(_) | Self::Branches(_) | Self::MiniXception(_) | Self::PlainCnn(_) => &[],
            Self::GoogLeNet(_) => googlenet::TORCH_NAMES,
            Self::Vgg(_) => vgg::TORCH_NAMES,
            Self::ResNet(_) => resnet::TORCH_NAMES,
            Self::MobileNetV2(_) => mobilenet_v2::TORCH_NAMES,
            Self::Xception(_) => xception::TORCH_NAMES,
            Self::EfficientNetB0(_) => efficientnet::TORCH_NAMES,
            Self::EfficientNetLite0(_) => efficientnet_lite::TORCH_NAMES,
            Self::DenseNet121(_) => densenet::TORCH_NAMES,
        }
    }
}
