//! Every network is the published one, learns whole, and runs under tract as it was trained.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use burn::module::{ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::store::ModuleSnapshot;
use burn::tensor::{Distribution, TensorData};
use models::{Classifier, GrayImage, InputSpec, Normalisation};
use rayon::prelude::*;

use super::*;
use crate::export::export;

const CLASSES: usize = 5;

/// Two of different widths and depths.
fn branches() -> NetworkConfig {
    let branch = |widths: [usize; 2], blocks: [usize; 2]| BranchConfig {
        widths: widths.to_vec(),
        blocks: blocks.to_vec(),
        init: None,
        share: None,
    };
    NetworkConfig::Branches { branches: vec![branch([8, 16], [1, 0]), branch([12, 20], [0, 1])], dropout: 0.1 }
}

/// One of each kind, the published ones with a head of every part.
fn all() -> Vec<NetworkConfig> {
    let bare = HeadConfig::default;
    let tanh = HeadConfig { batch_norm: true, hidden: vec![24, 16], dropout: 0.3 };
    vec![
        NetworkConfig::Residual { widths: vec![16, 32], blocks: vec![1, 1], dropout: 0.2 },
        branches(),
        NetworkConfig::MiniXception {},
        NetworkConfig::PlainCnn { depth: 1 },
        NetworkConfig::PlainCnn { depth: 4 },
        NetworkConfig::Googlenet(bare()),
        NetworkConfig::Vgg16(tanh),
        NetworkConfig::Vgg19(bare()),
        NetworkConfig::Resnet18(bare()),
        NetworkConfig::Resnet50(bare()),
        NetworkConfig::MobilenetV2(bare()),
        NetworkConfig::Xception(bare()),
        NetworkConfig::EfficientnetB0(bare()),
        NetworkConfig::EfficientnetLite0(bare()),
        NetworkConfig::Densenet121(bare()),
    ]
}

/// Numbers of a network with their names; `statistics` are those of batch normalisations.
fn numbers(network: &Network, statistics: bool) -> usize {
    let is_statistic = |name: &str| name.ends_with("running_mean") || name.ends_with("running_var");
    let tensors = network.collect(None, None, true).into_iter();
    let counted = tensors.filter(|tensor| statistics || !is_statistic(&tensor.name));
    counted.map(|tensor| tensor.shape.iter().product::<usize>()).sum()
}

#[test]
fn they_have_as_many_weights_as_published() {
    // torchvision's documentation, and timm's for EfficientNet-Lite; for VGG and Xception the application pages of Keras, whose
    // figures without the top layers count the statistics too.
    let whole = [
        (NetworkConfig::Googlenet(HeadConfig::default()), 6_624_904),
        (NetworkConfig::Resnet18(HeadConfig::default()), 11_689_512),
        (NetworkConfig::Resnet50(HeadConfig::default()), 25_557_032),
        (NetworkConfig::MobilenetV2(HeadConfig::default()), 3_504_872),
        (NetworkConfig::EfficientnetB0(HeadConfig::default()), 5_288_548),
        (NetworkConfig::EfficientnetLite0(HeadConfig::default()), 4_652_008),
        (NetworkConfig::Densenet121(HeadConfig::default()), 7_978_856),
    ];
    let without_top = [
        (NetworkConfig::Vgg16(HeadConfig::default()), 512, 14_714_688),
        (NetworkConfig::Vgg19(HeadConfig::default()), 512, 20_024_384),
        (NetworkConfig::Xception(HeadConfig::default()), 2048, 20_861_480),
    ];
    let device = Device::flex();
    whole.into_par_iter().for_each(|(config, published)| {
        let network = Network::with_channels(&config, 3, 1000, &device);
        assert_eq!(numbers(&network, false), published, "{}", config.name());
    });
    without_top.into_par_iter().for_each(|(config, features, published)| {
        let network = Network::with_channels(&config, 3, 1, &device);
        assert_eq!(numbers(&network, true) - (features + 1), published, "{}", config.name());
    });
}

/// The ids of all parameters that require a gradient, with their names.
#[derive(Default)]
struct Learning {
    path: Vec<String>,
    found: Vec<(String, ParamId)>,
}

