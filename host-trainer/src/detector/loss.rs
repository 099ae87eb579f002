//! What the detector's training minimises.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;

use super::annotation::{NOSE, POINTS};

/// Weights of face, overlap and box.
const WEIGHTS: [f64; 3] = [1.0, 0.5, 2.0];
/// Errors of points below this, in sides of the face, count by their square.
const SMOOTH: f64 = 0.01;
/// Logarithms of sides are kept below this, so that a wild network gives a large loss and not an infinite one.
const LARGEST_LOG: f64 = 6.0;

/// The targets of a batch on its device.
pub struct BatchTargets {
    /// `[batch, cells, 1]`: 1 where there is a face to find.
    pub face: Tensor<3>,
    /// `[batch, cells, 1]`: 0 where it does not matter.
    pub counts: Tensor<3>,
    /// `[batch, cells, 4]`.
    pub boxes: Tensor<3>,
    /// `[batch, cells, 10]`.
    pub points: Tensor<3>,
    /// Cells that are to find a face, in the whole batch.
    pub found: usize,
}

/// How much an error of a point, in sides of the face, weighs.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct PointsWeight {
    /// Of all points together.
    pub all: f64,
    /// Of the nose, as a multiple of another point's.
    pub nose: f64,
}

impl PointsWeight {
    /// The mean over points and both axes of `[batch, cells, 10]` errors, weighted: `[batch, cells, 1]`.
    fn mean(self, errors: Tensor<3>) -> Tensor<3> {
        let nose = errors.clone().narrow(2, 2 * NOSE, 2).mean_dim(2);
        let share = 1.0 / POINTS as f64;
        (errors.mean_dim(2) + nose * (share * (self.nose - 1.0))) * self.all
    }
}

/// The loss of the network's `[batch, cells, 16]` numbers, per cell that is to find a face.
pub fn loss(output: Tensor<3>, targets: BatchTargets, points_weight: PointsWeight) -> Tensor<1> {
    let [batch, cells, values] = output.dims();
    let part = |from: usize, to: usize| output.clone().slice([0..batch, 0..cells, from..to]);
    let faces = targets.found.max(1) as f64;
    // Half of the logarithm of the area, `[batch, cells, 1]`.
    let log_side = targets.boxes.clone().slice([0..batch, 0..cells, 2..4]).mean_dim(2);
    let fit = BoxFit::of(part(2, 6), targets.boxes);

    let face = cross_entropy(part(0, 1), targets.face.clone()) * targets.counts;
    let overlap = cross_entropy(part(1, 2), fit.iou.detach()) * targets.face.clone();
    let boxes = fit.loss * targets.face.clone();
    // As people judge them: a px is much for a small face and little for a large one.
    let errors = (part(6, values) - targets.points) * log_side.neg().exp();
    let points = points_weight.mean(smooth(errors)) * targets.face;
    let [face, overlap, boxes, points] = [face, overlap, boxes, points].map(Tensor::sum);
    (face * WEIGHTS[0] + overlap * WEIGHTS[1] + boxes * WEIGHTS[2] + points) / faces
}

/// Cross-entropy of sigmoids, nats; in a form that no logit makes infinite.
fn cross_entropy(logits: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
    relu(logits.clone()) - logits.clone() * targets + logits.abs().neg().exp().log1p()
}

/// Huber's function, with slope 1 for large differences.
fn smooth(difference: Tensor<3>) -> Tensor<3> {
    let size = difference.abs();
    let small = size.clone().clamp_max(SMOOTH);
    // s^2 / (2 b) + |d| - s, where s = min(|d|, b).
    small.clone().square() / (2.0 * SMOOTH) + size - small
}

/// How well boxes fit.
struct BoxFit {
    /// Intersection over union.
    iou: Tensor<3>,
    /// EIoU (Zhang et al. 2022): 1 - IoU, and distances of middles and sides in relation to the box around both.
    loss: Tensor<3>,
}

