//! What a network says of faces.

use anyhow::anyhow;
use burn::tensor::{Device, Tensor};

use crate::batches::Batch;
use crate::network::Network;

/// Faces that are asked about at once where nothing is learned.
pub const EVALUATION_BATCH: usize = 256;

/// Logits of one batch, a row a face.
///
/// # Errors
/// The device does not hand out the result.
pub fn forward(network: &Network, batch: Batch, device: &Device) -> anyhow::Result<Vec<Vec<f32>>> {
    rows(network.forward(batch.tensor(device)), "logits")
}

/// The rows of a tensor of `what`, as errors call it.
///
/// # Errors
/// The device does not hand out the result.
pub fn rows(values: Tensor<2>, what: &str) -> anyhow::Result<Vec<Vec<f32>>> {
    let [_, columns] = values.dims();
    let values = values.into_data().try_to_vec::<f32>().map_err(|error| anyhow!("reading {what}: {error:?}"))?;
    Ok(values.chunks_exact(columns).map(<[f32]>::to_vec).collect())
}

/// Whether the value at `index` is not less than any other of its row.
pub fn is_greatest(row: &[f32], index: usize) -> bool {
    row.iter().all(|&share| share <= row[index])
}
