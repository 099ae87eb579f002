//! A trained network -> an ONNX file that tract runs, checked in the same breath.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, anyhow, bail};
use burn::module::Module;
use burn::tensor::{Device, Tensor, s};
use burn_onnx::export::OnnxExporter;
use models::{Classifier, GrayImage, InputSpec};
use prost::Message;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto};

use crate::network::Network;

/// Name of the only input, `[1, 1, side, side]`.
const INPUT: &str = "crop";
/// Name of the only output, `[1, classes]`.
const OUTPUT: &str = "logits";
/// Largest difference that export may make in a logit, as a share of the largest logit, or of 1 where all are smaller.
const TOLERANCE: f32 = 1e-4;

/// An ONNX file and how far it is from the network it was made of.
pub struct Exported {
    /// The file.
    pub onnx: Vec<u8>,
    /// Largest difference of any logit over the crops of the check, as [`TOLERANCE`] counts it.
    pub max_difference: f32,
}

/// Writes `network` as ONNX (opset 18, batch 1, batch normalisation folded, logits out), which sees a face's mirror image too
/// if it is to be `mirrored`, and runs both on `crops`.
///
/// # Errors
/// The network cannot be lowered, tract refuses the file, or the two differ by more than
/// [`TOLERANCE`].
pub fn export(
    network: &Network,
    input: &InputSpec,
    mirrored: bool,
    classes: usize,
    crops: &[GrayImage],
) -> anyhow::Result<Exported> {
    let device = Device::flex();
    // It may have been trained on a GPU, whose tensors nothing here can be mixed with.
    let network = network.valid().to_device(&device);
    let folded = network.folded();
    let sample = Tensor::<4>::zeros([1, 1, input.side, input.side], &device);
    let model = OnnxExporter::new()
        .export(&folded, sample, |network, crop| answer(network, crop, mirrored))
        .map_err(|error| anyhow!("this network cannot be written as ONNX: {error}"))?;
    let onnx = with_our_names(model.as_bytes())?;
    let classifier = Classifier::from_onnx(&onnx, "the exported network", input.side, classes)
        .context("tract refuses the exported network")?;

    let mut max_difference = 0f32;
    for crop in crops {
        let pixels = input.tensor(crop.view())?;
        let ours = classifier.logits(&pixels)?;
        let tensor = Tensor::<1>::from_floats(pixels.as_slice(), &device).reshape([1, 1, input.side, input.side]);
        let theirs = answer(&network, tensor, mirrored).into_data().try_to_vec::<f32>();
        let theirs = theirs.map_err(|error| anyhow!("reading logits: {error:?}"))?;
        if theirs.iter().any(|logit| !logit.is_finite()) {
            bail!("the network answers with logits that are no numbers");
        }
        let scale = theirs.iter().fold(1f32, |scale, logit| scale.max(logit.abs()));
        for (a, b) in ours.iter().zip(&theirs) {
            max_difference = max_difference.max((a - b).abs() / scale);
        }
    }
    if max_difference > TOLERANCE {
        bail!(
            "the ONNX file and the network differ by {max_difference:e} of the largest logit (at most {TOLERANCE:e} is allowed)"
        );
    }
    Ok(Exported { onnx, max_difference })
}

/// What the model says of one crop, `[1, 1, side, side]`: logits, `[1, classes]`.
fn answer(network: &Network, crop: Tensor<4>, mirrored: bool) -> Tensor<2> {
    if !mirrored {
        return network.forward(crop);
    }
    let mirror_image = crop.clone().matmul(exchange(crop.dims()[3], &crop.device()));
    let both = network.forward(Tensor::cat(vec![crop, mirror_image], 0));
    (both.clone().slice(s![0..1, ..]) + both.slice(s![1..2, ..])).mul_scalar(0.5)
}

/// Puts the columns of what it is multiplied with in the opposite order: the matrix with ones from one corner to the other, and
/// zeros, `[1, 1, side, side]`. Runtimes are slower at going through an axis backwards.
fn exchange(side: usize, device: &Device) -> Tensor<4> {
    let number = |at: usize| if at / side + at % side + 1 == side { 1.0f32 } else { 0.0 };
    let numbers: Vec<f32> = (0..side * side).map(number).collect();
    Tensor::<1>::from_floats(numbers.as_slice(), device).reshape([1, 1, side, side])
}

/// Gives the input and the output the names that the manifest's readers expect.
fn with_our_names(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut model = ModelProto::decode(bytes).context("the exporter's own file")?;
    model.producer_name = "mien-trainer".into();
    let graph = model.graph.as_mut().context("the exporter wrote no graph")?;
    let ([input], [output]) = (graph.input.as_mut_slice(), graph.output.as_mut_slice()) else {
        bail!("the exporter wrote {} inputs and {} outputs, not one of each", graph.input.len(), graph.output.len());
    };
    let renames = [(&mut input.name, INPUT), (&mut output.name, OUTPUT)]
        .map(|(theirs, ours)| (std::mem::replace(theirs, ours.into()), ours.into()));
    rename(graph, &HashMap::from(renames));
    with_scalar_pads(graph);
    graph.name = "mien".into();
    Ok(model.encode_to_vec())
}

/// Gives the values between the nodes other names.
pub fn rename(graph: &mut GraphProto, names: &HashMap<String, String>) {
    for name in graph.node.iter_mut().flat_map(|node| node.input.iter_mut().chain(&mut node.output)) {
        if let Some(new) = names.get(name) {
            name.clone_from(new);
        }
    }
}

/// ONNX wants the number that `Pad` fills in as a scalar; the exporter writes a list of one, which
/// tract refuses.
pub fn with_scalar_pads(graph: &mut GraphProto) {
    let is_pad = |node: &&NodeProto| node.op_type == "Pad";
    let values: HashSet<String> =
        graph.node.iter().filter(is_pad).filter_map(|node| node.input.get(2).cloned()).collect();
    let constants = graph.node.iter_mut().filter(|node| node.output.first().is_some_and(|name| values.contains(name)));
    let in_nodes = constants.flat_map(|node| &mut node.attribute).filter_map(|attribute| attribute.t.as_mut());
    let named = graph.initializer.iter_mut().filter(|tensor| values.contains(&tensor.name));
    for tensor in in_nodes.chain(named).filter(|tensor| tensor.dims == [1]) {
        tensor.dims.clear();
    }
}