impl BoxFit {
    /// Of `[batch, cells, 4]` boxes: middle and logarithm of the sides.
    fn of(ours: Tensor<3>, theirs: Tensor<3>) -> Self {
        let axis = |axis: usize| {
            let value = |boxes: &Tensor<3>, index: usize| boxes.clone().narrow(2, index, 1);
            let side = |boxes: &Tensor<3>| value(boxes, axis + 2).clamp_max(LARGEST_LOG).exp();
            Axis::of([value(&ours, axis), side(&ours)], [value(&theirs, axis), side(&theirs)])
        };
        let [across, down] = [axis(0), axis(1)];
        let shared = across.shared * down.shared;
        let union = across.ours * down.ours + across.theirs * down.theirs - shared.clone();
        let iou = shared / (union + 1e-6);
        let diagonal = across.hull.clone().square() + down.hull.clone().square() + 1e-6;
        let middles = (across.apart + down.apart) / diagonal;
        let sides = across.difference / (across.hull.square() + 1e-6) + down.difference / (down.hull.square() + 1e-6);
        Self { loss: iou.clone().neg() + 1.0 + middles + sides, iou }
    }
}

/// Two intervals along one axis.
struct Axis {
    ours: Tensor<3>,
    theirs: Tensor<3>,
    shared: Tensor<3>,
    /// Length of the interval around both.
    hull: Tensor<3>,
    /// Square of the distance between the middles.
    apart: Tensor<3>,
    /// Square of the difference of the lengths.
    difference: Tensor<3>,
}

impl Axis {
    fn of([a, a_side]: [Tensor<3>; 2], [b, b_side]: [Tensor<3>; 2]) -> Self {
        let ends = |middle: &Tensor<3>, side: &Tensor<3>, sign: f64| middle.clone() + side.clone() * (0.5 * sign);
        let (a_low, a_high) = (ends(&a, &a_side, -1.0), ends(&a, &a_side, 1.0));
        let (b_low, b_high) = (ends(&b, &b_side, -1.0), ends(&b, &b_side, 1.0));
        let shared = relu(a_high.clone().min_pair(b_high.clone()) - a_low.clone().max_pair(b_low.clone()));
        let hull = a_high.max_pair(b_high) - a_low.min_pair(b_low);
        Self {
            shared,
            hull,
            apart: (a - b).square(),
            difference: (a_side.clone() - b_side.clone()).square(),
            ours: a_side,
            theirs: b_side,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    fn tensor(values: &[f32], last: usize) -> Tensor<3> {
        let data = TensorData::new(values.to_vec(), [1, values.len() / last, last]);
        Tensor::from_data(data, &Device::flex())
    }

    fn numbers(tensor: Tensor<3>) -> Vec<f32> {
        tensor.into_data().try_to_vec().unwrap()
    }

    #[test]
    fn boxes_are_compared_by_their_overlap() {
        // The same box; half of it to the right; apart by two sides.
        let ours = tensor(&[0.5, 0.5, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0, 2.5, 0.5, 0.0, 0.0], 4);
        let theirs = tensor(&[0.5, 0.5, 0.0, 0.0].repeat(3), 4);
        let fit = BoxFit::of(ours, theirs);
        let iou = numbers(fit.iou);
        for (iou, expected) in iou.iter().zip([1.0, 1.0 / 3.0, 0.0]) {
            assert!((iou - expected).abs() < 1e-4, "{iou} instead of {expected}");
        }
        let loss = numbers(fit.loss);
        assert!(loss[0].abs() < 1e-4 && loss[1] > loss[0] && loss[2] > loss[1], "{loss:?}");
    }

    #[test]
    fn the_nose_weighs_as_it_is_told() {
        let mut errors = [0.0; 20];
        // A nose that is off by 1 across; a left corner of the mouth that is off by 1 down.
        errors[4] = 1.0;
        errors[19] = 1.0;
        let weight = PointsWeight { all: 10.0, nose: 3.0 };
        assert_eq!(numbers(weight.mean(tensor(&errors, 10))), [3.0, 1.0]);
    }

    #[test]
    fn no_logit_is_too_large() {
        let entropy = numbers(cross_entropy(tensor(&[0.0, 200.0, -200.0, 200.0], 1), tensor(&[1.0, 1.0, 0.0, 0.0], 1)));
        for (entropy, expected) in entropy.iter().zip([std::f32::consts::LN_2, 0.0, 0.0, 200.0]) {
            assert!((entropy - expected).abs() < 1e-4, "{entropy} instead of {expected}");
        }
    }

    #[test]
    fn small_differences_count_by_their_square() {
        let smoothed = numbers(smooth(tensor(&[0.0, 0.005, -1.105], 1)));
        for (value, expected) in smoothed.iter().zip([0.0, 0.00125, 1.1]) {
            assert!((value - expected).abs() < 1e-4, "{value} instead of {expected}");
        }
    }
}
