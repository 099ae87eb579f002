//! Trained networks on the device of a training, to be learned from.
//!
//! [`ConsistentTeachers`] see what the network in training sees: at every step they are asked about the very copy of each
//! face that it is shown, before that is blurred (Beyer et al. 2022, "Knowledge distillation: a good teacher is patient and
//! consistent"). That costs a forward pass of each teacher a step.

use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Int, Tensor, TensorData};
use models::{BlurLevel, Bundle, InputSpec, LabelSet, ModelChoice};

use crate::ask::{EVALUATION_BATCH, rows};
use crate::batches;
use crate::checkpoint::{Progress, Store, WORK};
use crate::config::{DistilConfig, RobustDistilConfig};
use crate::failure::bad_input;
use crate::init::init;
use crate::network::Network;
use crate::progress::FaceBar;
use crate::sample::Sample;
use crate::stop;

/// Trained networks and their share of the target.
pub struct ConsistentTeachers {
    teachers: Vec<Teacher>,
    temperature: f32,
    /// Their share of the target (0..=1).
    weight: f32,
}

/// Who is to learn from the teachers.
pub struct Pupil<'a> {
    /// What its outputs mean.
    pub labels: &'a LabelSet,
    /// SHA-256 of the data that it learns from.
    pub data_sha256: &'a str,
    /// Where it learns (without autodiff).
    pub device: &'a Device,
}

/// A network in evaluation mode on a device without autodiff.
pub struct Teacher {
    network: Network,
    /// How the faces are prepared that it wants.
    input: InputSpec,
    /// Its output for each of our labels; empty where it has just those in that order.
    columns: Vec<usize>,
}

impl ConsistentTeachers {
    /// The clear networks of the bundles that `config` names, from the work folders of their trainings, for a pupil whose
    /// faces are prepared as `input` says.
    ///
    /// # Errors
    /// As [`Teacher::open`]; a teacher that wants faces prepared otherwise.
    pub fn of(config: &DistilConfig, pupil: &Pupil<'_>, input: &InputSpec) -> anyhow::Result<Self> {
        let open = |path: &PathBuf| {
            let teacher = Teacher::open(path, pupil)?;
            if teacher.input.normalisation != input.normalisation {
                return Err(bad_input(format!(
                    "teacher {}: its faces are prepared otherwise than those of this trial (input.normalisation)\n  set \
                     distil.consistent = false",
                    path.display()
                )));
            }
            Ok(teacher)
        };
        let teachers = config.teachers.iter().map(open).collect::<anyhow::Result<_>>()?;
        Ok(Self { teachers, temperature: config.temperature, weight: config.weight })
    }

    /// The clear network that a trial has just trained on faces prepared as `input` says.
    pub fn of_clear(config: &RobustDistilConfig, clear: &Network, input: InputSpec) -> Self {
        let teachers = vec![Teacher { network: clear.folded(), input, columns: Vec::new() }];
        Self { teachers, temperature: config.temperature, weight: config.weight }
    }

    /// The same on another device (without autodiff).
    pub fn on(&self, device: &Device) -> Self {
        let copy = |teacher: &Teacher| Teacher {
            network: teacher.network.clone().to_device(device),
            input: teacher.input,
            columns: teacher.columns.clone(),
        };
        Self { teachers: self.teachers.iter().map(copy).collect(), ..*self }
    }

    /// `targets` `[batch, classes]` with the teachers' share of what they say, on average, of `faces`
    /// `[batch, 1, side, side]`.
    pub fn teach(&self, targets: Tensor<2>, faces: &Tensor<4>) -> Tensor<2> {
        let said = self.teachers.iter().map(|teacher| softmax(teacher.logits(faces).div_scalar(self.temperature), 1));
        let Some(sum) = said.reduce(|sum, said| sum + said) else { return targets };
        let mean = sum.div_scalar(self.teachers.len() as f32);
        targets.mul_scalar(1.0 - self.weight) + mean.mul_scalar(self.weight)
    }
}

