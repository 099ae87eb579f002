//! Batches of augmented faces, made on all cores while the network works.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use anyhow::Context;
use burn::tensor::{Device, Tensor, TensorData};
use models::{BlurLevel, Gray8, GrayImage, InputSpec, box_blur};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rayon::prelude::*;

use crate::augment::{Changed, Form, augment, stream};
use crate::config::{Balance, Recipe, TrialConfig};
use crate::sample::Sample;

/// Batches that wait at most, so that memory stays bounded.
const READY: usize = 3;

/// Preprocessed faces and their labels.
pub struct Batch {
    pixels: Vec<f32>,
    side: usize,
    /// One index into the label set for each face.
    pub labels: Vec<usize>,
    /// A probability of each class for each face; empty where nothing is to be learned.
    targets: Vec<f32>,
    /// The faces before their blur; empty where nobody asks for that, or none was blurred.
    sharp: Vec<f32>,
}

/// One preprocessed face.
pub struct Example {
    /// `side * side` values.
    pixels: Vec<f32>,
    label: usize,
    /// How likely each class is; empty where nothing is to be learned.
    target: Vec<f32>,
    /// The face before its blur; empty where nobody asks for that.
    sharp: Vec<f32>,
}

impl Example {
    /// A face at the size of `input`, with its label and how likely each class of it is.
    ///
    /// # Errors
    /// A face that the preprocessing refuses.
    pub fn new(input: &InputSpec, face: Gray8<'_>, label: usize, target: Vec<f32>) -> anyhow::Result<Self> {
        Ok(Self { pixels: prepared(input, face)?, label, target, sharp: Vec::new() })
    }

    /// With the face before its blur, where it was blurred.
    fn with_sharp(mut self, input: &InputSpec, sharp: Option<Gray8<'_>>) -> anyhow::Result<Self> {
        self.sharp = match sharp {
            Some(sharp) => prepared(input, sharp)?,
            None => self.pixels.clone(),
        };
        Ok(self)
    }
}

fn prepared(input: &InputSpec, face: Gray8<'_>) -> anyhow::Result<Vec<f32>> {
    Ok(input.tensor(models::resize(face, input.side, input.side).view())?)
}

impl Batch {
    /// Of faces that are `side` px wide and high.
    pub fn of(side: usize, faces: Vec<Example>) -> Self {
        Self {
            side,
            labels: faces.iter().map(|face| face.label).collect(),
            pixels: faces.iter().flat_map(|face| &face.pixels).copied().collect(),
            sharp: faces.iter().flat_map(|face| &face.sharp).copied().collect(),
            targets: faces.into_iter().flat_map(|face| face.target).collect(),
        }
    }

    /// The faces in so many parts of the same size, but for one; fewer parts where there are fewer faces.
    pub fn split(self, parts: usize) -> Vec<Self> {
        let faces = self.labels.len();
        let most = faces.div_ceil(parts.max(1)).max(1);
        if most >= faces {
            return vec![self];
        }
        let part = |first: usize| {
            let end = (first + most).min(faces);
            let of = |values: &[f32]| {
                let row = values.len() / faces;
                values[first * row..end * row].to_vec()
            };
            Self {
                pixels: of(&self.pixels),
                side: self.side,
                labels: self.labels[first..end].to_vec(),
                targets: of(&self.targets),
                sharp: of(&self.sharp),
            }
        };
        (0..faces).step_by(most).map(part).collect()
    }

    /// Mixes so large a share of the last face into the first, of the one before it into the second, and so on.
    fn mix(&mut self, share: f32) {
        let faces = self.labels.len().max(1);
        for values in [&mut self.pixels, &mut self.targets, &mut self.sharp] {
            let others = values.clone();
            let row = values.len() / faces;
            for (index, value) in values.iter_mut().enumerate() {
                let other = others[(faces - 1 - index / row) * row + index % row];
                *value += (other - *value) * share;
            }
        }
    }

    /// `[batch, 1, side, side]` on `device`.
    pub fn tensor(self, device: &Device) -> Tensor<4> {
        let shape = self.shape();
        Tensor::from_data(TensorData::new(self.pixels, shape), device)
    }

    /// The same before their blur, where that was asked for.
    pub fn sharp(&self, device: &Device) -> Tensor<4> {
        let pixels = if self.sharp.is_empty() { &self.pixels } else { &self.sharp };
        Tensor::from_data(TensorData::new(pixels.clone(), self.shape()), device)
    }

    fn shape(&self) -> [usize; 4] {
        [self.labels.len(), 1, self.side, self.side]
    }

