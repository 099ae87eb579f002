//! Multinomial logistic regression: how likely each class is, given some numbers.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::ask::rows;

/// Steps over all rows at once, after which the table stands still.
const STEPS: usize = 400;
const LEARNING_RATE: f64 = 0.1;

/// What was fitted.
pub struct Table {
    linear: Linear,
    device: Device,
}

impl Table {
    /// Fits `classes` to rows of numbers of about the same size, each with its class; there is at least one row.
    pub fn fit(inputs: &[Vec<f32>], classes: &[usize], count: usize, device: &Device) -> Self {
        let training = device.clone().autodiff();
        let width = inputs.first().map_or(0, Vec::len);
        let classes: Vec<i64> = classes.iter().map(|&class| class as i64).collect();
        let classes = Tensor::<1, Int>::from_data(TensorData::new(classes, [inputs.len()]), &training);
        let inputs = matrix(inputs, &training);
        let mut linear = LinearConfig::new(width, count).init(&training);
        let mut optimizer: ModuleOptimizer = AdamConfig::new().init();
        for _ in 0..STEPS {
            let likely = log_softmax(linear.forward(inputs.clone()), 1);
            let loss = likely.gather(1, classes.clone().unsqueeze_dim(1)).mean().neg();
            let gradients = GradientsParams::from_grads(loss.backward(), &linear);
            linear = optimizer.step(LEARNING_RATE, linear, gradients);
        }
        Self { linear: linear.valid(), device: device.clone() }
    }

    /// How likely each class is, a row for each row of `inputs`.
    ///
    /// # Errors
    /// The device does not hand out the result.
    pub fn read(&self, inputs: &[Vec<f32>]) -> anyhow::Result<Vec<Vec<f32>>> {
        rows(softmax(self.linear.forward(matrix(inputs, &self.device)), 1), "a table of probabilities")
    }
}

fn matrix(rows: &[Vec<f32>], device: &Device) -> Tensor<2> {
    let width = rows.first().map_or(0, Vec::len);
    Tensor::from_data(TensorData::new(rows.concat(), [rows.len(), width]), device)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_how_likely_a_class_is() {
        // Of the first kind three quarters have class 0; of the second all have class 1.
        let kinds: Vec<Vec<f32>> = (0..80).map(|row| if row < 40 { vec![1.0, 0.0] } else { vec![0.0, 1.0] }).collect();
        let classes: Vec<usize> = (0..80).map(|row| if row < 30 { 0 } else { 1 }).collect();
        let rows = Table::fit(&kinds, &classes, 2, &Device::flex()).read(&kinds).unwrap();
        assert!((rows[0][0] - 0.75).abs() < 0.01 && (rows[0][1] - 0.25).abs() < 0.01, "{:?}", rows[0]);
        assert!(rows[79][1] > 0.97, "{:?}", rows[79]);
    }
}
