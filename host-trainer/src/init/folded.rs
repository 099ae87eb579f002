//! A network of a bundle as weights to train further: the way from ONNX back.

use std::path::Path;

use burn::store::bridge;
use burn::store::burn_pack::Tensor;
use burn::tensor::TensorData;
use models::{Bundle, ModelChoice};
use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{ModelProto, TensorProto};

use crate::failure::bad_input;

/// The weights of the network for `role` of the bundle in `folder`, by the names that [`crate::export`] gave them: those of
/// the network they were exported from, with the shift of every folded normalisation as the bias of its convolution.
///
/// # Errors
/// Bad input: a bundle that does not hold.
pub fn read(folder: &Path, role: ModelChoice) -> anyhow::Result<Vec<Tensor>> {
    let bundle = Bundle::open(folder).map_err(|error| bad_input(format!("init: {error}")))?;
    let onnx = bundle.manifest.model(role).and_then(|model| bundle.file(&model.file));
    weights(onnx.unwrap_or_default(), folder)
}

/// The constants of floats of an ONNX file that [`crate::export`] or the detector's export wrote, by the same names.
///
/// # Errors
/// Bad input: not ONNX, or damaged.
pub fn weights(onnx: &[u8], origin: &Path) -> anyhow::Result<Vec<Tensor>> {
    let unreadable = |cause: String| bad_input(format!("init = {}: {cause}", origin.display()));
    let model = ModelProto::decode(onnx).map_err(|error| unreadable(format!("its network is no ONNX: {error}")))?;
    let constants = model.graph.map(|graph| graph.initializer).unwrap_or_default();
    // Weights are named by the modules that they lie in; what has no dot in its name is a factor of the graph itself.
    let is_weight =
        |constant: &TensorProto| constant.data_type == DataType::Float as i32 && constant.name.contains('.');
    let floats = constants.into_iter().filter(is_weight);
    floats
        .map(|constant| {
            let name = constant.name.clone();
            tensor(constant).ok_or_else(|| unreadable(format!("{name} has not as many numbers as its shape says")))
        })
        .collect()
}

fn tensor(constant: TensorProto) -> Option<Tensor> {
    let shape = constant.dims.iter().map(|&side| usize::try_from(side).ok()).collect::<Option<Vec<_>>>()?;
    let values: Vec<f32> = if constant.float_data.is_empty() {
        // `chunks_exact` gives four bytes each time.
        constant
            .raw_data
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect()
    } else {
        constant.float_data
    };
    let expected = shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side))?;
    (values.len() == expected).then(|| bridge::from_data(TensorData::new(values, shape), constant.name, None))
}
