//! Runs a network on a tensor: ONNX through tract, one crop at a time.

use std::fmt;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde::Serialize;
use tract_onnx::pb;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid;

use crate::ClassifierError;
use crate::optimise::optimised;

/// A loaded network: `[1, 1, side, side]` in, one logit a label out. It can be shared
/// between threads; each call has its own state.
pub struct Classifier {
    name: String,
    side: usize,
    plan: Arc<TypedRunnableModel>,
}

impl fmt::Debug for Classifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Classifier").field("name", &self.name).field("side", &self.side).finish_non_exhaustive()
    }
}

impl Classifier {
    /// Loads the ONNX file `bytes`, called `name` in errors, for crops of `side` pixels
    /// and `classes` labels.
    ///
    /// # Errors
    /// The bytes are no ONNX network that tract can run, or it has another input than
    /// f32 `[1, 1, side, side]` or another output than f32 `[1, classes]`.
    pub fn from_onnx(bytes: &[u8], name: &str, side: usize, classes: usize) -> Result<Self, ClassifierError> {
        // tract indexes by names from the file, so a damaged one can make it panic.
        let plan = catch_unwind(AssertUnwindSafe(|| load(bytes, name, side, classes)))
            .unwrap_or_else(|_| Err(no_network(name, "the loader gave up on it")))?;
        Ok(Self { name: name.to_owned(), side, plan })
    }

    /// The logits for a tensor of `side * side` values, in label order.
    ///
    /// # Errors
    /// Another number of values, a failure of the runtime, or an output that is not
    /// finite.
    pub fn logits(&self, tensor: &[f32]) -> Result<Vec<f32>, ClassifierError> {
        if tensor.len() != self.side * self.side {
            return Err(ClassifierError::TensorLength {
                name: self.name.clone(),
                found: tensor.len(),
                expected: self.side * self.side,
            });
        }
        let logits =
            self.run(tensor).map_err(|e| ClassifierError::Run { name: self.name.clone(), cause: format!("{e:#}") })?;
        match logits.iter().position(|v| !v.is_finite()) {
            None => Ok(logits),
            Some(index) => Err(ClassifierError::NotFinite { name: self.name.clone(), index, value: logits[index] }),
        }
    }

    fn run(&self, tensor: &[f32]) -> TractResult<Vec<f32>> {
        let input = Tensor::from_shape(&[1, 1, self.side, self.side], tensor)?;
        let outputs = self.plan.run(tvec!(input.into()))?;
        let view = outputs[0].try_as_plain_ram()?;
        Ok(view.as_slice::<f32>()?.to_vec())
    }
}

fn no_network(name: &str, cause: impl Into<String>) -> ClassifierError {
    ClassifierError::Load { name: name.to_owned(), cause: cause.into() }
}

fn load(bytes: &[u8], name: &str, side: usize, classes: usize) -> Result<Arc<TypedRunnableModel>, ClassifierError> {
    let refuse = |e: TractError| no_network(name, format!("{e:#}"));
    let reader = onnx();
    let proto = reader.proto_model_for_read(&mut Cursor::new(bytes)).map_err(refuse)?;
    check_graph(&proto).map_err(|cause| no_network(name, cause))?;
    let mut network = reader.model_for_proto_model(&proto).map_err(refuse)?;

    let wanted = [1, 1, side, side];
    check_input(&network, name, wanted)?;
    let fact = InferenceFact::dt_shape(f32::datum_type(), wanted);
    network.set_input_fact(0, fact).map_err(refuse)?;
    let network = optimised(network).map_err(refuse)?;

    let output = network.output_fact(0).map_err(refuse)?;
    if output.datum_type != f32::datum_type() || output.shape.as_concrete() != Some(&[1, classes][..]) {
        return Err(ClassifierError::Output {
            name: name.to_owned(),
            found: format!("{output:?}"),
            expected: format!("1,{classes},F32"),
        });
    }
    network.into_runnable().map_err(refuse)
}

/// One input, one output, and the output made by a node of the graph.
fn check_graph(proto: &pb::ModelProto) -> Result<(), String> {
    let graph = proto.graph.as_ref().ok_or("it holds no graph")?;
    // Old files list their weights among the inputs.
    let is_weight = |name: &str| graph.initializer.iter().any(|i| i.name == name);
    let inputs = graph.input.iter().filter(|i| !is_weight(&i.name)).count();
    if inputs != 1 {
        return Err(format!("it has {inputs} inputs, expected one"));
    }
    let [output] = graph.output.as_slice() else {
        return Err(format!("it has {} outputs, expected one", graph.output.len()));
    };
    if !graph.node.iter().any(|n| n.output.contains(&output.name)) {
        return Err(format!("nothing in it gives its output `{}`", output.name));
    }
    Ok(())
}

/// The input that the file declares must leave room for the one that it will get: a
/// network made for another side would often run all the same, and be wrong.
fn check_input(network: &InferenceModel, name: &str, wanted: [usize; 4]) -> Result<(), ClassifierError> {
    let fact = network.input_fact(0).map_err(|e| no_network(name, format!("{e:#}")))?;
    let type_fits = fact.datum_type.concretize().is_none_or(|t| t == f32::datum_type());
    let dims: Vec<Option<usize>> =
        fact.shape.dims().map(|d| d.concretize().and_then(|d| usize::try_from(d.to_i64().ok()?).ok())).collect();
    let rank_fits = dims.len() == wanted.len() || (fact.shape.is_open() && dims.is_empty());
    let dims_fit = dims.iter().zip(wanted).all(|(found, wanted)| found.is_none_or(|n| n == wanted));
    if type_fits && rank_fits && dims_fit {
        return Ok(());
    }
    Err(ClassifierError::Input {
        name: name.to_owned(),
        found: format!("{fact:?}"),
        expected: format!("{},F32", wanted.map(|n| n.to_string()).join(",")),
    })
}

