//! Weights with the names and shapes that torchvision and timm publish find their places.

mod published;
mod torch_file;

use std::collections::BTreeMap;

use burn::module::Module;
use burn::store::{BurnToPyTorchAdapter, bridge};
use burn::tensor::{Device, Tensor, TensorData};
use models::Bundle;
use tempfile::TempDir;

use self::published::Published;
use super::plan::{Loaded, Skipped};
use super::*;
use crate::config::{HeadConfig, NetworkConfig, TrialConfig};
use crate::failure::is_bad_input;

fn network(config: &NetworkConfig, classes: usize) -> Network {
    Network::new(config, classes, &Device::flex())
}

/// The numbers of a network by name, in PyTorch's layout.
fn numbers(network: &Network) -> BTreeMap<String, Vec<f32>> {
    let tensors = network.collect(None, Some(Box::new(BurnToPyTorchAdapter)), true).into_iter();
    tensors.map(|tensor| (tensor.name.clone(), bridge::to_data(&tensor).unwrap().iter::<f32>().collect())).collect()
}

/// Pixels of a filter of a first convolution: 3 x 3, or 7 x 7 where there are 64 of three colours.
fn first_area(values: usize) -> usize {
    if values == 64 * 3 * 49 { 49 } else { 9 }
}

/// Every loaded tensor has the numbers of the file, summed over the colours where it says so.
fn holds_what_the_file_has(network: &Network, plan: &Plan, file: &BTreeMap<String, Vec<f32>>) {
    let found = numbers(network);
    for Loaded { from, to, is_summed } in &plan.loaded {
        let values = file.get(from).unwrap_or_else(|| panic!("the file has no {from}"));
        let expected: Vec<f32> = if *is_summed {
            let area = first_area(values.len());
            let sum = |filter: &[f32], at: usize| filter[at] + filter[area + at] + filter[2 * area + at];
            values
                .chunks_exact(3 * area)
                .flat_map(|filter| (0..area).map(|at| sum(filter, at)).collect::<Vec<_>>())
                .collect()
        } else {
            values.clone()
        };
        assert!(found[to] == expected, "{to} has not the numbers of {from}");
    }
}

#[test]
fn published_weights_find_their_places() {
    let head = HeadConfig::default;
    for (config, file, unused, places) in [
        (
            NetworkConfig::Resnet18(head()),
            Published::resnet18(),
            "fc.",
            [
                ("layer2.0.downsample.1.bias", "stages.1.0.shortcut.norm.bias"),
                ("layer4.1.conv2.weight", "stages.3.1.convs.1.conv.weight"),
            ],
        ),
        (
            NetworkConfig::Resnet50(head()),
            Published::resnet50(),
            "fc.",
            [
                ("layer1.0.downsample.0.weight", "stages.0.0.shortcut.conv.weight"),
                ("layer3.5.bn3.weight", "stages.2.5.convs.2.norm.weight"),
            ],
        ),
        (
            NetworkConfig::Vgg16(head()),
            Published::vgg16(),
            "classifier.",
            [("features.5.weight", "convs.2.weight"), ("features.28.bias", "convs.12.bias")],
        ),
        (
            NetworkConfig::MobilenetV2(head()),
            Published::mobilenet_v2(),
            "classifier.",
            [
                ("features.1.conv.1.weight", "blocks.0.project.conv.weight"),
                ("features.17.conv.1.0.weight", "blocks.16.depthwise.conv.weight"),
            ],
        ),
        (
            NetworkConfig::EfficientnetB0(head()),
            Published::efficientnet_b0(),
            "classifier.",
            [
                ("features.1.0.block.1.fc1.bias", "stages.0.0.squeeze.fc1.bias"),
                ("features.6.3.block.1.0.weight", "stages.5.3.depthwise.conv.weight"),
            ],
        ),
        (
            NetworkConfig::EfficientnetLite0(head()),
            Published::efficientnet_lite0(),
            "_fc.",
            [
                ("_bn1.weight", "last.norm.weight"),
                ("_blocks.15._depthwise_conv.weight", "blocks.15.depthwise.conv.weight"),
            ],
        ),
        (
            NetworkConfig::Googlenet(head()),
            Published::googlenet(),
            "aux1.",
            [
                ("inception3a.branch4.1.conv.weight", "inception3a.branch4.conv.weight"),
                ("inception5b.branch3.1.bn.bias", "inception5b.branch3.1.norm.bias"),
            ],
        ),
        (
            NetworkConfig::Densenet121(head()),
            Published::densenet121(false),
            "classifier.",
            [
                ("features.denseblock2.denselayer12.conv1.weight", "blocks.1.11.bottleneck.conv.weight"),
                ("features.norm5.bias", "norm.bias"),
            ],
        ),
        (
            NetworkConfig::Densenet121(head()),
            Published::densenet121(true),
            "classifier.",
            [
                ("features.denseblock4.denselayer1.norm.1.weight", "blocks.3.0.norm.weight"),
                ("features.transition3.conv.weight", "transitions.2.conv.weight"),
            ],
        ),
        (
            NetworkConfig::Xception(head()),
            Published::xception(),
            "fc.",
            [
                ("block1.rep.4.bias", "blocks.0.rep.1.pointwise.norm.bias"),
                ("block12.rep.4.pointwise.weight", "blocks.11.rep.1.pointwise.conv.weight"),
            ],
        ),
    ] {
        let name = config.name();
        let folder = TempDir::new().unwrap();
        let (network, plan) = init(network(&config, 5), &file.safetensors(&folder, ""), ModelChoice::Clear).unwrap();
        assert_eq!(plan.missing, ["head.output.bias", "head.output.weight"], "{name}");
        let is_told = |skipped: &Skipped| skipped.from.starts_with(unused) || skipped.from.starts_with("fc.");
        assert!(plan.skipped.iter().all(is_told), "{name}: {plan}");
        assert_eq!(plan.loaded.iter().filter(|loaded| loaded.is_summed).count(), 1, "{name}");
        for (from, to) in places {
            assert!(plan.loaded.iter().any(|loaded| loaded.from == from && loaded.to == to), "{name}: {from}\n{plan}");
        }
        holds_what_the_file_has(&network, &plan, &file.values());
    }
}

