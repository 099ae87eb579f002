//! `[network]`: which network, and how wide.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::range::within;
use crate::failure::bad_input;

/// Which network, and how wide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum NetworkConfig {
    /// Residual 3x3 convolutions behind a stride-2 stem: what tract runs fastest for its accuracy.
    Residual {
        /// Channels of each stage; each stage halves the picture's side (the first: the stem).
        widths: Vec<usize>,
        /// Residual blocks in each stage.
        blocks: Vec<usize>,
        /// Dropout before the classifier (0..1).
        dropout: f64,
    },
    /// Several of those side by side, whose logits are averaged (Hansen and Salamon 1990, "Neural network ensembles"): one
    /// network to all that runs it.
    Branches {
        /// At least two.
        branches: Vec<BranchConfig>,
        /// Dropout before each classifier (0..1).
        dropout: f64,
    },
    /// Arriaga et al. 2017, "Real-time Convolutional Neural Networks for Emotion and Gender
    /// Classification": the reference network of the acting-mirror study.
    // Not a unit variant: those let unknown keys pass.
    MiniXception {},
    /// A plain network: the baselines of the transfer-learning study.
    PlainCnn {
        /// Blocks of convolution and pooling (1..=4).
        depth: usize,
    },
    /// Inception v1 (Szegedy et al. 2015): the network of the blur study.
    Googlenet(HeadConfig),
    /// Simonyan and Zisserman 2015, 13 convolutions.
    Vgg16(HeadConfig),
    /// Simonyan and Zisserman 2015, 16 convolutions.
    Vgg19(HeadConfig),
    /// He et al. 2016.
    Resnet18(HeadConfig),
    /// He et al. 2016.
    Resnet50(HeadConfig),
    /// Sandler et al. 2018.
    MobilenetV2(HeadConfig),
    /// Chollet 2017.
    Xception(HeadConfig),
    /// Tan and Le 2019.
    EfficientnetB0(HeadConfig),
    /// Liu 2020: EfficientNet for edge devices.
    EfficientnetLite0(HeadConfig),
    /// Huang et al. 2017.
    Densenet121(HeadConfig),
}

/// One of several networks side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BranchConfig {
    /// As those of [`NetworkConfig::Residual`].
    pub widths: Vec<usize>,
    /// As those of [`NetworkConfig::Residual`].
    pub blocks: Vec<usize>,
    /// The residual network that this branch starts as, as the trial's `init` names one; all branches have one or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<PathBuf>,
    /// The share of the mean that this network has when the branches are put together (0..=1), an equal one where none is
    /// given; those of all branches add up to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f32>,
}

/// What stands between a published network's pooled features and the logits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct HeadConfig {
    /// Normalise the pooled features over the batch.
    pub batch_norm: bool,
    /// Widths of fully connected tanh layers (1..=8192); none by default.
    pub hidden: Vec<usize>,
    /// Dropout before the last layer (0..1).
    pub dropout: f64,
}

impl BranchConfig {
    /// The network that it is by itself.
    pub fn alone(&self, dropout: f64) -> NetworkConfig {
        NetworkConfig::Residual { widths: self.widths.clone(), blocks: self.blocks.clone(), dropout }
    }
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self::Residual { widths: vec![32, 64, 128, 256], blocks: vec![0, 1, 1, 1], dropout: 0.2 }
    }
}

