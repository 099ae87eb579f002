//! Averages of networks' weights: over the steps of a training, which generalise better than the last step's (Polyak and
//! Juditsky 1992; Tarvainen and Valpola 2017), and of two networks.

use std::collections::VecDeque;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// Decay of the average at the step with this number, from 0: less than `most` in the beginning, for a young average must not
/// hang on to the random start.
pub fn moving(most: f64, step: usize) -> f64 {
    most.min((1.0 + step as f64) / (10.0 + step as f64))
}

/// `shadow * share + current * (1 - share)` for every weight and batch statistic.
///
/// Both networks must have the same structure, `current` in evaluation mode (`Module::valid`).
pub fn blend<M: Module>(shadow: M, current: &M, share: f64) -> M {
    let mut weights = Weights(VecDeque::new());
    current.visit(&mut weights);
    shadow.map(&mut Blend { weights, share })
}

/// Every parameter in the order of the structure, flattened because its rank is not known here.
struct Weights(VecDeque<Tensor<1>>);

impl ModuleVisitor for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push_back(param.val().flatten::<1>(0, D - 1));
    }
}

struct Blend {
    weights: Weights,
    share: f64,
}

impl ModuleMapper for Blend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(current) = self.weights.0.pop_front() else { return param };
        param.map(|shadow| {
            let current = current.reshape(shadow.dims());
            shadow.mul_scalar(self.share) + current.mul_scalar(1.0 - self.share)
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::config::NetworkConfig;
    use crate::network::Network;

    #[test]
    fn between_two_networks_lies_what_is_between_their_weights() {
        let device = Device::flex();
        let config = NetworkConfig::Residual { widths: vec![8, 16], blocks: vec![1, 0], dropout: 0.0 };
        let [a, b] = [1, 2].map(|seed| {
            device.seed(seed);
            Network::new(&config, 3, &device).folded()
        });
        let numbers = |network: &Network| {
            let mut weights = Weights(VecDeque::new());
            network.visit(&mut weights);
            weights.0.into_iter().flat_map(|w| w.into_data().iter::<f32>().collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        let between = blend(a.clone(), &b, 0.75);
        assert_ne!(numbers(&a), numbers(&b));
        for ((a, b), between) in numbers(&a).into_iter().zip(numbers(&b)).zip(numbers(&between)) {
            assert!((0.75 * a + 0.25 * b - between).abs() < 1e-5, "{between} between {a} and {b}");
        }
    }

    #[test]
    fn a_young_average_forgets_what_it_began_with() {
        let average = (0..200).fold(100.0, |average, step| average * moving(0.999, step));
        assert!(average < 1e-6, "{average}");
        assert_eq!(moving(0.9, 1_000_000), 0.9);
    }
}
