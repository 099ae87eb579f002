//! An exponential moving average of a network's weights, which generalises better than the last
//! step's (Polyak and Juditsky 1992; Tarvainen and Valpola 2017).

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

/// Decay of the average at the step with this number, from 0: less than `most` in the beginning, for a young average must not
/// hang on to the random start.
pub fn moving(most: f64, step: usize) -> f64 {
    most.min((1.0 + step as f64) / (10.0 + step as f64))
}

/// Decay that makes the average the plain mean of so many steps before and this one (Izmailov et al. 2018).
pub fn mean(steps_before: usize) -> f64 {
    steps_before as f64 / (steps_before as f64 + 1.0)
}

/// `shadow * decay + current * (1 - decay)` for every weight and batch statistic.
///
/// Both networks must have the same structure and parameter ids, `current` in evaluation mode
/// (`Module::valid`).
pub fn blend<M: Module>(shadow: M, current: &M, decay: f64) -> M {
    let mut weights = Weights(HashMap::new());
    current.visit(&mut weights);
    shadow.map(&mut Blend { weights, decay })
}

/// Every parameter, flattened because its rank is not known here.
struct Weights(HashMap<ParamId, Tensor<1>>);

impl ModuleVisitor for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.insert(param.id, param.val().flatten::<1>(0, D - 1));
    }
}

struct Blend {
    weights: Weights,
    decay: f64,
}

impl ModuleMapper for Blend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(current) = self.weights.0.remove(&param.id) else { return param };
        param.map(|shadow| {
            let current = current.reshape(shadow.dims());
            shadow.mul_scalar(self.decay) + current.mul_scalar(1.0 - self.decay)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_weighs_every_step_alike_and_a_moving_average_the_late_ones_more() {
        let average = |decay: fn(usize) -> f64| {
            [3.0, 5.0, 10.0].iter().enumerate().fold(100.0, |average, (step, value)| {
                let decay = decay(step);
                average * decay + value * (1.0 - decay)
            })
        };
        assert!((average(mean) - 6.0).abs() < 1e-12);
        assert!(average(|step| moving(0.9, step)) > 6.0);
        assert_eq!(moving(0.9, 1_000_000), 0.9);
    }
}