    /// What is to be learned, `[batch, classes]` on `device`.
    pub fn targets(&self, device: &Device) -> Tensor<2> {
        let shape = [self.labels.len(), self.targets.len() / self.labels.len().max(1)];
        Tensor::from_data(TensorData::new(self.targets.clone(), shape), device)
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

/// One face as an epoch shows it.
#[derive(Copy, Clone)]
struct Showing {
    /// Index of the sample.
    sample: usize,
    /// How many times the epoch has it before.
    repeat: u64,
    form: Form,
}

/// Every showing of an epoch, in the order of the samples; who is shown again where classes are evened out is drawn
/// from `rng`.
fn showings(samples: &[&Sample], recipe: &Recipe, rng: &mut StdRng) -> Vec<Showing> {
    let mut shown: Vec<(usize, u64)> = (0..samples.len()).map(|sample| (sample, 0)).collect();
    if recipe.balance == Balance::Oversample {
        let mut classes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, sample) in samples.iter().enumerate() {
            classes.entry(sample.label).or_default().push(index);
        }
        let most = classes.values().map(Vec::len).max().unwrap_or(0);
        for faces in classes.values_mut() {
            faces.shuffle(rng);
            let again = (faces.len()..most).map(|number| (faces[number % faces.len()], (number / faces.len()) as u64));
            shown.extend(again);
        }
    }
    let forms = if recipe.augment.sixfold { &Form::ALL[..] } else { &[Form::Original] };
    let in_forms = |(sample, repeat)| forms.iter().map(move |&form| Showing { sample, repeat, form });
    shown.into_iter().flat_map(in_forms).collect()
}

/// Full batches of one epoch.
pub fn steps(samples: &[&Sample], recipe: &Recipe) -> usize {
    // How many there are does not depend on what is drawn.
    showings(samples, recipe, &mut stream(0, 0, 0, 0)).len() / recipe.batch
}

/// Faces to learn from.
#[derive(Copy, Clone)]
pub struct Lesson<'a> {
    /// The faces.
    pub samples: &'a [&'a Sample],
    /// How likely each class of every face is.
    pub targets: &'a [Vec<f32>],
    /// Whether each showing aims at one class alone, drawn by how likely it is.
    pub draws_labels: bool,
    /// Whether somebody asks for the faces before their blur.
    pub keeps_sharp: bool,
}

impl Lesson<'_> {
    /// What one showing of a face aims at.
    fn target(&self, sample: usize, rng: &mut StdRng) -> Vec<f32> {
        let likely = &self.targets[sample];
        if !self.draws_labels {
            return likely.clone();
        }
        let mut left = rng.random_range(0.0..likely.iter().sum::<f32>().max(f32::MIN_POSITIVE));
        let passed = likely.iter().take_while(|&&share| {
            left -= share;
            left >= 0.0
        });
        let drawn = passed.count().min(likely.len().saturating_sub(1));
        (0..likely.len()).map(|class| if class == drawn { 1.0 } else { 0.0 }).collect()
    }
}

/// Full batches of one epoch in random order, each face with its target; what does not fill a batch is left for other
/// epochs.
pub fn epoch<'scope, 'data: 'scope>(
    scope: &'scope Scope<'scope, '_>,
    lesson: Lesson<'data>,
    trial: &'data TrialConfig,
    recipe: &'data Recipe,
    place: Place,
) -> Receiver<anyhow::Result<Batch>> {
    let (ready, batches) = sync_channel(READY);
    let mut input = trial.input;
    if (place.epoch as usize) < recipe.small_epochs {
        input.side = recipe.small_side;
    }
    // Without blur the faces are as sharp as they are shown.
    let keeps_sharp = lesson.keeps_sharp && recipe.augment.blur_probability > 0.0;
    scope.spawn(move || {
        let mut rng = stream(trial.seed, place.stage, place.epoch, u64::MAX);
        let samples = lesson.samples;
        let mut order = showings(samples, recipe, &mut rng);
        order.shuffle(&mut rng);
        for showings in order.chunks_exact(recipe.batch) {
            let made = showings.par_iter().map(|&Showing { sample, repeat, form }| {
                // Above the bits of any sample's number: another stream for every showing.
                let number = sample as u64 | repeat << 40 | (form as u64) << 60;
                let mut rng = stream(trial.seed, place.stage, place.epoch, number);
                let Sample { row, label, face, .. } = samples[sample];
                let Changed { face, sharp } = augment(face.read()?.view(), &recipe.augment, form, &mut rng);
                let target = lesson.target(sample, &mut rng);
                let made = || {
                    let example = Example::new(&input, face.view(), *label, target)?;
                    if !keeps_sharp {
                        return Ok(example);
                    }
                    example.with_sharp(&input, sharp.as_ref().map(GrayImage::view))
                };
                made().with_context(|| format!("the face of row {row}"))
            });
            let made = made.collect::<anyhow::Result<Vec<_>>>().map(|faces| {
                let mut batch = Batch::of(input.side, faces);
                if recipe.augment.mixup > 0.0 {
                    batch.mix(rng.random_range(0.0..=recipe.augment.mixup));
                }
                batch
            });
            // The receiver is gone when training has stopped; then so does this thread.
            if ready.send(made).is_err() {
                return;
            }
        }
    });
    batches
}

