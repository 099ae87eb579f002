//! Weights that a network starts from instead of random ones.
//!
//! `init` (in a trial, or `--init`) names one of
//! - a `.safetensors`, `.pth` or `.pt` file with the names of torchvision or timm;
//! - a `.bpk` file, or the work folder of an earlier training, whose best clear weights are taken;
//! - a bundle, whose clear network goes on to learn, and its robust one too where `robust-start` says so. Its normalisations were folded into their convolutions, and are
//!   taken out again with the statistics of the faces at hand ([`Network::unfolded`]), so that the network starts
//!   with the bundle's very answers; the work folder of its training is taken in its place where it still lies beside it.
//!
//! What fits by name and shape is taken. Of networks side by side in a bundle or a checkpoint, one of the trial's shape may
//! learn on alone: the first whose weights all fit is taken, its logits as large as they are in the mean. A first convolution for three colours is summed over
//! them, as a gray picture is the same in all three. All else, the head of a network for other
//! classes first of all, keeps its random weights, and is told.

mod folded;
mod plan;
mod source;
#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::{Context, anyhow};
use burn::store::{FloatCastAdapter, ModuleAdapter, ModuleSnapshot, PyTorchToBurnAdapter};
use burn::tensor::DType;
use models::ModelChoice;

pub use self::plan::Plan;
use self::source::{Layout, Source};
use crate::detector::DetectorNet;
use crate::failure::bad_input;
use crate::network::{Network, TorchNames};

/// Puts the weights of `path` over those of `network`, which is to become the model for `role`; says what became of every tensor.
///
/// # Errors
/// A file that cannot be read, or in which nothing fits the network.
pub fn init(network: Network, path: &Path, role: ModelChoice) -> anyhow::Result<(Network, Plan)> {
    let names = network.torch_names();
    put(source::read(path, role)?, names, network, path)
}

/// The same for a detector's network: `path` is an ONNX file that `train-detector` wrote, whose normalisations were folded
/// as those of a bundle ([`DetectorNet::unfolded`]), a work folder of its, or a `.bpk` file.
///
/// # Errors
/// A file that cannot be read, or in which nothing fits the network.
pub fn init_detector(network: DetectorNet, path: &Path) -> anyhow::Result<(DetectorNet, Plan)> {
    put(source::read_detector(path)?, &[], network, path)
}

/// Puts what fits of `source`, read from `path`, over the weights of `network`; `torch_names` are PyTorch's names for them.
fn put<N: ModuleSnapshot>(
    source: Source,
    torch_names: TorchNames,
    mut network: N,
    path: &Path,
) -> anyhow::Result<(N, Plan)> {
    let layout = source.layout;
    let (tensors, plan) = plan::plan(source, torch_names, &network);
    if plan.loaded.is_empty() {
        return Err(bad_input(format!(
            "{}: none of its {} tensors fits the network\n  is it of the same kind as the trial's network? Its first names: {}",
            path.display(),
            plan.skipped.len(),
            plan.skipped.iter().take(4).map(|skipped| skipped.from.as_str()).collect::<Vec<_>>().join(", ")
        )));
    }
    let cast = FloatCastAdapter::to(DType::F32);
    let adapter: Box<dyn ModuleAdapter> = match layout {
        Layout::Torch => Box::new(PyTorchToBurnAdapter.chain(cast)),
        Layout::Mien | Layout::Folded => Box::new(cast),
    };
    let result = network.apply(tensors, None, Some(adapter), true);
    match result.errors.first() {
        None => Ok((network, plan)),
        Some(error) => Err(anyhow!("{error}")).with_context(|| format!("loading {}", path.display())),
    }
}
