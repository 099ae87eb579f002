//! A small ONNX network written by hand, for the tests of this crate.

use prost::Message;
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
    tensor_proto::DataType, tensor_shape_proto::Dimension, tensor_shape_proto::dimension, type_proto,
};

/// `Gemm(Flatten(input), weights, bias)`: `[1, 1, side, side]` to `[1, classes]`, with
/// `weight(class, pixel)`.
pub fn linear_bytes(side: usize, classes: usize, weight: impl Fn(usize, usize) -> f32, bias: &[f32]) -> Vec<u8> {
    let pixels = side * side;
    let weights = (0..pixels)
        .flat_map(|pixel| (0..classes).map(move |class| (class, pixel)))
        .map(|(class, pixel)| weight(class, pixel))
        .collect();
    let graph = GraphProto {
        name: "linear".into(),
        node: vec![node("Flatten", &["input"], "flat"), node("Gemm", &["flat", "weights", "bias"], "logits")],
        initializer: vec![tensor("weights", &[pixels, classes], weights), tensor("bias", &[classes], bias.to_vec())],
        input: vec![value("input", &[1, 1, side, side])],
        output: vec![value("logits", &[1, classes])],
        ..Default::default()
    };
    let model = ModelProto {
        ir_version: 8,
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 17 }],
        graph: Some(graph),
        ..Default::default()
    };
    model.encode_to_vec()
}

/// The same with weights that depend on `seed` and have no pattern.
pub fn linear(side: usize, classes: usize, seed: u32) -> Vec<u8> {
    let weight = |class: usize, pixel: usize| {
        let mixed =
            (seed + 1).wrapping_mul(0x9e37_79b9).wrapping_add((class * 7919 + pixel) as u32).wrapping_mul(0x85eb_ca6b);
        (mixed >> 16) as f32 / 65_536.0 - 0.5
    };
    linear_bytes(side, classes, weight, &vec![0.25; classes])
}

fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: op.into(),
        name: output.into(),
        input: inputs.iter().map(|&i| i.into()).collect(),
        output: vec![output.into()],
        ..Default::default()
    }
}

fn tensor(name: &str, dims: &[usize], values: Vec<f32>) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.iter().map(|&d| d as i64).collect(),
        data_type: DataType::Float as i32,
        float_data: values,
        ..Default::default()
    }
}

fn value(name: &str, dims: &[usize]) -> ValueInfoProto {
    let dim = dims
        .iter()
        .map(|&d| Dimension { value: Some(dimension::Value::DimValue(d as i64)), ..Default::default() })
        .collect();
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() }),
        ..Default::default()
    }
}
