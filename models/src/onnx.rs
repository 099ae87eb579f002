//! The pieces of which ONNX graphs are put together: for the trainer's export, and for networks that tests write by hand.

use prost::Message;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, attribute_proto::AttributeType, tensor_proto::DataType, tensor_shape_proto::Dimension,
    tensor_shape_proto::dimension, type_proto,
};

/// The file of a graph that keeps to this version of ONNX' operators.
pub fn file(graph: GraphProto, opset: i64) -> Vec<u8> {
    let opset = OperatorSetIdProto { version: opset, ..OperatorSetIdProto::default() };
    let model = ModelProto { ir_version: 8, opset_import: vec![opset], graph: Some(graph), ..ModelProto::default() };
    model.encode_to_vec()
}

/// A node with one output.
pub fn node(op: &str, inputs: &[&str], output: &str, attributes: &[AttributeProto]) -> NodeProto {
    NodeProto {
        op_type: op.to_owned(),
        name: format!("make_{output}"),
        input: inputs.iter().map(|&input| input.to_owned()).collect(),
        output: vec![output.to_owned()],
        attribute: attributes.to_vec(),
        ..NodeProto::default()
    }
}

/// An attribute that is a list of integers.
pub fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Ints as i32,
        ints: ints.to_vec(),
        ..AttributeProto::default()
    }
}

/// The declaration of an input, an output or a value in between, of floats; a negative side is left open.
pub fn value(name: &str, sides: &[i64]) -> ValueInfoProto {
    let of = |&side: &i64| {
        if side < 0 {
            dimension::Value::DimParam(format!("{name}_open_{}", side.unsigned_abs()))
        } else {
            dimension::Value::DimValue(side)
        }
    };
    let dim = sides.iter().map(|side| Dimension { value: Some(of(side)), ..Dimension::default() }).collect();
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() }),
        ..ValueInfoProto::default()
    }
}

/// A constant of floats; as many as the sides' product.
pub fn floats(name: &str, sides: &[i64], values: Vec<f32>) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: sides.to_vec(),
        data_type: DataType::Float as i32,
        float_data: values,
        ..TensorProto::default()
    }
}

/// A constant list of integers.
pub fn integers(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: vec![values.len() as i64],
        data_type: DataType::Int64 as i32,
        int64_data: values.to_vec(),
        ..TensorProto::default()
    }
}