impl Teacher {
    /// The clear network of the bundle at `path`, or of a work folder of a training on the pupil's data.
    ///
    /// # Errors
    /// A bundle that does not hold or knows other expressions; no work folder beside it, or one that does not hold.
    pub fn open(path: &Path, pupil: &Pupil<'_>) -> anyhow::Result<Self> {
        let refused = |cause: String| bad_input(format!("teacher {}: {cause}", path.display()));
        let Origin { work, known, progress } = Origin::of(path)?;
        let columns = match known {
            Some(known) => columns(path, &known, pupil.labels)?,
            // A work folder does not say what its outputs mean; learned from the same data, they mean the same.
            None if progress.data_sha256 == pupil.data_sha256 => (0..pupil.labels.len()).collect(),
            None => {
                return Err(refused("a training on other data\n  name the bundle that came of it".into()));
            }
        };
        let trial = progress.trial;
        let fresh = Network::new(&trial.network, columns.len(), pupil.device);
        let (network, plan) = init(fresh, &work, ModelChoice::Clear)?;
        if !plan.missing.is_empty() {
            return Err(refused(format!("its weights are not whole:\n{}", plan.summary(&work))));
        }
        let in_order = columns.iter().enumerate().all(|(at, &column)| at == column);
        let columns = if in_order { Vec::new() } else { columns };
        Ok(Self { network: network.folded(), input: trial.input, columns })
    }

    /// How likely each label of every face is: the mean of what it says of the face and of its mirror image; a row a face.
    ///
    /// # Errors
    /// A face that cannot be read or that the preprocessing refuses, a device that does not hand out the result, a wish to
    /// stop.
    pub fn answers(&self, samples: &[&Sample], device: &Device) -> anyhow::Result<Vec<Vec<f32>>> {
        let bar = FaceBar::new("asked", samples.len());
        let mut answers = Vec::with_capacity(samples.len());
        for batch in batches::fixed(samples, &self.input, &[BlurLevel::None], EVALUATION_BATCH) {
            let faces = batch?.tensor(device);
            let mirrored = self.logits(&faces.clone().flip([3]));
            let mean = (softmax(self.logits(&faces), 1) + softmax(mirrored, 1)).div_scalar(2.0);
            for row in rows(mean, "answers")? {
                answers.push(row);
                bar.step();
            }
            if answers.len().is_multiple_of(16 * EVALUATION_BATCH) {
                bar.line(&format!("asked about {} of {} faces", answers.len(), samples.len()));
            }
            stop::check(|| "nothing is written".into())?;
        }
        bar.finish();
        Ok(answers)
    }

    /// `[batch, classes]` of our labels.
    fn logits(&self, faces: &Tensor<4>) -> Tensor<2> {
        let [.., side] = faces.dims();
        let wanted = self.input.side;
        let faces = if side == wanted {
            faces.clone()
        } else {
            // Pixel centres as in `models::resize`.
            let bilinear = InterpolateOptions::new(InterpolateMode::Bilinear).with_align_corners(false);
            interpolate(faces.clone(), bilinear.with_output_size([wanted, wanted]))
        };
        let logits = self.network.forward(faces);
        if self.columns.is_empty() {
            return logits;
        }
        let numbers: Vec<i64> = self.columns.iter().map(|&column| column as i64).collect();
        let numbers = TensorData::new(numbers, [self.columns.len()]);
        let numbers = Tensor::<1, Int>::from_data(numbers, &logits.device());
        logits.select(1, numbers)
    }
}

/// The outputs of the teacher at `path`, which knows `known`, for each of `labels`.
///
/// # Errors
/// It knows other ones.
pub fn columns(path: &Path, known: &LabelSet, labels: &LabelSet) -> anyhow::Result<Vec<usize>> {
    let columns: Option<Vec<usize>> = labels.iter().map(|label| known.index_of(label)).collect();
    columns.filter(|columns| columns.len() == known.len()).ok_or_else(|| {
        bad_input(format!(
            "teacher {}: it knows {:?}, but the data has {:?}\n  name a bundle that was trained on the same expressions",
            path.display(),
            known.as_slice(),
            labels.as_slice()
        ))
    })
}

/// Where a teacher's weights come from.
struct Origin {
    /// The folder of its training.
    work: PathBuf,
    /// What its outputs mean, where that is known.
    known: Option<LabelSet>,
    /// How far its clear stage has come.
    progress: Progress,
}

