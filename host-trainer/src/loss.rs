//! What training minimises.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};

/// Targets of a batch, `[batch, classes]`: `1 - smoothing` on the label, and `smoothing` spread
/// evenly over all classes (Szegedy et al. 2016, label smoothing).
pub fn smoothed_targets(labels: &[usize], classes: usize, smoothing: f32, device: &Device) -> Tensor<2> {
    let floor = smoothing / classes as f32;
    let mut targets = vec![floor; labels.len() * classes];
    for (row, &label) in targets.chunks_exact_mut(classes).zip(labels) {
        row[label] += 1.0 - smoothing;
    }
    Tensor::from_data(TensorData::new(targets, [labels.len(), classes]), device)
}

/// Mean cross-entropy, in nats, of logits `[batch, classes]` against soft targets of that shape.
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    (log_softmax(logits, 1) * targets).sum_dim(1).mean().neg()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cross_entropy_of_even_logits_is_the_log_of_the_classes() {
        let device = Device::flex();
        let targets = smoothed_targets(&[0, 3], 7, 0.1, &device);
        let loss = cross_entropy(Tensor::zeros([2, 7], &device), targets.clone());
        assert!((loss.into_scalar::<f32>() - 7f32.ln()).abs() < 1e-6);
        let total = targets.sum().into_scalar::<f32>();
        assert!((total - 2.0).abs() < 1e-6, "{total}");
    }
}