impl NetworkConfig {
    /// The name written into a bundle.
    pub fn name(&self) -> String {
        let join = |list: &[usize]| list.iter().map(usize::to_string).collect::<Vec<_>>().join("-");
        let (name, head) = match self {
            Self::Residual { widths, blocks, .. } => return format!("residual {} x {}", join(widths), join(blocks)),
            Self::Branches { branches, .. } => {
                return branches.iter().map(|branch| branch.alone(0.0).name()).collect::<Vec<_>>().join(" beside ");
            }
            Self::MiniXception {} => return "mini-Xception".into(),
            Self::PlainCnn { depth } => return format!("plain CNN of {depth}"),
            Self::Googlenet(head) => ("GoogLeNet", head),
            Self::Vgg16(head) => ("VGG-16", head),
            Self::Vgg19(head) => ("VGG-19", head),
            Self::Resnet18(head) => ("ResNet-18", head),
            Self::Resnet50(head) => ("ResNet-50", head),
            Self::MobilenetV2(head) => ("MobileNetV2", head),
            Self::Xception(head) => ("Xception", head),
            Self::EfficientnetB0(head) => ("EfficientNet-B0", head),
            Self::EfficientnetLite0(head) => ("EfficientNet-Lite0", head),
            Self::Densenet121(head) => ("DenseNet-121", head),
        };
        if head.hidden.is_empty() { name.into() } else { format!("{name}, tanh {}", join(&head.hidden)) }
    }

    /// Side in px of the smallest face that leaves at least one pixel for the average at the end.
    pub fn smallest_side(&self) -> usize {
        match self {
            Self::Residual { .. } | Self::Branches { .. } | Self::MiniXception {} | Self::PlainCnn { .. } => 16,
            _ => 32,
        }
    }

    /// Checks every range that the types leave open.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        match self {
            Self::Residual { widths, blocks, dropout } => {
                check_residual(widths, blocks)?;
                check_dropout(*dropout)
            }
            Self::Branches { branches, dropout } => {
                if branches.len() < 2 {
                    return Err(bad_input(format!(
                        "network.branches has {} entries; give at least two, or kind = \"residual\"",
                        branches.len()
                    )));
                }
                if branches.iter().any(|branch| branch.init.is_some() != branches[0].init.is_some()) {
                    return Err(bad_input("network.branches: give each an init, or none of them"));
                }
                branches.iter().try_for_each(|branch| check_residual(&branch.widths, &branch.blocks))?;
                check_shares(branches)?;
                check_dropout(*dropout)
            }
            Self::MiniXception {} => Ok(()),
            Self::PlainCnn { depth } => within("network.depth", *depth as f64, 1.0, 4.0),
            Self::Googlenet(head)
            | Self::Vgg16(head)
            | Self::Vgg19(head)
            | Self::Resnet18(head)
            | Self::Resnet50(head)
            | Self::MobilenetV2(head)
            | Self::Xception(head)
            | Self::EfficientnetB0(head)
            | Self::EfficientnetLite0(head)
            | Self::Densenet121(head) => {
                for &width in &head.hidden {
                    within("network.hidden", width as f64, 1.0, 8192.0)?;
                }
                check_dropout(head.dropout)
            }
        }
    }
}

fn check_residual(widths: &[usize], blocks: &[usize]) -> anyhow::Result<()> {
    if widths.is_empty() || widths.len() != blocks.len() || widths.len() > 6 {
        return Err(bad_input(format!(
            "network: widths has {} entries and blocks {}; give 1 to 6 of each, as many of one as of the other",
            widths.len(),
            blocks.len()
        )));
    }
    if widths.iter().any(|width| !(1..=4096).contains(width)) || blocks.iter().any(|&count| count > 64) {
        return Err(bad_input("network: widths must lie in 1..=4096 and blocks in 0..=64"));
    }
    Ok(())
}

fn check_shares(branches: &[BranchConfig]) -> anyhow::Result<()> {
    let shares: Vec<f32> = branches.iter().filter_map(|branch| branch.share).collect();
    if shares.is_empty() {
        return Ok(());
    }
    let sum: f32 = shares.iter().sum();
    let in_range = shares.iter().all(|share| (0.0..=1.0).contains(share));
    if shares.len() < branches.len() || branches[0].init.is_none() || !in_range || (sum - 1.0).abs() > 1e-3 {
        return Err(bad_input(
            "network.branches: give each a share in 0..=1 that together make 1, and an init, or no share to any of them",
        ));
    }
    Ok(())
}

fn check_dropout(dropout: f64) -> anyhow::Result<()> {
    if (0.0..1.0).contains(&dropout) {
        return Ok(());
    }
    Err(bad_input(format!("network.dropout = {dropout} is outside 0..1")))
}
