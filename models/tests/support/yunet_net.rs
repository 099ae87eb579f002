//! A network of the YuNet form, written by hand: it finds white blocks of 16x16 px.
//!
//! At stride 16 the probability of a face is the mean brightness of the cell; the other strides
//! see nothing. Every box and every point lies the same way about its cell.

use models::onnx::{file, floats, integers, ints, node, value};
use tract_onnx::pb::GraphProto;

/// Offset of the middle of the box in its cell and logarithm of its sides, in strides: a box of
/// 32x48 px around the middle of the cell.
pub const BBOX: [f32; 4] = [0.5, 0.5, std::f32::consts::LN_2, 1.098_612_3];
/// Offsets of the five points, in strides.
pub const KPS: [f32; 10] = [0.25, 0.0, 0.75, 0.0, 0.5, 0.5, 0.25, 1.0, 0.75, 1.0];

/// The network for pictures of `width` x `height`; `edit` may spoil it before it is written.
pub fn white_block_finder(width: usize, height: usize, edit: impl FnOnce(&mut GraphProto)) -> Vec<u8> {
    let mut graph = GraphProto {
        name: "white blocks".to_owned(),
        input: vec![value("input", &[1, 3, height as i64, width as i64])],
        ..GraphProto::default()
    };
    for stride in [8, 16, 32] {
        level(&mut graph, stride, (width / stride) * (height / stride));
    }
    edit(&mut graph);
    file(graph, 13)
}

fn level(graph: &mut GraphProto, stride: usize, cells: usize) {
    let named = |part: &str| format!("{part}_{stride}");
    if stride == 16 {
        let pool = [ints("kernel_shape", &[16, 16]), ints("strides", &[16, 16])];
        graph.node.push(node("AveragePool", &["input"], "cell_means", &pool));
        graph.node.push(node("ReduceMean", &["cell_means"], "gray", &[ints("axes", &[1])]));
        graph.node.push(node("Mul", &["gray", "one_255th"], "probability", &[]));
        graph.node.push(node("Reshape", &["probability", "as_cells"], "cls_16", &[]));
        graph.initializer.push(floats("one_255th", &[1], vec![1.0 / 255.0]));
        graph.initializer.push(integers("as_cells", &[1, -1, 1]));
    } else {
        constant(graph, &named("cls"), cells, &[0.0]);
    }
    constant(graph, &named("obj"), cells, &[1.0]);
    constant(graph, &named("bbox"), cells, &BBOX);
    constant(graph, &named("kps"), cells, &KPS);
    for (head, values) in [("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)] {
        graph.output.push(value(&named(head), &[1, cells as i64, values]));
    }
}

/// An output that is the same for every cell.
pub fn constant(graph: &mut GraphProto, name: &str, cells: usize, values: &[f32]) {
    let table = format!("{name}_table");
    let data = values.repeat(cells);
    graph.initializer.push(floats(&table, &[1, cells as i64, values.len() as i64], data));
    graph.node.push(node("Identity", &[&table], name, &[]));
}
