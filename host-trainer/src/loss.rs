//! What training minimises.

use burn::tensor::activation::{log_softmax, relu, softmax};
use burn::tensor::{Device, Tensor, TensorData};

use crate::config::{LossKind, Recipe};

/// The loss of a recipe.
pub struct Loss {
    kind: LossKind,
    focal_gamma: f64,
    /// How much a face of each class counts; `[1, classes]`.
    class_weights: Option<Tensor<2>>,
}

impl Loss {
    /// The loss of a recipe, for training on faces with these targets (one row a face), on `device`.
    pub fn new(recipe: &Recipe, targets: &[Vec<f32>], device: &Device) -> Self {
        Self {
            kind: recipe.loss,
            focal_gamma: recipe.focal_gamma,
            class_weights: recipe.class_weights.then(|| {
                let weights = balanced_weights(targets);
                let shape = [1, weights.len()];
                Tensor::from_data(TensorData::new(weights, shape), device)
            }),
        }
    }

    /// The mean over a batch of logits `[batch, classes]` against targets of that shape, whose rows sum to 1.
    pub fn of(&self, logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
        let faces = match self.kind {
            LossKind::CrossEntropy => cross_entropy(logits, targets.clone(), self.focal_gamma),
            LossKind::Mse => (softmax(logits, 1) - targets.clone()).square().mean_dim(1),
            LossKind::SquaredHinge => {
                let signs = targets.clone().mul_scalar(2.0).sub_scalar(1.0);
                relu((softmax(logits, 1) * signs).neg().add_scalar(1.0)).square().mean_dim(1)
            }
        };
        match &self.class_weights {
            Some(weights) => (faces * (targets * weights.clone()).sum_dim(1)).mean(),
            None => faces.mean(),
        }
    }
}

/// Cross-entropy of each face in nats, `[batch, 1]`; with a `gamma` above 0 the focal loss (Lin et al. 2017).
fn cross_entropy(logits: Tensor<2>, targets: Tensor<2>, gamma: f64) -> Tensor<2> {
    let log_probabilities = log_softmax(logits, 1);
    let mut terms = log_probabilities.clone() * targets;
    if gamma > 0.0 {
        // A gamma below 1 has no finite slope at 0.
        let doubt = log_probabilities.exp().neg().add_scalar(1.0).clamp_min(1e-6);
        terms = terms * doubt.powf_scalar(gamma);
    }
    terms.sum_dim(1).neg()
}

