//! Loading a network that must be of the YuNet form; whatever does not fit is named, with what
//! was expected, before the first picture.

use std::io::Cursor;
use std::sync::Arc;

use tract_onnx::pb::{GraphProto, ModelProto, tensor_shape_proto::dimension, type_proto};
use tract_onnx::prelude::*;

use super::DetectError;
use crate::optimise::optimised;

/// Px of the input a cell of each level.
pub(super) const STRIDES: [usize; 3] = [8, 16, 32];
/// Names of the outputs without their stride, and values a cell.
const HEADS: [(&str, usize); 4] = [("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)];
/// Width and height for a network that leaves them open: a 640x480 frame halved, rounded up.
const OPEN_SIZE: (usize, usize) = (320, 256);
/// No input side above this: a damaged file must not ask for all memory.
const MAX_SIDE: usize = 4096;

/// A network that was found to be of the form.
#[derive(Clone)]
pub(super) struct Form {
    /// Ready to run.
    pub network: Arc<TypedRunnableModel>,
    /// Planes of the input: 3 (blue, green, red) or 1 (gray).
    pub channels: usize,
    /// Px of the input.
    pub width: usize,
    /// Px of the input.
    pub height: usize,
    /// For every stride: places of cls, obj, bbox and kps among the outputs.
    pub outputs: [[usize; HEADS.len()]; STRIDES.len()],
}

impl Form {
    /// Loads the ONNX file `bytes`, called `name` in errors, for the size that the file gives its input or, if there is one,
    /// for another: width and height in px. Files whose layers hold the sizes of their maps have but one.
    pub fn load(bytes: &[u8], name: &str, size: Option<(usize, usize)>) -> Result<Self, DetectError> {
        let load = |reason: String| DetectError::Load { name: name.to_owned(), reason };
        let shape = |reason: String| DetectError::Shape { name: name.to_owned(), reason };

        let proto = onnx().proto_model_for_read(&mut Cursor::new(bytes)).map_err(|e| load(format!("{e:#}")))?;
        let graph = proto.graph.as_ref().ok_or_else(|| load("it holds no network".to_owned()))?;
        let (channels, width, height) = input_size(graph).map_err(shape)?;
        let (width, height) = size.unwrap_or((width, height));
        let outputs = find_outputs(graph).map_err(shape)?;
        let network = prepare(&proto, [1, channels, height, width]).map_err(|e| load(format!("{e:#}")))?;
        check_outputs(&network, &outputs, width, height).map_err(shape)?;
        let network = network.into_runnable().map_err(|e| load(format!("{e:#}")))?;
        Ok(Self { network, channels, width, height, outputs })
    }
}

/// Channels, width and height that the file gives its input; 3 and `OPEN_SIZE` where it leaves them open.
fn input_size(graph: &GraphProto) -> Result<(usize, usize, usize), String> {
    // Old files list their weights among the inputs.
    let weights = |name: &str| graph.initializer.iter().any(|i| i.name == name);
    let inputs: Vec<_> = graph.input.iter().filter(|i| !weights(&i.name)).collect();
    let [input] = inputs[..] else {
        return Err(format!("it has {} inputs, expected one", inputs.len()));
    };
    let shape = input.r#type.as_ref().and_then(|t| match t.value.as_ref()? {
        type_proto::Value::TensorType(tensor) => tensor.shape.as_ref(),
    });
    let dims: Vec<Option<usize>> = shape
        .map(|s| s.dim.as_slice())
        .unwrap_or_default()
        .iter()
        .map(|dim| match dim.value {
            Some(dimension::Value::DimValue(n)) if n > 0 => usize::try_from(n).ok(),
            _ => None,
        })
        .collect();
    let told = || {
        let dims: Vec<_> = dims.iter().map(|d| d.map_or("?".to_owned(), |n| n.to_string())).collect();
        format!("input `{}` is [{}], expected [1, 3, H, W] or [1, 1, H, W]", input.name, dims.join(", "))
    };
    let &[batch, channels, height, width] = dims.as_slice() else {
        return Err(told());
    };
    if batch.is_some_and(|n| n != 1) || channels.is_some_and(|n| n != 3 && n != 1) {
        return Err(told());
    }
    let size = (width.unwrap_or(OPEN_SIZE.0), height.unwrap_or(OPEN_SIZE.1));
    if [size.0, size.1].iter().any(|side| side % 32 != 0 || *side > MAX_SIDE) {
        return Err(format!("{} with sides that are multiples of 32 up to {MAX_SIDE}", told()));
    }
    Ok((channels.unwrap_or(3), size.0, size.1))
}

/// Places of the outputs, by their names.
fn find_outputs(graph: &GraphProto) -> Result<[[usize; HEADS.len()]; STRIDES.len()], String> {
    // tract takes this for granted and panics.
    let made = |name: &String| graph.node.iter().any(|n| n.output.contains(name));
    if let Some(output) = graph.output.iter().find(|o| !made(&o.name)) {
        return Err(format!("no layer makes its output `{}`", output.name));
    }
    let mut places = [[0; HEADS.len()]; STRIDES.len()];
    for (stride, level) in STRIDES.iter().zip(&mut places) {
        for ((head, _), place) in HEADS.iter().zip(level) {
            let wanted = format!("{head}_{stride}");
            *place = graph.output.iter().position(|o| o.name == wanted).ok_or_else(|| {
                let names: Vec<_> = graph.output.iter().map(|o| o.name.as_str()).collect();
                format!("output `{wanted}` is missing; it has: {}", names.join(", "))
            })?;
        }
    }
    Ok(places)
}

fn prepare(proto: &ModelProto, input: [usize; 4]) -> TractResult<TypedModel> {
    let network = onnx()
        // Published files that were resized keep the shapes of the old size there.
        .with_ignore_value_info(true)
        .model_for_proto_model(proto)?
        .with_input_fact(0, f32::fact(input).into())?;
    optimised(network)
}

/// The outputs must have one value, or group of values, for every cell.
fn check_outputs(
    network: &TypedModel,
    places: &[[usize; HEADS.len()]; STRIDES.len()],
    width: usize,
    height: usize,
) -> Result<(), String> {
    for (stride, level) in STRIDES.iter().zip(places) {
        let cells = (width / stride) * (height / stride);
        for ((head, values), place) in HEADS.iter().zip(level) {
            let fact = network.output_fact(*place).map_err(|e| format!("{e:#}"))?;
            let shape = fact.shape.as_concrete().unwrap_or_default();
            let fits = shape == [1, cells, *values] || shape == [cells, *values];
            if !fits || fact.datum_type != f32::datum_type() {
                return Err(format!(
                    "output `{head}_{stride}` is {:?} {:?}, expected F32 [1, {cells}, {values}] \
                     for an input of {width}x{height}",
                    fact.datum_type, fact.shape
                ));
            }
        }
    }
    Ok(())
}