/// The faces as they are, in order, a batch at a time: each through the levels of blur in turn
/// where `levels` has several. A batch is made when it is asked for; it is an error where a face cannot be read, or the
/// preprocessing refuses it.
pub fn fixed<'a>(
    samples: &'a [&'a Sample],
    input: &'a InputSpec,
    levels: &'a [BlurLevel],
    size: usize,
) -> impl Iterator<Item = anyhow::Result<Batch>> + 'a {
    (0..samples.len()).step_by(size).map(move |first| {
        let example = |index: usize| {
            let sample = samples[index];
            let radius = levels[index % levels.len()].radius_px(sample.face.side());
            Example::new(input, box_blur(sample.face.read()?.view(), radius).view(), sample.label, Vec::new())
        };
        let end = (first + size).min(samples.len());
        let faces = (first..end).into_par_iter().map(example).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Batch::of(input.side, faces))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AugmentConfig;
    use crate::sample::Usage;

    #[test]
    fn rare_classes_are_shown_as_often_as_the_most_frequent() {
        let sample = |label| Sample::new(0, Usage::Training, label, GrayImage::new(4, 4));
        let samples = [0, 0, 0, 0, 0, 1, 1, 2].map(sample);
        let samples: Vec<&Sample> = samples.iter().collect();
        let recipe = Recipe { balance: Balance::Oversample, batch: 2, ..Recipe::default() };
        let shown = showings(&samples, &recipe, &mut stream(1, 0, 0, 0));
        let of = |label| shown.iter().filter(|showing| samples[showing.sample].label == label).collect::<Vec<_>>();
        assert_eq!([of(0).len(), of(1).len(), of(2).len()], [5, 5, 5]);
        // Each time another stream of random numbers.
        assert_eq!(of(2).iter().map(|showing| showing.repeat).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(steps(&samples, &recipe), 7);
    }

    #[test]
    fn labels_are_drawn_by_how_likely_they_are() {
        let targets = [vec![0.25, 0.0, 0.75], vec![0.0, 1.0, 0.0]];
        let aims = Lesson { samples: &[], targets: &targets, draws_labels: false, keeps_sharp: false };
        let draws = Lesson { draws_labels: true, ..aims };
        let mut rng = stream(1, 0, 0, 0);
        assert_eq!(aims.target(0, &mut rng), targets[0]);
        let mut counts = [0.0; 3];
        for _ in 0..4000 {
            let drawn = draws.target(0, &mut rng);
            assert_eq!(drawn.iter().filter(|&&share| share == 1.0).count(), 1, "{drawn:?}");
            counts.iter_mut().zip(drawn).for_each(|(count, share)| *count += share);
            assert_eq!(draws.target(1, &mut rng), targets[1]);
        }
        assert!((900.0..1100.0).contains(&counts[0]) && counts[1] == 0.0, "{counts:?}");
    }

    #[test]
    fn mixing_takes_a_share_of_the_opposite_face_and_its_target() {
        let example = |value, label, target: [f32; 2]| Example {
            pixels: vec![value],
            label,
            target: target.into(),
            sharp: vec![value * 2.0],
        };
        let faces = vec![example(0.0, 0, [1.0, 0.0]), example(1.0, 1, [0.0, 1.0]), example(4.0, 1, [0.0, 1.0])];
        let mut batch = Batch::of(1, faces);
        batch.mix(0.25);
        assert_eq!(batch.pixels, [1.0, 1.0, 3.0]);
        assert_eq!(batch.sharp, [2.0, 2.0, 6.0]);
        assert_eq!(batch.targets, [0.75, 0.25, 0.0, 1.0, 0.25, 0.75]);
    }

    #[test]
    fn sixfold_shows_every_face_in_every_form() {
        let sample = Sample::new(0, Usage::Training, 0, GrayImage::new(4, 4));
        let samples = [&sample, &sample];
        let augment = AugmentConfig { sixfold: true, ..AugmentConfig::default() };
        let recipe = Recipe { batch: 3, augment, ..Recipe::default() };
        let shown = showings(&samples, &recipe, &mut stream(1, 0, 0, 0));
        for form in Form::ALL {
            assert_eq!(shown.iter().filter(|showing| showing.form == form).count(), 2);
        }
        assert_eq!(steps(&samples, &recipe), 4);
    }
}
