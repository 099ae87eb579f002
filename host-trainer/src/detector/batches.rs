//! Batches of scenes, composed on a thread of their own while the network works.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use burn::tensor::{Device, Tensor, TensorData};

use super::config::DetectorConfig;
use super::faces::Picture;
use super::loss::BatchTargets;
use super::scene::Scene;
use super::targets::Targets;
use crate::augment::stream;

/// Batches that wait at most, so that memory stays bounded.
const READY: usize = 3;
/// The random streams of training scenes, beside those of others.
const TRAINING: u64 = 0;

/// Scenes and what is to be said about them.
pub struct Batch {
    pixels: Vec<f32>,
    /// Scenes, height and width.
    size: [usize; 3],
    targets: Targets,
}

impl Batch {
    fn of(scenes: &[Scene]) -> Option<Self> {
        let first = scenes.first()?;
        let mut batch = Self {
            pixels: Vec::new(),
            size: [scenes.len(), first.image.height(), first.image.width()],
            targets: Targets::default(),
        };
        for scene in scenes {
            batch.pixels.extend(scene.image.pixels().iter().map(|&pixel| f32::from(pixel)));
            let targets = Targets::of(scene);
            batch.targets.face.extend(targets.face);
            batch.targets.counts.extend(targets.counts);
            batch.targets.boxes.extend(targets.boxes);
            batch.targets.points.extend(targets.points);
        }
        Some(batch)
    }

    /// The scenes, `[batch, 1, height, width]`, and their targets on `device`.
    pub fn tensors(self, device: &Device) -> (Tensor<4>, BatchTargets) {
        let [scenes, height, width] = self.size;
        let cells = self.targets.face.len() / scenes;
        let found = self.targets.face.iter().filter(|&&face| face > 0.0).count();
        let tensor = |values: Vec<f32>| {
            let last = values.len() / (scenes * cells);
            Tensor::<3>::from_data(TensorData::new(values, [scenes, cells, last]), device)
        };
        let targets = BatchTargets {
            face: tensor(self.targets.face),
            counts: tensor(self.targets.counts),
            boxes: tensor(self.targets.boxes.into_flattened()),
            points: tensor(self.targets.points.into_flattened()),
            found,
        };
        let pixels = TensorData::new(self.pixels, [scenes, 1, height, width]);
        (Tensor::from_data(pixels, device), targets)
    }
}

/// The batches of an epoch (from 0). A scene depends on seed, epoch and its number alone.
pub fn epoch<'scope, 'data: 'scope>(
    scope: &'scope Scope<'scope, '_>,
    pictures: &'data [Picture],
    config: &'data DetectorConfig,
    epoch: u64,
) -> Receiver<Batch> {
    let (ready, batches) = sync_channel(READY);
    scope.spawn(move || {
        for step in 0..config.steps {
            let (count, scene) = config.scenes(step);
            let compose = |number: usize| {
                // No step has more than two batches.
                let number = (2 * step * config.batch + number) as u64;
                Scene::compose(pictures, &scene, &mut stream(config.seed, TRAINING, epoch, number))
            };
            let scenes: Vec<Scene> = (0..count).map(compose).collect();
            let Some(batch) = Batch::of(&scenes) else { return };
            // The receiver is gone when training has stopped; then so does this thread.
            if ready.send(batch).is_err() {
                return;
            }
        }
    });
    batches
}
