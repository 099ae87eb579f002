//! An exponential moving average of a network's weights, which generalises better than the last
//! step's (Polyak and Juditsky 1992; Tarvainen and Valpola 2017).

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

/// `shadow * decay + current * (1 - decay)` for every weight and batch statistic, after the step with this number, from 0;
/// the decay is less in the beginning, for a young average must not hang on to the random start.
///
/// Both networks must have the same structure and parameter ids, `current` in evaluation mode
/// (`Module::valid`).
pub fn blend<M: Module>(shadow: M, current: &M, decay: f64, step: usize) -> M {
    let decay = decay.min((1.0 + step as f64) / (10.0 + step as f64));
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