/// Faces over classes times faces of the class, as scikit-learn's `balanced`; 0 for a class without faces.
fn balanced_weights(targets: &[Vec<f32>]) -> Vec<f32> {
    let classes = targets.first().map_or(0, Vec::len);
    let mut counts = vec![0f32; classes];
    for row in targets {
        counts.iter_mut().zip(row).for_each(|(count, share)| *count += share);
    }
    let weight = |count: &f32| if *count > 0.0 { targets.len() as f32 / (classes as f32 * count) } else { 0.0 };
    counts.iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor<const R: usize, const C: usize>(rows: [[f32; C]; R], device: &Device) -> Tensor<2> {
        Tensor::from_data(rows, device)
    }

    fn value(recipe: &Recipe, logits: [[f32; 3]; 2], targets: [[f32; 3]; 2]) -> f32 {
        let device = Device::flex();
        let rows: Vec<Vec<f32>> = targets.iter().map(|row| row.to_vec()).collect();
        Loss::new(recipe, &rows, &device).of(tensor(logits, &device), tensor(targets, &device)).into_scalar::<f32>()
    }

    fn recipe(loss: LossKind) -> Recipe {
        Recipe { loss, ..Recipe::default() }
    }

    const LOGITS: [[f32; 3]; 2] = [[1.0, 2.0, 0.5], [-1.0, 0.0, 3.0]];
    const TARGETS: [[f32; 3]; 2] = [[0.0, 1.0, 0.0], [0.2, 0.1, 0.7]];

    /// Softmax of both rows in double precision, by Python:
    /// `[[0.231224, 0.628532, 0.140244], [0.017148, 0.046613, 0.936239]]`.
    fn probabilities() -> [[f64; 3]; 2] {
        LOGITS.map(|row| {
            let powers = row.map(|logit| f64::from(logit).exp());
            let sum: f64 = powers.iter().sum();
            powers.map(|power| power / sum)
        })
    }

    fn expected(term: impl Fn(f64, f64) -> f64) -> f64 {
        let rows = probabilities().into_iter().zip(TARGETS);
        rows.flat_map(|(row, target)| row.into_iter().zip(target)).map(|(p, t)| term(p, f64::from(t))).sum()
    }

    #[test]
    fn each_loss_is_its_formula() {
        let p = probabilities();
        assert!((p[0][1] - 0.628_532).abs() < 1e-6 && (p[1][2] - 0.936_239).abs() < 1e-6);
        for (recipe, expected) in [
            (recipe(LossKind::CrossEntropy), expected(|p, t| -t * p.ln()) / 2.0),
            (
                Recipe { focal_gamma: 2.0, ..recipe(LossKind::CrossEntropy) },
                expected(|p, t| -t * (1.0 - p).powi(2) * p.ln()) / 2.0,
            ),
            (recipe(LossKind::Mse), expected(|p, t| (p - t).powi(2)) / 6.0),
            (recipe(LossKind::SquaredHinge), expected(|p, t| (1.0 - (2.0 * t - 1.0) * p).max(0.0).powi(2)) / 6.0),
        ] {
            let found = f64::from(value(&recipe, LOGITS, TARGETS));
            assert!((found - expected).abs() < 1e-6, "{:?}: {found}, not {expected}", recipe.loss);
        }
    }

    #[test]
    fn cross_entropy_of_even_logits_is_the_log_of_the_classes() {
        let found = value(&recipe(LossKind::CrossEntropy), [[0.0; 3]; 2], TARGETS);
        assert!((found - 3f32.ln()).abs() < 1e-6, "{found}");
    }

    #[test]
    fn rare_classes_count_more() {
        // compute_class_weight("balanced") of scikit-learn for the labels 0, 0, 0, 1: 2/3 and 2.
        let rows = [vec![1.0, 0.0], vec![1.0, 0.0], vec![1.0, 0.0], vec![0.0, 1.0]];
        let found = balanced_weights(&rows);
        assert!((found[0] - 2.0 / 3.0).abs() < 1e-6 && (found[1] - 2.0).abs() < 1e-6, "{found:?}");
        let weighted = Recipe { class_weights: true, ..recipe(LossKind::CrossEntropy) };
        let targets = [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        let found = f64::from(value(&weighted, LOGITS, targets));
        let p = probabilities();
        // Two classes of one face each, and one of none: 2 / (3 * 1).
        let expected = -(p[0][1].ln() + p[1][2].ln()) / 2.0 * 2.0 / 3.0;
        assert!((found - expected).abs() < 1e-6, "{found}, not {expected}");
    }

    #[test]
    fn gradients_are_the_slopes() {
        let device = Device::flex().autodiff();
        let rows: Vec<Vec<f32>> = TARGETS.iter().map(|row| row.to_vec()).collect();
        for recipe in [
            recipe(LossKind::CrossEntropy),
            Recipe { focal_gamma: 2.0, class_weights: true, ..recipe(LossKind::CrossEntropy) },
            recipe(LossKind::Mse),
            recipe(LossKind::SquaredHinge),
        ] {
            let logits = tensor(LOGITS, &device).require_grad();
            let loss = Loss::new(&recipe, &rows, &device).of(logits.clone(), tensor(TARGETS, &device));
            let gradients = loss.backward();
            let gradient: Vec<f32> = logits.grad(&gradients).unwrap().into_data().try_to_vec().unwrap();
            for at in 0..6 {
                let moved = |step: f32| {
                    let mut logits = LOGITS;
                    logits[at / 3][at % 3] += step;
                    value(&recipe, logits, TARGETS)
                };
                let slope = (moved(0.01) - moved(-0.01)) / 0.02;
                assert!((slope - gradient[at]).abs() < 1e-3, "{:?} {at}: {slope}, {}", recipe.loss, gradient[at]);
            }
        }
    }
}
