//! A small ONNX network written by hand, for the tests of this crate.

use tract_onnx::pb::GraphProto;

use crate::onnx::{file, floats, node, value};

/// `Gemm(Flatten(input), weights, bias)`: `[1, 1, side, side]` to `[1, classes]`, with
/// `weight(class, pixel)`.
pub fn linear_bytes(side: usize, classes: usize, weight: impl Fn(usize, usize) -> f32, bias: &[f32]) -> Vec<u8> {
    let pixels = side * side;
    let weights = (0..pixels)
        .flat_map(|pixel| (0..classes).map(move |class| (class, pixel)))
        .map(|(class, pixel)| weight(class, pixel))
        .collect();
    let sides = [pixels as i64, classes as i64];
    let graph = GraphProto {
        name: "linear".into(),
        node: vec![node("Flatten", &["input"], "flat", &[]), node("Gemm", &["flat", "weights", "bias"], "logits", &[])],
        initializer: vec![floats("weights", &sides, weights), floats("bias", &sides[1..], bias.to_vec())],
        input: vec![value("input", &[1, 1, side as i64, side as i64])],
        output: vec![value("logits", &[1, classes as i64])],
        ..Default::default()
    };
    file(graph, 17)
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
