//! What a network says of faces.

use anyhow::anyhow;
use burn::tensor::Device;

use crate::batches::Batch;
use crate::network::Network;

/// Faces that are asked about at once where nothing is learned.
pub const EVALUATION_BATCH: usize = 256;

/// Logits of one batch, a row a face.
///
/// # Errors
/// The device does not hand out the result.
pub fn forward(network: &Network, batch: Batch, device: &Device) -> anyhow::Result<Vec<Vec<f32>>> {
    let logits = network.forward(batch.tensor(device));
    let [_, classes] = logits.dims();
    let values = logits.into_data().try_to_vec::<f32>().map_err(|error| anyhow!("reading logits: {error:?}"))?;
    Ok(values.chunks_exact(classes).map(<[f32]>::to_vec).collect())
}