impl ModuleVisitor for Learning {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = self.path.join(".");
        if param.val().is_require_grad() {
            self.found.push((name, param.id));
        }
    }
}

/// Names of what learns, and of what a step on random crops gives a gradient.
fn learning(network: &Network, device: &Device) -> (Vec<String>, Vec<String>) {
    let mut visitor = Learning::default();
    network.visit(&mut visitor);
    let crops = Tensor::<4>::random([3, 1, 48, 48], Distribution::Normal(0.0, 1.0), device);
    let logits = network.forward(crops);
    assert_eq!(logits.dims(), [3, CLASSES]);
    let weights: Vec<f32> = (0..3 * CLASSES).map(|index| (index as f32 * 0.7).sin()).collect();
    let weights = Tensor::<2>::from_data(TensorData::new(weights, [3, CLASSES]), device);
    let gradients = GradientsParams::from_grads((logits.square() * weights).sum().backward(), network);
    let mut moved = Moved { gradients, path: Vec::new(), found: Vec::new() };
    network.visit(&mut moved);
    (visitor.found.into_iter().map(|(name, _)| name).collect(), moved.found)
}

/// The names of all parameters with a gradient that is not 0 throughout.
struct Moved {
    gradients: GradientsParams,
    path: Vec<String>,
    found: Vec<String>,
}

impl ModuleVisitor for Moved {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.get::<D>(param.id) else { return };
        let largest = gradient.abs().max().into_scalar::<f32>();
        assert!(largest.is_finite(), "{}: a gradient of {largest}", self.path.join("."));
        if largest > 0.0 {
            self.found.push(self.path.join("."));
        }
    }
}

#[test]
fn a_gradient_reaches_every_weight() {
    for config in all() {
        let device = Device::flex().autodiff();
        device.seed(3);
        let network = Network::new(&config, CLASSES, &device);
        let (learns, moved) = learning(&network, &device);
        assert!(!learns.is_empty());
        assert_eq!(learns, moved, "{}", config.name());
    }
}

#[test]
fn frozen_layers_do_not_learn() {
    let device = Device::flex().autodiff();
    let config = NetworkConfig::Vgg16(HeadConfig { hidden: vec![8], ..HeadConfig::default() });
    let names = |frozen| {
        let network = Network::new(&config, CLASSES, &device).frozen(Frozen::Base).frozen(frozen);
        let (learns, moved) = learning(&network, &device);
        assert_eq!(learns, moved);
        learns
    };
    assert_eq!(names(Frozen::None).len(), 2 * (13 + 2));
    let head = ["Vgg.head.hidden.0.weight", "Vgg.head.hidden.0.bias", "Vgg.head.output.weight", "Vgg.head.output.bias"];
    assert_eq!(names(Frozen::Base), head);
    assert_eq!(names(Frozen::LastLayers(2)), head);
    assert_eq!(names(Frozen::LastLayers(1)), head[2..]);
    assert_eq!(names(Frozen::LastLayers(3))[..2], ["Vgg.convs.12.weight", "Vgg.convs.12.bias"]);
}

#[test]
fn frozen_normalisations_keep_their_statistics() {
    let device = Device::flex().autodiff();
    let config = NetworkConfig::PlainCnn { depth: 2 };
    let network = Network::new(&config, CLASSES, &device).frozen(Frozen::LastLayers(2));
    let statistics = |name: &str| -> Vec<f32> {
        // Only what is taken out of training has the statistics of the last batch.
        let tensors = network.valid().collect(None, None, true).into_iter();
        let found = tensors.filter(|tensor| tensor.name == name).map(|tensor| tensor.to_bytes().unwrap());
        found
            .flat_map(|bytes| {
                bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect::<Vec<_>>()
            })
            .collect()
    };
    let names = ["convs.0.norm.running_mean", "convs.1.norm.running_mean"];
    let before = names.map(statistics);
    network.forward(Tensor::<4>::random([4, 1, 16, 16], Distribution::Normal(2.0, 1.0), &device));
    let after = names.map(statistics);
    assert_eq!(before[0].len(), 32);
    assert_eq!(before[0], after[0]);
    assert_ne!(before[1], after[1]);
}

