//! Teachers that see what the network in training sees: at every step they are asked about the very copy of each face that
//! it is shown, before that is blurred (Beyer et al. 2022, "Knowledge distillation: a good teacher is patient and
//! consistent").
//!
//! They run on the device of the training, so that this costs a forward pass of each teacher a step. Asked once of each
//! face as it is, teachers of the same training faces have little more to say than the labels.

use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Int, Tensor, TensorData};
use models::{Bundle, InputSpec, LabelSet, ModelChoice};

use crate::checkpoint::{Progress, Store};
use crate::config::{DistilConfig, RobustDistilConfig};
use crate::failure::bad_input;
use crate::init::init;
use crate::network::Network;
use crate::study::WORK;
use crate::targets::columns;

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
    /// How its faces are prepared.
    pub input: &'a InputSpec,
    /// Where it learns (without autodiff).
    pub device: &'a Device,
}

/// A network in evaluation mode on a device without autodiff.
struct Teacher {
    network: Network,
    /// Side of the faces that it wants, px.
    side: usize,
    /// Its output for each of our labels; empty where it has just those in that order.
    columns: Vec<usize>,
}

impl ConsistentTeachers {
    /// The clear networks of the bundles that `config` names, from the work folders of their trainings.
    ///
    /// # Errors
    /// A bundle that does not hold, knows other expressions or wants faces prepared otherwise; no work folder beside it.
    pub fn of(config: &DistilConfig, pupil: &Pupil<'_>) -> anyhow::Result<Self> {
        let teachers = config.teachers.iter().map(|path| Teacher::open(path, pupil));
        let teachers = teachers.collect::<anyhow::Result<_>>()?;
        Ok(Self { teachers, temperature: config.temperature, weight: config.weight })
    }

    /// The clear network that a trial has just trained on faces of `side` px.
    pub fn of_clear(config: &RobustDistilConfig, clear: &Network, side: usize) -> Self {
        let teachers = vec![Teacher { network: clear.folded(), side, columns: Vec::new() }];
        Self { teachers, temperature: config.temperature, weight: config.weight }
    }

    /// The same on another device (without autodiff).
    pub fn on(&self, device: &Device) -> Self {
        let copy = |teacher: &Teacher| Teacher {
            network: teacher.network.clone().to_device(device),
            side: teacher.side,
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
    fn open(path: &Path, pupil: &Pupil<'_>) -> anyhow::Result<Self> {
        let refused = |cause: String| bad_input(format!("teacher {}: {cause}", path.display()));
        let clear = ModelChoice::Clear.name();
        let (work, known) = if path.join(clear).is_dir() {
            (path.to_owned(), None)
        } else {
            let bundle = Bundle::open(path).map_err(|error| bad_input(format!("teacher: {error}")))?;
            let work = work_of(path).ok_or_else(|| {
                refused(
                    "there is no work folder of its training beside it, which distil.consistent needs\n  train it again, or \
                     set distil.consistent = false"
                        .into(),
                )
            })?;
            (work, Some(bundle.manifest.labels))
        };
        let Progress { trial, data_sha256, .. }: Progress = Store::new(&work, clear).read()?;
        let columns = match known {
            Some(known) => columns(path, &known, pupil.labels)?,
            // A work folder does not say what its outputs mean; learned from the same data, they mean the same.
            None if data_sha256 == pupil.data_sha256 => (0..pupil.labels.len()).collect(),
            None => {
                return Err(refused(
                    "a work folder of a training on other data\n  name the bundle that came of it".into(),
                ));
            }
        };
        if trial.input.normalisation != pupil.input.normalisation {
            return Err(refused(
                "its faces are prepared otherwise than those of this trial (input.normalisation)\n  set distil.consistent = false"
                    .into(),
            ));
        }
        let fresh = Network::new(&trial.network, columns.len(), pupil.device);
        let (network, plan) = init(fresh, &work, ModelChoice::Clear)?;
        if !plan.missing.is_empty() {
            return Err(refused(format!("its weights are not whole:\n{}", plan.summary(&work))));
        }
        let in_order = columns.iter().enumerate().all(|(at, &column)| at == column);
        let columns = if in_order { Vec::new() } else { columns };
        Ok(Self { network: network.folded(), side: trial.input.side, columns })
    }

    /// `[batch, classes]` of our labels.
    fn logits(&self, faces: &Tensor<4>) -> Tensor<2> {
        let [.., side] = faces.dims();
        let faces = if side == self.side {
            faces.clone()
        } else {
            // Pixel centres as in `models::resize`.
            let bilinear = InterpolateOptions::new(InterpolateMode::Bilinear).with_align_corners(false);
            interpolate(faces.clone(), bilinear.with_output_size([self.side, self.side]))
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

/// The work folder of the training that wrote a bundle: where `train` puts it, or where a trial has it.
fn work_of(bundle: &Path) -> Option<PathBuf> {
    let candidates = [bundle.with_extension("work"), bundle.with_file_name(WORK)];
    candidates.into_iter().find(|folder| folder.join(ModelChoice::Clear.name()).is_dir())
}
