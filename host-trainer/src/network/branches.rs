//! Residual networks side by side that share nothing but their input, and answer with the mean of their logits.
//!
//! Networks that were trained apart err in different places, and their mean is right more often than any of them (Hansen and
//! Salamon 1990, "Neural network ensembles"). As one network it is exported, fine-tuned and run like any other.

use burn::module::Module;
use burn::tensor::Tensor;

use super::layers::Layers;
use super::residual::ResidualNet;

/// `[batch, channels, side, side]` -> `[batch, classes]`.
#[derive(Module, Debug)]
pub struct BranchesNet {
    branches: Vec<ResidualNet>,
}

impl BranchesNet {
    /// At least one, all of so many channels and classes.
    pub fn new(branches: Vec<ResidualNet>) -> Self {
        Self { branches }
    }

    /// Logits of a batch of crops.
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        let logits = self.branches.iter().map(|branch| branch.forward(crops.clone()));
        let share = 1.0 / self.branches.len() as f64;
        let sum = logits.reduce(|sum, logits| sum + logits);
        // A trial with fewer than two is refused.
        sum.expect("at least one branch").mul_scalar(share)
    }

    /// All layers with weights, those of each branch together; the heads of all are the head.
    pub fn layers(&mut self) -> Layers<'_> {
        let mut all = Layers { base: Vec::new(), head: Vec::new() };
        for Layers { base, head } in self.branches.iter_mut().map(ResidualNet::layers) {
            all.base.extend(base);
            all.head.extend(head);
        }
        all
    }
}
