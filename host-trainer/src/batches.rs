//! Batches of augmented faces, made on a thread of their own while the network works.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use anyhow::Context;
use burn::tensor::{Device, Tensor, TensorData};
use models::{BlurLevel, InputSpec, box_blur};
use rand::seq::SliceRandom;

use crate::augment::{augment, stream};
use crate::config::{Recipe, TrialConfig};
use crate::sample::Sample;

/// Batches that wait at most, so that memory stays bounded.
const READY: usize = 3;

/// Preprocessed faces and their labels.
pub struct Batch {
    pixels: Vec<f32>,
    side: usize,
    /// One index into the label set for each face.
    pub labels: Vec<usize>,
}

impl Batch {
    fn new(side: usize, faces: usize) -> Self {
        Self { pixels: Vec::with_capacity(faces * side * side), side, labels: Vec::with_capacity(faces) }
    }

    fn push(&mut self, input: &InputSpec, face: &models::GrayImage, label: usize) -> anyhow::Result<()> {
        let face = models::resize(face.view(), self.side, self.side);
        self.pixels.extend(input.tensor(face.view())?);
        self.labels.push(label);
        Ok(())
    }

    /// `[batch, 1, side, side]` on `device`.
    pub fn tensor(self, device: &Device) -> Tensor<4> {
        let shape = [self.labels.len(), 1, self.side, self.side];
        Tensor::from_data(TensorData::new(self.pixels, shape), device)
    }
}

/// The place of an epoch in a trial: what its random streams depend on.
#[derive(Copy, Clone)]
pub struct Place {
    /// 0 for the clear model's training, 1 for the robust one's.
    pub stage: u64,
    /// From 0.
    pub epoch: u64,
}

/// Full batches of one epoch in random order; what does not fill a batch is left for other epochs.
pub fn epoch<'scope, 'data: 'scope>(
    scope: &'scope Scope<'scope, '_>,
    samples: &'data [&'data Sample],
    trial: &'data TrialConfig,
    recipe: &'data Recipe,
    place: Place,
) -> Receiver<anyhow::Result<Batch>> {
    let (ready, batches) = sync_channel(READY);
    let mut input = trial.input;
    if (place.epoch as usize) < recipe.small_epochs {
        input.side = recipe.small_side;
    }
    scope.spawn(move || {
        let mut order: Vec<usize> = (0..samples.len()).collect();
        order.shuffle(&mut stream(trial.seed, place.stage, place.epoch, u64::MAX));
        for indices in order.chunks_exact(recipe.batch) {
            let mut batch = Batch::new(input.side, indices.len());
            let made = indices.iter().try_for_each(|&index| {
                let mut rng = stream(trial.seed, place.stage, place.epoch, index as u64);
                let face = augment(samples[index].face.view(), &recipe.augment, &mut rng);
                let label = samples[index].lesson(&mut rng);
                batch.push(&input, &face, label).with_context(|| format!("the face of row {}", samples[index].row))
            });
            // The receiver is gone when training has stopped; then so does this thread.
            if ready.send(made.map(|()| batch)).is_err() {
                return;
            }
        }
    });
    batches
}

/// The faces as they are, in order, a batch at a time: each through the levels of blur in turn
/// where `levels` has several.
///
/// # Errors
/// A face that the preprocessing refuses.
pub fn fixed(samples: &[&Sample], input: &InputSpec, levels: &[BlurLevel], size: usize) -> anyhow::Result<Vec<Batch>> {
    let numbered: Vec<_> = samples.iter().enumerate().collect();
    numbered
        .chunks(size)
        .map(|chunk| {
            let mut batch = Batch::new(input.side, chunk.len());
            for &(index, sample) in chunk {
                let radius = levels[index % levels.len()].radius_px(sample.face.width());
                batch.push(input, &box_blur(sample.face.view(), radius), sample.label)?;
            }
            Ok(batch)
        })
        .collect()
}
