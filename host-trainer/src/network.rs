//! The networks, behind one type so that training, export and checkpoints do not care which.

mod layers;
mod mini_xception;
mod residual;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::config::NetworkConfig;
use mini_xception::MiniXception;
use residual::ResidualNet;

/// A classifier of square gray crops: `[batch, 1, side, side]` -> logits `[batch, classes]`.
#[derive(Module, Debug)]
pub enum Network {
    /// See [`NetworkConfig::Residual`].
    Residual(ResidualNet),
    /// See [`NetworkConfig::MiniXception`].
    MiniXception(MiniXception),
}

impl Network {
    /// A network with fresh random weights (seed the device first).
    pub fn new(config: &NetworkConfig, classes: usize, device: &Device) -> Self {
        match config {
            NetworkConfig::Residual { widths, blocks, dropout } => {
                Self::Residual(ResidualNet::new(widths, blocks, *dropout, classes, device))
            }
            NetworkConfig::MiniXception => Self::MiniXception(MiniXception::new(classes, device)),
        }
    }

    /// Logits of a batch of crops.
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        match self {
            Self::Residual(network) => network.forward(crops),
            Self::MiniXception(network) => network.forward(crops),
        }
    }

    /// The same function with every batch normalisation folded into the convolution before it:
    /// fewer operations for the device, and nothing left that knows of training.
    pub fn folded(&self) -> Self {
        match self.valid() {
            Self::Residual(network) => Self::Residual(network.folded()),
            Self::MiniXception(network) => Self::MiniXception(network.folded()),
        }
    }
}