#[test]
fn they_run_under_tract_and_onnxruntime_as_they_were_trained() {
    let input = InputSpec { side: 48, normalisation: Normalisation::PerCrop { min_std: 8.0 } };
    let crops: Vec<GrayImage> = (1..3)
        .map(|step| GrayImage::from_vec((0..48 * 48).map(|at| (at * step % 251) as u8).collect(), 48, 48).unwrap())
        .collect();
    let python = std::env::var_os("MIEN_PYTHON").filter(|python| !python.is_empty());
    if python.is_none() {
        println!("skipped: onnxruntime, no MIEN_PYTHON");
    }
    all().into_par_iter().for_each(|config| {
        let device = Device::flex().autodiff();
        device.seed(3);
        let network = Network::new(&config, CLASSES, &device);
        // Statistics other than the ones it begins with.
        network.forward(Tensor::<4>::random([4, 1, 48, 48], Distribution::Normal(0.0, 1.0), &device));
        for mirrored in [false, true] {
            // The comparison with tract is a part of the export.
            let exported = export(&network.valid(), &input, mirrored, CLASSES, &crops)
                .unwrap_or_else(|e| panic!("{}, mirrored {mirrored}: {e:#}", config.name()));
            if let Some(python) = &python {
                let difference = difference_under_onnxruntime(python, &exported.onnx, &input, &crops);
                assert!(difference < 1e-4, "{}, mirrored {mirrored}: {difference}", config.name());
            }
        }
    });
}

#[test]
fn a_mirrored_model_says_the_mean_of_what_its_network_says_of_a_face_and_of_its_mirror_image() {
    let input = InputSpec { side: 48, normalisation: Normalisation::PerCrop { min_std: 8.0 } };
    let device = Device::flex().autodiff();
    device.seed(5);
    let network = Network::new(&branches(), CLASSES, &device).valid();
    let [once, twice] = [false, true].map(|mirrored| {
        let onnx = export(&network, &input, mirrored, CLASSES, &[]).unwrap().onnx;
        Classifier::from_onnx(&onnx, "network.onnx", input.side, CLASSES).unwrap()
    });
    let face: Vec<f32> = (0..48 * 48).map(|at| (at * 37 % 101) as f32 / 50.0 - 1.0).collect();
    let mirror_image: Vec<f32> = face.chunks_exact(48).flat_map(|row| row.iter().rev().copied()).collect();
    let both = [&face, &mirror_image];
    let [of_face, of_image] = both.map(|crop| once.logits(crop).unwrap());
    for said in both.map(|crop| twice.logits(crop).unwrap()) {
        for (said, (face, image)) in said.iter().zip(of_face.iter().zip(&of_image)) {
            assert!((said - (face + image) / 2.0).abs() < 1e-5, "{said} of {face} and {image}");
        }
    }
    assert!(of_face.iter().zip(&of_image).any(|(face, image)| (face - image).abs() > 1e-3), "{of_face:?}");
}

/// Largest difference between the logits of a file under tract and under onnxruntime, as a share of the largest logit.
fn difference_under_onnxruntime(python: &OsStr, onnx: &[u8], input: &InputSpec, crops: &[GrayImage]) -> f32 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.onnx");
    std::fs::write(&path, onnx).unwrap();
    let classifier = Classifier::from_onnx(onnx, "network.onnx", input.side, CLASSES).unwrap();
    let tensors: Vec<Vec<f32>> = crops.iter().map(|crop| input.tensor(crop.view()).unwrap()).collect();
    let ours: Vec<f32> = tensors.iter().flat_map(|tensor| classifier.logits(tensor).unwrap()).collect();

    let mut run = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/onnxruntime_logits.py"))
        .arg(&path)
        .arg(input.side.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let bytes: Vec<u8> = tensors.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
    run.stdin.take().unwrap().write_all(&bytes).unwrap();
    let output = run.wait_with_output().unwrap();
    assert!(output.status.success(), "onnxruntime refuses the file");
    let (theirs, rest) = output.stdout.as_chunks();
    let theirs: Vec<f32> = theirs.iter().map(|number| f32::from_le_bytes(*number)).collect();
    assert!(rest.is_empty() && theirs.len() == ours.len());
    let scale = ours.iter().fold(1f32, |scale, logit| scale.max(logit.abs()));
    ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs() / scale).fold(0.0, f32::max)
}
