//! Logits that make up for rare labels.
//!
//! A network that learned from many neutral faces and few disgusted ones says disgust too seldom. Menon et al. 2021
//! ("Long-tail learning via logit adjustment", post hoc) take from each logit a share of the logarithm of its label's
//! frequency: all of it is best for the mean recall of the labels, a part of it trades accuracy for F1. Which part is to be
//! found out on validation faces.

use anyhow::Context;

use crate::network::Network;

/// `network` with its logits lowered by `share` (0..=1) of the logarithm of how frequent each of so many labels is.
///
/// # Errors
/// The network's last layer has no bias.
pub fn adjusted(
    network: &Network,
    labels: impl Iterator<Item = usize>,
    classes: usize,
    share: f32,
) -> anyhow::Result<Network> {
    // One more of each, so that a label without faces has a frequency too.
    let mut counts = vec![1f32; classes];
    for label in labels {
        if let Some(count) = counts.get_mut(label) {
            *count += 1.0;
        }
    }
    let all: f32 = counts.iter().sum();
    let offsets: Vec<f32> = counts.iter().map(|count| -share * (count / all).ln()).collect();
    network.with_more(&offsets).context("logit-adjustment: the network's last layer has no bias to put it into")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::*;
    use crate::config::{BranchConfig, NetworkConfig};

    #[test]
    fn logits_of_rare_labels_rise_by_the_share() {
        let device = Device::flex();
        let branch = BranchConfig { widths: vec![8], blocks: vec![1], init: None, share: None };
        let branches = NetworkConfig::Branches { branches: vec![branch; 3], dropout: 0.0 };
        let others = [NetworkConfig::MiniXception {}, NetworkConfig::PlainCnn { depth: 1 }, NetworkConfig::default()];
        for config in others.into_iter().chain([branches]) {
            device.seed(1);
            let network = Network::new(&config, 3, &device);
            let crops = Tensor::<4>::ones([1, 1, 48, 48], &device);
            let logits = |network: &Network| network.forward(crops.clone()).into_data().try_to_vec::<f32>().unwrap();
            // 6, 1 and 0 faces, each counted once more.
            let labels = [0, 0, 0, 0, 0, 0, 1].into_iter();
            let (before, after) = (logits(&network), logits(&adjusted(&network, labels, 3, 0.5).unwrap()));
            for ((before, after), frequency) in before.iter().zip(&after).zip([0.7f32, 0.2, 0.1]) {
                assert!((after - before + 0.5 * frequency.ln()).abs() < 1e-4, "{before} became {after}");
            }
        }
    }
}