/// Probabilities in label order; they sum to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scores(Vec<f32>);

impl Scores {
    /// `softmax(logits / temperature)`: a temperature above 1 makes the scores more
    /// cautious. Logits that are not finite give equal scores, and a temperature below
    /// 0.001 is taken as 0.001.
    pub fn softmax(logits: &[f32], temperature: f32) -> Self {
        let temperature = temperature.max(1e-3);
        let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f32> = logits.iter().map(|&l| ((l - highest) / temperature).exp()).collect();
        let sum: f32 = powers.iter().sum();
        if sum.is_finite() && sum > 0.0 {
            Self(powers.into_iter().map(|p| p / sum).collect())
        } else {
            Self(vec![1.0 / logits.len() as f32; logits.len()])
        }
    }

    /// The most probable output and its probability; of equals the first.
    pub fn best(&self) -> (usize, f32) {
        let mut best = (0, 0.0);
        for (index, &score) in self.0.iter().enumerate() {
            if score > best.1 {
                best = (index, score);
            }
        }
        best
    }

    /// The probabilities in label order.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_network::{linear, linear_bytes};

    fn refusal(bytes: &[u8]) -> String {
        Classifier::from_onnx(bytes, "net.onnx", 4, 3).unwrap_err().to_string()
    }

    #[test]
    fn a_linear_network_by_hand() {
        let weights = |class: usize, pixel: usize| if pixel == class { 2.0 } else { 0.0 };
        let bytes = linear_bytes(4, 3, weights, &[0.0, 10.0, -1.0]);
        let classifier = Classifier::from_onnx(&bytes, "net.onnx", 4, 3).unwrap();
        let tensor: Vec<f32> = (1..=16).map(|v| v as f32).collect();
        assert_eq!(classifier.logits(&tensor).unwrap(), [2.0, 14.0, 5.0]);
        let error = classifier.logits(&tensor[1..]).unwrap_err().to_string();
        assert!(error.contains("15") && error.contains("16"), "{error}");
    }

    #[test]
    fn it_runs_on_several_threads() {
        let classifier = Classifier::from_onnx(&linear(4, 3, 7), "net.onnx", 4, 3).unwrap();
        let expected = classifier.logits(&[0.5; 16]).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(classifier.logits(&[0.5; 16]).unwrap(), expected));
            }
        });
    }

    #[test]
    fn other_shapes_are_refused_with_both_named() {
        let error = refusal(&linear(4, 5, 0));
        assert!(error.contains("1,5,F32") && error.contains("1,3,F32"), "{error}");
        let error = refusal(&linear(8, 3, 0));
        assert!(error.contains("1,1,8,8") && error.contains("1,1,4,4"), "{error}");
    }

    #[test]
    fn what_is_no_network_is_refused_by_name() {
        for bytes in [&b""[..], b"not ONNX", &[0xff; 64], b"\x08\x07"] {
            let error = refusal(bytes);
            assert!(error.starts_with("`net.onnx`"), "{error}");
        }
    }

    #[test]
    fn outputs_that_are_not_finite_are_errors() {
        let bytes = linear_bytes(4, 3, |_, _| 0.0, &[0.0, f32::NAN, 0.0]);
        let classifier = Classifier::from_onnx(&bytes, "net.onnx", 4, 3).unwrap();
        let error = classifier.logits(&[0.0; 16]).unwrap_err();
        assert!(matches!(error, ClassifierError::NotFinite { index: 1, .. }));
    }

    proptest! {
        #[test]
        fn a_damaged_network_never_panics(at: prop::sample::Index, bit in 0u32..8, cut: prop::sample::Index) {
            let mut bytes = linear(4, 3, 1);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let _ = Classifier::from_onnx(&bytes, "net.onnx", 4, 3).map(|c| c.logits(&[0.5; 16]));
            let whole = linear(4, 3, 1);
            let cut = cut.index(whole.len());
            let _ = Classifier::from_onnx(&whole[..cut], "net.onnx", 4, 3);
        }

        #[test]
        fn softmax_sums_to_one_and_keeps_the_order(
            logits in prop::collection::vec(-80f32..80.0, 2..9), temperature in 0.1f32..10.0,
        ) {
            let scores = Scores::softmax(&logits, temperature);
            prop_assert!((scores.as_slice().iter().sum::<f32>() - 1.0).abs() < 1e-5);
            let (best, score) = scores.best();
            prop_assert!(logits.iter().all(|&l| l <= logits[best] + 1e-4));
            prop_assert!(score >= 1.0 / logits.len() as f32 - 1e-6);
        }

        #[test]
        fn softmax_takes_anything(logits in prop::collection::vec(any::<f32>(), 1..9), temperature: f32) {
            let sum: f32 = Scores::softmax(&logits, temperature).as_slice().iter().sum();
            prop_assert!((sum - 1.0).abs() < 1e-5);
        }
    }
}
