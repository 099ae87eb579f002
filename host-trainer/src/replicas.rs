//! The gradients of a batch, by one processor or by several that share it.
//!
//! Data parallelism as in PyTorch's `DistributedDataParallel` (Li et al. 2020), with the library's own pieces: every further
//! processor gets a copy of the network (`Module::fork`) and a part of the batch, and its gradients come back
//! (`GradientsParams::to_device`) and are added up (`GradientsAccumulator`). Batch normalisations work with the statistics
//! of their own part; only those of the first processor are kept, as there.

use anyhow::anyhow;
use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Device;

use crate::batches::Batch;
use crate::config::{Frozen, Recipe};
use crate::loss::Loss;
use crate::network::Network;
use crate::teachers::ConsistentTeachers;

/// The processors that train one network together.
pub struct Replicas {
    /// With autodiff; the first has the network itself.
    members: Vec<Member>,
    frozen: Frozen,
}

struct Member {
    device: Device,
    loss: Loss,
    teachers: Option<ConsistentTeachers>,
}

impl Replicas {
    /// Of `devices` (without autodiff; at least one), for faces with these targets, one row a face, of which `teachers` have
    /// their share.
    pub fn new(
        recipe: &Recipe,
        targets: &[Vec<f32>],
        teachers: Option<&ConsistentTeachers>,
        devices: &[Device],
    ) -> Self {
        let member = |device: &Device| {
            let teachers = teachers.map(|teachers| teachers.on(device));
            let device = device.clone().autodiff();
            Member { loss: Loss::new(recipe, targets, &device), teachers, device }
        };
        Self { members: devices.iter().map(member).collect(), frozen: recipe.frozen }
    }

    /// Whether teachers are asked about the faces before their blur.
    pub fn have_teachers(&self) -> bool {
        self.members.iter().any(|member| member.teachers.is_some())
    }

    /// Has what dropout draws on every processor depend on `seed`.
    pub fn seed(&self, seed: u64) {
        for (member, number) in self.members.iter().zip(0..) {
            member.device.seed(seed ^ (number << 56));
        }
    }

    /// The mean loss of `batch` and its gradients, on the network's own processor.
    ///
    /// # Errors
    /// Another processor failed.
    pub fn gradients(&self, network: &Network, batch: Batch) -> anyhow::Result<(GradientsParams, f64)> {
        let faces = batch.labels.len();
        let mut parts = batch.split(self.members.len()).into_iter().zip(&self.members);
        let Some((own, first)) = parts.next() else { return Err(anyhow!("a batch without faces")) };
        if own.labels.len() == faces {
            return Ok(first.gradients(network, own, 1.0));
        }
        let weigh = |part: &Batch| part.labels.len() as f32 / faces as f32;
        std::thread::scope(|scope| {
            let others: Vec<_> = parts
                .map(|(part, member)| {
                    // A plain clone would share its batch statistics, and move them away.
                    let copy = network.valid().train().frozen(self.frozen).fork(&member.device);
                    scope.spawn(move || {
                        let weight = weigh(&part);
                        let (gradients, loss) = member.gradients(&copy, part, weight);
                        (gradients.to_device(&first.device, &copy), loss)
                    })
                })
                .collect();
            let weight = weigh(&own);
            let (gradients, mut total) = first.gradients(network, own, weight);
            let mut sum = GradientsAccumulator::new();
            sum.accumulate(network, gradients);
            for other in others {
                let (gradients, loss) =
                    other.join().map_err(|_| anyhow!("a processor failed in the middle of a step"))?;
                sum.accumulate(network, gradients);
                total += loss;
            }
            Ok((sum.grads(), total))
        })
    }
}

impl Member {
    /// Of one part, times its share of the batch.
    fn gradients(&self, network: &Network, part: Batch, share: f32) -> (GradientsParams, f64) {
        let targets = match &self.teachers {
            None => part.targets(&self.device),
            Some(teachers) => {
                let plain = self.device.clone().inner();
                teachers.teach(part.targets(&plain), &part.sharp(&plain)).autodiff()
            }
        };
        let loss = self.loss.of(network.forward(part.tensor(&self.device)), targets).mul_scalar(share);
        let gradients = GradientsParams::from_grads(loss.backward(), network);
        (gradients, f64::from(loss.into_scalar::<f32>()))
    }
}

#[cfg(test)]
mod tests {
    use burn::module::{ModuleVisitor, Param};
    use burn::tensor::Tensor;
    use models::{GrayImage, InputSpec, Normalisation};

    use super::*;
    use crate::batches::Example;
    use crate::config::{HeadConfig, NetworkConfig};

    const SIDE: usize = 32;

    /// The gradient of every parameter, in order.
    struct Flat<'a>(&'a GradientsParams, Vec<Vec<f32>>);

    impl ModuleVisitor for Flat<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.0.get::<D>(param.id) {
                self.1.push(gradient.into_data().try_to_vec().unwrap());
            }
        }
    }

    fn batch(faces: usize) -> Batch {
        let input = InputSpec { side: SIDE, normalisation: Normalisation::Fixed { mean: 128.0, std: 64.0 } };
        let example = |face: usize| {
            let pixels = (0..SIDE * SIDE).map(|at| (at * (face + 3) % 251) as u8).collect();
            let picture = GrayImage::from_vec(pixels, SIDE, SIDE).unwrap();
            let target = (0..3).map(|class| f32::from(u8::from(class == face % 3))).collect();
            Example::new(&input, picture.view(), face % 3, target).unwrap()
        };
        Batch::of(SIDE, (0..faces).map(example).collect())
    }

    #[test]
    fn a_shared_batch_has_the_gradients_of_the_whole_one() {
        // Without normalisation or dropout, parts of a batch do not depend on each other.
        let device = Device::flex().autodiff();
        let config = NetworkConfig::Vgg16(HeadConfig { batch_norm: false, hidden: vec![], dropout: 0.0 });
        let network = Network::new(&config, 3, &device);
        let recipe = Recipe { class_weights: true, ..Recipe::default() };
        let targets = [vec![1.0, 0.0, 0.0], vec![0.0, 1.0, 0.0], vec![0.0, 1.0, 0.0], vec![0.0, 0.0, 1.0]];
        let of = |count: usize| {
            let devices = vec![Device::flex(); count];
            let (gradients, loss) =
                Replicas::new(&recipe, &targets, None, &devices).gradients(&network, batch(5)).unwrap();
            let mut flat = Flat(&gradients, Vec::new());
            network.visit(&mut flat);
            (flat.1, loss)
        };
        let (whole, whole_loss) = of(1);
        assert!(whole.len() > 20 && whole.iter().flatten().any(|&value| value != 0.0));
        // Seven processors for five faces: two have nothing to do.
        for count in [2, 3, 7] {
            let (shared, loss) = of(count);
            assert!((loss - whole_loss).abs() < 1e-5, "{count}: {loss}, not {whole_loss}");
            for (a, b) in whole.iter().zip(&shared) {
                let scale = a.iter().fold(0f32, |most, value| most.max(value.abs()));
                assert_eq!(a.len(), b.len());
                assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-4 * scale + 1e-9), "{count} processors");
            }
        }
    }
}
