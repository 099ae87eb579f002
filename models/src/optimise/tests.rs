//! What runs here says what tract alone says, whatever the convolution.

use proptest::prelude::*;
use tract_onnx::pb::GraphProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::Approximation;

use super::optimised;
use crate::onnx;

/// A convolution, and whether a rectifier stands behind it and whether its own result is asked for too.
#[derive(Clone, Debug)]
struct Case {
    pictures: usize,
    channels: usize,
    side: [usize; 2],
    filters: usize,
    filter: [usize; 2],
    stride: [usize; 2],
    /// Above, left, below, right.
    pads: [usize; 4],
    has_bias: bool,
    is_rectified: bool,
    is_shown: bool,
}

impl Case {
    fn network(&self) -> InferenceModel {
        let Self { pictures, channels, side: [height, width], filters, filter, stride, pads, .. } = self.clone();
        let list = |numbers: &[usize]| numbers.iter().map(|&n| n as i64).collect::<Vec<_>>();
        let shape = list(&[filters, channels, filter[0], filter[1]]);
        let weights = numbers(filters * channels * filter[0] * filter[1], 3);
        let attributes = [
            onnx::ints("kernel_shape", &list(&filter)),
            onnx::ints("strides", &list(&stride)),
            onnx::ints("pads", &list(&pads)),
        ];
        let inputs = if self.has_bias { &["map", "weights", "bias"][..] } else { &["map", "weights"] };
        let mut nodes = vec![onnx::node("Conv", inputs, "maps", &attributes)];
        if self.is_rectified {
            nodes.push(onnx::node("Relu", &["maps"], "rectified", &[]));
        }
        let mut outputs = vec![onnx::value(if self.is_rectified { "rectified" } else { "maps" }, &[-1, -2, -3, -4])];
        if self.is_rectified && self.is_shown {
            outputs.push(onnx::value("maps", &[-1, -2, -3, -4]));
        }
        let graph = GraphProto {
            node: nodes,
            input: vec![onnx::value("map", &list(&[pictures, channels, height, width]))],
            output: outputs,
            initializer: vec![
                onnx::floats("weights", &shape, weights),
                onnx::floats("bias", &list(&[filters]), numbers(filters, 5)),
            ],
            ..GraphProto::default()
        };
        onnx().model_for_read(&mut onnx::file(graph, 13).as_slice()).unwrap()
    }

    fn input(&self) -> Tensor {
        let [height, width] = self.side;
        let shape = [self.pictures, self.channels, height, width];
        Tensor::from_shape(&shape, &numbers(shape.iter().product(), 7)).unwrap()
    }
}

/// Numbers between -1 and 1 without a pattern that a mix-up could hide in.
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(next).collect()
}

fn case() -> impl Strategy<Value = Case> {
    let sides = (prop::array::uniform2(1usize..34), prop::array::uniform2(1usize..6), prop::array::uniform2(1usize..4));
    let rest = (1usize..3, 1usize..6, 1usize..40, prop::array::uniform4(0usize..4), any::<[bool; 3]>());
    (sides, rest).prop_map(
        |((side, filter, stride), (pictures, channels, filters, pads, [has_bias, is_rectified, is_shown]))| {
            // No filter is larger than what it lies on.
            let filter = [0, 1].map(|axis| filter[axis].min(side[axis] + pads[axis] + pads[axis + 2]));
            Case { pictures, channels, side, filters, filter, stride, pads, has_bias, is_rectified, is_shown }
        },
    )
}

/// Of many channels by many filters of 3 x 3 px that lie on every pixel.
fn case_in_tiles() -> impl Strategy<Value = Case> {
    (case(), prop::array::uniform2(3usize..34), 16usize..40, 16usize..70).prop_map(|(case, side, channels, filters)| {
        Case { side, channels, filters, filter: [3, 3], stride: [1, 1], ..case }
    })
}

fn answers(network: TypedModel, input: Tensor) -> Vec<Tensor> {
    let plan = network.into_runnable().unwrap();
    // The second time, with the memory that the first one left.
    plan.run(tvec!(input.clone().into())).unwrap();
    plan.run(tvec!(input.into())).unwrap().into_iter().map(TValue::into_tensor).collect()
}

fn operations(network: &TypedModel) -> Vec<String> {
    network.nodes().iter().map(|node| node.op.name().to_string()).collect()
}

proptest! {
    #[test]
    fn it_says_what_tract_says(case in prop_oneof![case(), case_in_tiles()]) {
        let ours = answers(optimised(case.network()).unwrap(), case.input());
        let theirs = answers(case.network().into_optimized().unwrap(), case.input());
        prop_assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            prop_assert!(ours.close_enough(theirs, Approximation::Approximate).is_ok(), "{:?} {:?}", ours, theirs);
        }
    }
}

#[test]
fn filters_may_lie_in_the_padding_alone() {
    for (filters, pads) in [(8, [0, 3, 0, 0]), (8, [3, 0, 0, 0]), (7, [0, 3, 0, 0]), (7, [3, 0, 0, 0])] {
        let filter = if pads[0] > 0 { [2, 1] } else { [1, 2] };
        let case = Case { side: [1, 1], filters, filter, stride: [3, 3], pads, ..plain() };
        let ours = answers(optimised(case.network()).unwrap(), case.input());
        let theirs = answers(case.network().into_optimized().unwrap(), case.input());
        assert!(ours[0].close_enough(&theirs[0], Approximation::Approximate).is_ok(), "{ours:?} {theirs:?}");
    }
}