impl Origin {
    /// Of a bundle with the work folder of its training beside it, or of a work folder.
    fn of(path: &Path) -> anyhow::Result<Self> {
        let clear = ModelChoice::Clear.name();
        let (work, known) = if path.join(clear).is_dir() {
            (path.to_owned(), None)
        } else {
            let bundle = Bundle::open(path).map_err(|error| bad_input(format!("teacher: {error}")))?;
            // Where `train` puts it, or where a trial has it.
            let candidates = [path.with_extension("work"), path.with_file_name(WORK)];
            let work = candidates.into_iter().find(|folder| folder.join(clear).is_dir()).ok_or_else(|| {
                bad_input(format!(
                    "teacher {}: there is no work folder of its training beside it, whose weights can be had on any device\n  train \
                     it again, or let it teach with distil.consistent = false",
                    path.display()
                ))
            })?;
            (work, Some(bundle.manifest.labels))
        };
        let progress = Store::new(&work, clear).read()?;
        Ok(Self { work, known, progress })
    }
}

#[cfg(test)]
mod tests {
    use models::{GrayImage, Normalisation};

    use super::*;
    use crate::config::NetworkConfig;

    const CLASSES: usize = 3;

    fn teacher(side: usize, seed: u64) -> Teacher {
        let device = Device::flex();
        device.seed(seed);
        let config = NetworkConfig::Residual { widths: vec![8, 16], blocks: vec![1, 0], dropout: 0.5 };
        Teacher { network: Network::new(&config, CLASSES, &device).folded(), input: input(side), columns: Vec::new() }
    }

    fn input(side: usize) -> InputSpec {
        InputSpec { side, normalisation: Normalisation::Fixed { mean: 128.0, std: 64.0 } }
    }

    fn faces(side: usize) -> Tensor<4> {
        let pixels = (0..24 * 24).map(|at| (at % 24 * 5 + at / 24 * 4) as u8).collect();
        let face = GrayImage::from_vec(pixels, 24, 24).unwrap();
        let values = input(side).tensor(models::resize(face.view(), side, side).view()).unwrap();
        Tensor::from_data(TensorData::new(values, [1, 1, side, side]), &Device::flex())
    }

    fn numbers(tensor: Tensor<2>) -> Vec<f32> {
        tensor.into_data().try_to_vec().unwrap()
    }

    fn close(a: &[f32], b: &[f32], most: f32) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= most)
    }

    #[test]
    fn faces_are_enlarged_as_the_trainer_and_the_device_enlarge_them() {
        let teacher = teacher(48, 1);
        let [enlarged, direct] = [24, 48].map(|side| numbers(teacher.logits(&faces(side))));
        // Gray levels are rounded on one way and not on the other.
        assert!(close(&enlarged, &direct, 0.02), "{enlarged:?}, not {direct:?}");
        assert!(!close(&enlarged, &numbers(teacher.logits(&faces(24).neg())), 0.02));
    }

    #[test]
    fn a_target_has_the_share_of_the_teachers_mean() {
        let pair = [teacher(24, 1), teacher(48, 2)];
        let faces = faces(24);
        let [a, b] = pair.each_ref().map(|one| numbers(softmax(one.logits(&faces).div_scalar(2.0), 1)));
        let label = [0.0, 1.0, 0.0];
        let mix = |at: usize| 0.75 * label[at] + 0.25 * (a[at] + b[at]) / 2.0;
        let teachers = ConsistentTeachers { teachers: pair.into(), temperature: 2.0, weight: 0.25 };
        let targets = Tensor::<2>::from_data([label], &Device::flex());
        let found = numbers(teachers.teach(targets, &faces));
        assert!(close(&found, &[mix(0), mix(1), mix(2)], 1e-6), "{found:?}");
    }

    #[test]
    fn other_orders_of_labels_are_put_right() {
        let mut turned = teacher(24, 1);
        let straight = numbers(turned.logits(&faces(24)));
        turned.columns = vec![2, 0, 1];
        assert_eq!(numbers(turned.logits(&faces(24))), [straight[2], straight[0], straight[1]]);
    }
}