#[test]
fn a_head_of_the_same_classes_is_loaded_and_turned() {
    let folder = TempDir::new().unwrap();
    let file = Published::resnet18();
    let config = NetworkConfig::Resnet18(HeadConfig::default());
    let (network, plan) =
        init(network(&config, 1000), &file.safetensors(&folder, "module."), ModelChoice::Clear).unwrap();
    assert!(plan.missing.is_empty() && plan.skipped.is_empty(), "{plan}");
    holds_what_the_file_has(&network, &plan, &file.values());
    let told = plan.to_string();
    assert!(told.contains("loaded conv1.weight as stem.conv.weight (summed over the three colours)\n"), "{told}");
    assert!(told.contains("loaded fc.weight as head.output.weight\n"), "{told}");
    let summary = plan.summary(&folder.path().join("weights.safetensors"));
    let all = file.0.len();
    assert!(summary.contains(&format!("{all} of the network's {all} tensors")), "{summary}");
}

#[test]
fn a_checkpoint_is_loaded_from_its_file_folder_or_beside_its_bundle() {
    let place = TempDir::new().unwrap();
    let config = NetworkConfig::PlainCnn { depth: 2 };
    let trained = network(&config, 5);
    let clear = place.path().join("bundle.work/clear");
    std::fs::create_dir_all(&clear).unwrap();
    std::fs::create_dir(place.path().join("bundle")).unwrap();
    trained.clone().save_file(clear.join("best.bpk")).unwrap();
    for path in ["bundle.work/clear/best.bpk", "bundle.work/clear", "bundle.work", "bundle"] {
        let (loaded, plan) = init(network(&config, 5), &place.path().join(path), ModelChoice::Clear).unwrap();
        assert!(plan.missing.is_empty() && plan.skipped.is_empty(), "{path}: {plan}");
        assert_eq!(numbers(&loaded), numbers(&trained), "{path}");
    }
    // For other classes all but the head.
    let (_, plan) = init(network(&config, 7), &clear, ModelChoice::Clear).unwrap();
    assert_eq!(plan.missing, ["head.output.bias", "head.output.weight"]);
}