/// A plain one, of few channels by many filters.
fn plain() -> Case {
    Case {
        pictures: 1,
        channels: 3,
        side: [24, 24],
        filters: 36,
        filter: [3, 3],
        stride: [1, 1],
        pads: [1; 4],
        has_bias: true,
        is_rectified: true,
        is_shown: false,
    }
}

fn has(operations: &[String], name: &str) -> bool {
    operations.iter().any(|operation| operation.contains(name))
}

#[test]
fn plain_convolutions_are_taken_over_with_their_rectifiers() {
    let operations_of = |case: &Case| operations(&optimised(case.network()).unwrap());
    let all = operations_of(&plain());
    assert!(has(&all, "Columns") && !has(&all, "Max") && !has(&all, "Pad"), "{all:?}");
    let shown = operations_of(&Case { is_shown: true, ..plain() });
    assert!(has(&shown, "Columns") && has(&shown, "Max"), "{shown:?}");
    let wide = operations_of(&Case { side: [24, 128], ..plain() });
    assert!(!has(&wide, "Columns"), "{wide:?}");
    let pointwise = operations_of(&Case { filter: [1, 1], pads: [0; 4], ..plain() });
    assert!(!has(&pointwise, "Columns"), "{pointwise:?}");
}

#[test]
fn filters_that_fill_vectors_are_applied_to_pixels_where_the_processor_has_vectors() {
    let has_vectors = !matches!(pulp::Arch::new(), pulp::Arch::Scalar);
    let is_by = |name: &str, case: &Case| has(&operations(&optimised(case.network()).unwrap()), name);
    let many = Case { channels: 32, filters: 32, ..plain() };
    assert_eq!(is_by("PixelwiseTiles", &many), has_vectors);
    for direct in [Case { stride: [2, 2], ..many.clone() }, Case { channels: 3, ..many }] {
        assert_eq!(is_by("PixelwiseDirect", &direct), has_vectors);
    }
    assert!(!is_by("Pixelwise", &plain()));
    assert!(!is_by("Pixelwise", &Case { filters: 0, ..plain() }), "of no filters");
}

/// Two convolutions of a map, a shortcut around them, and rectifiers.
fn block(channels: usize, [height, width]: [usize; 2]) -> InferenceModel {
    let sizes = [1, channels, height, width].map(|size| size as i64);
    let shape = [channels as i64, channels as i64, 3, 3];
    let attributes = [onnx::ints("kernel_shape", &[3, 3]), onnx::ints("pads", &[1; 4])];
    let graph = GraphProto {
        node: vec![
            onnx::node("Conv", &["map", "first", "bias"], "a", &attributes),
            onnx::node("Relu", &["a"], "b", &[]),
            onnx::node("Conv", &["b", "second", "bias"], "c", &attributes),
            onnx::node("Relu", &["map"], "before", &[]),
            onnx::node("Add", &["before", "c"], "sum", &[]),
            onnx::node("Relu", &["sum"], "after", &[]),
            onnx::node("Conv", &["after", "first", "bias"], "out", &attributes),
        ],
        input: vec![onnx::value("map", &sizes)],
        output: vec![onnx::value("out", &[-1, -2, -3, -4])],
        initializer: vec![
            onnx::floats("first", &shape, numbers(channels * channels * 9, 3)),
            onnx::floats("second", &shape, numbers(channels * channels * 9, 4)),
            onnx::floats("bias", &[channels as i64], numbers(channels, 5)),
        ],
        ..GraphProto::default()
    };
    onnx().model_for_read(&mut onnx::file(graph, 13).as_slice()).unwrap()
}

proptest! {
    #[test]
    fn a_block_with_a_shortcut_says_what_tract_says(side in prop::array::uniform2(1usize..20), channels in 1usize..4) {
        let channels = channels * 8;
        let input = || {
            let shape = [1, channels, side[0], side[1]];
            Tensor::from_shape(&shape, &numbers(shape.iter().product(), 7)).unwrap()
        };
        let ours = answers(optimised(block(channels, side)).unwrap(), input());
        let theirs = answers(block(channels, side).into_optimized().unwrap(), input());
        let scale = theirs[0].try_as_plain_ram().unwrap().as_slice::<f32>().unwrap().iter().fold(1f32, |most, n| most.max(n.abs()));
        let [ours, theirs] = [&ours[0], &theirs[0]].map(|said| said.try_as_plain_ram().unwrap().as_slice::<f32>().unwrap().to_vec());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            prop_assert!((ours - theirs).abs() < 1e-5 * scale, "{ours} {theirs}, largest {scale}");
        }
    }
}

#[test]
fn nothing_is_turned_between_convolutions_of_pixels() {
    let operations = operations(&optimised(block(16, [12, 12])).unwrap());
    let count = |name: &str| operations.iter().filter(|operation| *operation == name).count();
    let expected = if matches!(pulp::Arch::new(), pulp::Arch::Scalar) { [0, 0] } else { [2, 1] };
    // Before the first, for the shortcut, and after the last.
    assert_eq!([count("ToPixels"), count("ToMaps")], expected, "{operations:?}");
}
