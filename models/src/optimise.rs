//! A network as it was read -> the network that runs: tract's own work, but for most convolutions, which tract runs slower
//! than it could.
//!
//! tract computes a convolution as a product of matrices, its weights times one column for every output pixel, which holds
//! what the filter covers there (Chellapilla et al. 2006, "High Performance Convolutional Neural Networks for Document
//! Processing"). Networks for small boards have few filters, so that a column is soon used up, and the time goes into laying
//! out columns, which tract does number by number. Where the processor has vectors for it, convolutions are computed
//! [`pixelwise`] instead, without columns, as many filters at once as fill vectors, and those by 3 x 3 filters with less than half
//! of the multiplications. All others stay products of columns ([`by_columns`]), laid out by runs of numbers ([`layout`]) and
//! multiplied by tract's own kernels, of which others may be chosen than tract would ([`kernel`]).

mod by_columns;
mod columns;
mod convolution;
mod kernel;
mod layout;
mod pixelwise;
mod replace;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use tract_onnx::prelude::*;

use self::convolution::Convolution;

/// The network with constants folded, operations joined and the kernels of this machine chosen.
///
/// # Errors
/// tract cannot make sense of the network, such as shapes that do not fit each other.
pub fn optimised(network: InferenceModel) -> TractResult<TypedModel> {
    let mut network = network.into_typed()?.into_decluttered()?;
    let places: Vec<usize> = network.nodes().iter().map(|node| node.id).collect();
    for place in places {
        if let Some(convolution) = Convolution::at(&network, place)?
            && let Some(patch) = replace::patch(&convolution, &network)?
        {
            patch.apply(&mut network)?;
        }
    }
    pixelwise::without_detours(&mut network)?;
    network.compact()?;
    network.into_optimized()
}