#[test]
fn a_bundle_learns_on_from_its_own_answers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/bundles/light");
    let bundle = Bundle::open(&path).unwrap();
    let input = bundle.manifest.input;
    // The trial that runs without a file of its own has the network of the bundle.
    let mut config = TrialConfig::read(None).unwrap().network;
    let (NetworkConfig::Residual { dropout, .. } | NetworkConfig::Branches { dropout, .. }) = &mut config else {
        panic!("{}", config.name())
    };
    *dropout = 0.0;
    let device = Device::flex().autodiff();
    for role in ModelChoice::ALL {
        let (loaded, plan) = init(Network::new(&config, 7, &device), &path, role).unwrap();
        assert!(plan.missing.is_empty() && plan.skipped.is_empty(), "{plan}");
        // Of every normalisation its scale and two statistics.
        assert_eq!(plan.folded.len(), 3 * 10, "{plan}");
        assert!(plan.summary(&path).contains("made of the faces"), "{}", plan.summary(&path));

        let pairs = &bundle.golden().pairs;
        let pixels: Vec<f32> = pairs.iter().flat_map(|pair| input.tensor(pair.crop.view()).unwrap()).collect();
        let shape = [pairs.len(), 1, input.side, input.side];
        let crops = Tensor::<4>::from_data(TensorData::new(pixels, shape), &device);
        let expected: Vec<f32> = pairs
            .iter()
            .flat_map(|pair| match role {
                ModelChoice::Clear => pair.clear.clone(),
                ModelChoice::Robust => pair.robust.clone(),
            })
            .collect();
        let is_close = |network: &Network, crops: Tensor<4>, what: &str| {
            let logits: Vec<f32> = network.forward(crops).into_data().try_to_vec().unwrap();
            assert!(
                logits.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-2),
                "{what}: {logits:?}, not {expected:?}"
            );
        };
        let network = loaded.unfolded(&crops);
        is_close(&network, crops.clone(), "in training, on the faces that gave the statistics");
        is_close(&network.valid(), crops.without_autodiff(), "in evaluation");
    }
}

#[test]
fn one_of_several_networks_side_by_side_learns_on_alone() {
    let alone = |widths: [usize; 2], blocks| NetworkConfig::Residual { widths: widths.into(), blocks, dropout: 0.0 };
    let (small, wide) = (alone([8, 16], vec![0, 1]), alone([16, 24], vec![1, 0]));
    let [of_small, of_wide] = [&small, &wide].map(|config| Network::new(config, 5, &Device::flex().autodiff()));
    let all = Network::side_by_side(vec![(of_small.clone(), 0.5), (of_wide.clone(), 0.5)]).unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("best.bpk");
    all.save_file(&path).unwrap();
    for (config, trained, branch) in [(&small, of_small, "branches.0."), (&wide, of_wide, "branches.1.")] {
        let (loaded, plan) = init(network(config, 5), &path, ModelChoice::Clear).unwrap();
        assert!(plan.missing.is_empty() && plan.loaded.iter().all(|loaded| loaded.from.contains(branch)), "{plan}");
        assert!(plan.skipped.iter().all(|skipped| !skipped.from.contains(branch)), "{plan}");
        assert_eq!(numbers(&loaded), numbers(&trained));
    }
    let error = init(network(&alone([8, 32], vec![0, 1]), 5), &path, ModelChoice::Clear).err().unwrap();
    assert!(is_bad_input(&error), "{error:#}");
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason() {
    let folder = TempDir::new().unwrap();
    let refused = |config: &NetworkConfig, path: &Path| {
        let error = init(network(config, 5), path, ModelChoice::Clear).err().unwrap();
        assert!(is_bad_input(&error), "{error:#}");
        format!("{error:#}")
    };
    let resnet = Published::resnet18().safetensors(&folder, "");
    let told = refused(&NetworkConfig::Vgg16(HeadConfig::default()), &resnet);
    assert!(told.contains("none of its") && told.contains("bn1.weight"), "{told}");
    let plain = NetworkConfig::PlainCnn { depth: 1 };
    assert!(refused(&plain, &folder.path().join("nothing.safetensors")).contains("no such file"));
    assert!(refused(&plain, folder.path()).contains("neither a bundle nor a work folder"));
    for name in ["weights.h5", "weights.safetensors", "weights.bpk", "weights.pth", "weights.pt"] {
        let path = folder.path().join(name);
        std::fs::write(&path, "no weights").unwrap();
        assert!(refused(&plain, &path).contains(name));
    }
}

#[test]
fn files_of_pytorch_are_read_at_their_root_and_below_a_key() {
    let folder = TempDir::new().unwrap();
    let (file, path) = (Published::resnet18(), folder.path().join("weights.pth"));
    let config = NetworkConfig::Resnet18(HeadConfig::default());
    for key in [None, Some("state_dict"), Some("model")] {
        std::fs::write(&path, torch_file::bytes(&file.0, &file.values(), key)).unwrap();
        let (network, plan) = init(network(&config, 1000), &path, ModelChoice::Clear).unwrap();
        assert!(plan.missing.is_empty() && plan.skipped.is_empty(), "{key:?}: {plan}");
        holds_what_the_file_has(&network, &plan, &file.values());
    }
}
