//! Weights with the names and shapes that torchvision and timm publish find their places.

use std::collections::BTreeMap;
use std::path::PathBuf;

use burn::module::Module;
use burn::store::{BurnToPyTorchAdapter, bridge};
use burn::tensor::Device;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tempfile::TempDir;

use super::plan::{Loaded, Skipped};
use super::*;
use crate::config::{HeadConfig, NetworkConfig};
use crate::failure::is_bad_input;

/// Names and shapes of a published network, written down after its documentation and not after our networks.
#[derive(Default)]
pub struct Published(pub Vec<(String, Vec<usize>)>);

impl Published {
    fn conv(&mut self, name: &str, shape: [usize; 4]) {
        self.0.push((format!("{name}.weight"), shape.into()));
    }

    fn norm(&mut self, name: &str, channels: usize) {
        for part in ["weight", "bias", "running_mean", "running_var"] {
            self.0.push((format!("{name}.{part}"), vec![channels]));
        }
    }

    fn linear(&mut self, name: &str, input: usize, output: usize) {
        self.0.push((format!("{name}.weight"), vec![output, input]));
        self.0.push((format!("{name}.bias"), vec![output]));
    }

    fn biased_conv(&mut self, name: &str, shape: [usize; 4]) {
        self.conv(name, shape);
        self.0.push((format!("{name}.bias"), vec![shape[0]]));
    }

    /// `name.0` and `name.1`, as torchvision's `Conv2dNormActivation`.
    fn pair(&mut self, name: &str, shape: [usize; 4]) {
        self.conv(&format!("{name}.0"), shape);
        self.norm(&format!("{name}.1"), shape[0]);
    }

    pub fn resnet18() -> Self {
        let mut file = Self::default();
        file.conv("conv1", [64, 3, 7, 7]);
        file.norm("bn1", 64);
        let mut input = 64;
        for (layer, width) in [(1, 64), (2, 128), (3, 256), (4, 512)] {
            for block in 0..2 {
                let name = format!("layer{layer}.{block}");
                file.conv(&format!("{name}.conv1"), [width, input, 3, 3]);
                file.norm(&format!("{name}.bn1"), width);
                file.conv(&format!("{name}.conv2"), [width, width, 3, 3]);
                file.norm(&format!("{name}.bn2"), width);
                if input != width {
                    file.pair(&format!("{name}.downsample"), [width, input, 1, 1]);
                }
                input = width;
            }
        }
        file.linear("fc", 512, 1000);
        file
    }

    fn resnet50() -> Self {
        let mut file = Self::default();
        file.conv("conv1", [64, 3, 7, 7]);
        file.norm("bn1", 64);
        let mut input = 64;
        for (layer, width, blocks) in [(1, 64, 3), (2, 128, 4), (3, 256, 6), (4, 512, 3)] {
            for block in 0..blocks {
                let name = format!("layer{layer}.{block}");
                for (number, shape) in
                    [(1, [width, input, 1, 1]), (2, [width, width, 3, 3]), (3, [width * 4, width, 1, 1])]
                {
                    file.conv(&format!("{name}.conv{number}"), shape);
                    file.norm(&format!("{name}.bn{number}"), shape[0]);
                }
                if block == 0 {
                    file.pair(&format!("{name}.downsample"), [width * 4, input, 1, 1]);
                }
                input = width * 4;
            }
        }
        file.linear("fc", 2048, 1000);
        file
    }

    fn vgg16() -> Self {
        let mut file = Self::default();
        let mut input = 3;
        let numbers = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28];
        let widths = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512];
        for (number, width) in numbers.into_iter().zip(widths) {
            file.biased_conv(&format!("features.{number}"), [width, input, 3, 3]);
            input = width;
        }
        // The real ones hold 120 million numbers; nothing of them is loaded.
        file.linear("classifier.0", 4, 2);
        file.linear("classifier.6", 2, 1000);
        file
    }

    fn mobilenet_v2() -> Self {
        let mut file = Self::default();
        file.pair("features.0", [32, 3, 3, 3]);
        let (mut input, mut number) = (32, 1);
        for (expansion, output, count) in
            [(1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1)]
        {
            for _ in 0..count {
                let name = format!("features.{number}.conv");
                let inside = input * expansion;
                let mut part = 0;
                if expansion > 1 {
                    file.pair(&format!("{name}.0"), [inside, input, 1, 1]);
                    part = 1;
                }
                file.pair(&format!("{name}.{part}"), [inside, 1, 3, 3]);
                file.conv(&format!("{name}.{}", part + 1), [output, inside, 1, 1]);
                file.norm(&format!("{name}.{}", part + 2), output);
                (input, number) = (output, number + 1);
            }
        }
        file.pair("features.18", [1280, 320, 1, 1]);
        file.linear("classifier.1", 1280, 1000);
        file
    }

    fn efficientnet_b0() -> Self {
        let mut file = Self::default();
        file.pair("features.0", [32, 3, 3, 3]);
        let mut input = 32;
        let stages = [
            (1, 3, 16, 1),
            (6, 3, 24, 2),
            (6, 5, 40, 2),
            (6, 3, 80, 3),
            (6, 5, 112, 3),
            (6, 5, 192, 4),
            (6, 3, 320, 1),
        ];
        for (stage, (expansion, size, output, count)) in stages.into_iter().enumerate() {
            for block in 0..count {
                let name = format!("features.{}.{block}.block", stage + 1);
                let inside = input * expansion;
                let mut part = 0;
                if expansion > 1 {
                    file.pair(&format!("{name}.0"), [inside, input, 1, 1]);
                    part = 1;
                }
                file.pair(&format!("{name}.{part}"), [inside, 1, size, size]);
                file.biased_conv(&format!("{name}.{}.fc1", part + 1), [input / 4, inside, 1, 1]);
                file.biased_conv(&format!("{name}.{}.fc2", part + 1), [inside, input / 4, 1, 1]);
                file.pair(&format!("{name}.{}", part + 2), [output, inside, 1, 1]);
                input = output;
            }
        }
        file.pair("features.8", [1280, 320, 1, 1]);
        file.linear("classifier.1", 1280, 1000);
        file
    }

    fn googlenet() -> Self {
        let mut file = Self::default();
        let mut unit = |name: &str, shape: [usize; 4]| {
            file.conv(&format!("{name}.conv"), shape);
            file.norm(&format!("{name}.bn"), shape[0]);
        };
        unit("conv1", [64, 3, 7, 7]);
        unit("conv2", [64, 64, 1, 1]);
        unit("conv3", [192, 64, 3, 3]);
        for (name, input, [one, narrow3, wide3, narrow5, wide5, pooled]) in [
            ("3a", 192, [64, 96, 128, 16, 32, 32]),
            ("3b", 256, [128, 128, 192, 32, 96, 64]),
            ("4a", 480, [192, 96, 208, 16, 48, 64]),
            ("4b", 512, [160, 112, 224, 24, 64, 64]),
            ("4c", 512, [128, 128, 256, 24, 64, 64]),
            ("4d", 512, [112, 144, 288, 32, 64, 64]),
            ("4e", 528, [256, 160, 320, 32, 128, 128]),
            ("5a", 832, [256, 160, 320, 32, 128, 128]),
            ("5b", 832, [384, 192, 384, 48, 128, 128]),
        ] {
            let name = format!("inception{name}");
            unit(&format!("{name}.branch1"), [one, input, 1, 1]);
            unit(&format!("{name}.branch2.0"), [narrow3, input, 1, 1]);
            unit(&format!("{name}.branch2.1"), [wide3, narrow3, 3, 3]);
            unit(&format!("{name}.branch3.0"), [narrow5, input, 1, 1]);
            unit(&format!("{name}.branch3.1"), [wide5, narrow5, 3, 3]);
            unit(&format!("{name}.branch4.1"), [pooled, input, 1, 1]);
        }
        unit("aux1.conv", [128, 512, 1, 1]);
        file.linear("aux1.fc1", 2048, 1024);
        file.linear("fc", 1024, 1000);
        file
    }

    /// `dotted`: as the older files write it, `norm.1` for `norm1`.
    fn densenet121(dotted: bool) -> Self {
        let dot = if dotted { "." } else { "" };
        let mut file = Self::default();
        file.conv("features.conv0", [64, 3, 7, 7]);
        file.norm("features.norm0", 64);
        let mut input = 64;
        for (block, depth) in [(1, 6), (2, 12), (3, 24), (4, 16)] {
            for layer in 1..=depth {
                let name = format!("features.denseblock{block}.denselayer{layer}");
                file.norm(&format!("{name}.norm{dot}1"), input);
                file.conv(&format!("{name}.conv{dot}1"), [128, input, 1, 1]);
                file.norm(&format!("{name}.norm{dot}2"), 128);
                file.conv(&format!("{name}.conv{dot}2"), [32, 128, 3, 3]);
                input += 32;
            }
            if block < 4 {
                file.norm(&format!("features.transition{block}.norm"), input);
                file.conv(&format!("features.transition{block}.conv"), [input / 2, input, 1, 1]);
                input /= 2;
            }
        }
        file.norm("features.norm5", input);
        file.linear("classifier", input, 1000);
        file
    }

    fn xception() -> Self {
        let mut file = Self::default();
        let separable = |file: &mut Self, name: &str, input: usize, output: usize| {
            file.conv(&format!("{name}.conv1"), [input, 1, 3, 3]);
            file.conv(&format!("{name}.pointwise"), [output, input, 1, 1]);
        };
        for (number, shape) in [(1, [32, 3, 3, 3]), (2, [64, 32, 3, 3])] {
            file.conv(&format!("conv{number}"), shape);
            file.norm(&format!("bn{number}"), shape[0]);
        }
        for block in 1..=12 {
            let widths: &[usize] = match block {
                1 => &[64, 128, 128],
                2 => &[128, 256, 256],
                3 => &[256, 728, 728],
                12 => &[728, 728, 1024],
                _ => &[728; 4],
            };
            // Every convolution but the first of the first block stands behind a ReLU, which has a number too.
            let mut number = usize::from(block > 1);
            for pair in widths.windows(2) {
                separable(&mut file, &format!("block{block}.rep.{number}"), pair[0], pair[1]);
                file.norm(&format!("block{block}.rep.{}", number + 1), pair[1]);
                number += 3;
            }
            let (input, output) = (widths[0], widths[widths.len() - 1]);
            if input != output {
                file.conv(&format!("block{block}.skip"), [output, input, 1, 1]);
                file.norm(&format!("block{block}.skipbn"), output);
            }
        }
        for (number, input, output) in [(3, 1024, 1536), (4, 1536, 2048)] {
            separable(&mut file, &format!("conv{number}"), input, output);
            file.norm(&format!("bn{number}"), output);
        }
        file.linear("fc", 2048, 1000);
        file
    }

    /// Numbers for every tensor, no two tensors with the same ones.
    pub fn values(&self) -> BTreeMap<String, Vec<f32>> {
        let tensor = |(index, (name, shape)): (usize, &(String, Vec<usize>))| {
            let count: usize = shape.iter().product();
            (name.clone(), (0..count).map(|at| index as f32 + (at % 251) as f32 / 256.0).collect())
        };
        self.0.iter().enumerate().map(tensor).collect()
    }

    /// Writes it as a .safetensors file, `prefix` before every name.
    fn safetensors(&self, folder: &TempDir, prefix: &str) -> PathBuf {
        let path = folder.path().join("weights.safetensors");
        let bytes: BTreeMap<String, Vec<u8>> = self
            .values()
            .into_iter()
            .map(|(name, values)| (name, values.iter().flat_map(|value| value.to_le_bytes()).collect()))
            .collect();
        let views = self.0.iter().map(|(name, shape)| {
            (format!("{prefix}{name}"), TensorView::new(Dtype::F32, shape.clone(), &bytes[name]).unwrap())
        });
        safetensors::serialize_to_file(views, None, &path).unwrap();
        path
    }
}

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
pub fn holds_what_the_file_has(network: &Network, plan: &Plan, file: &BTreeMap<String, Vec<f32>>) {
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
        let (network, plan) = init(network(&config, 5), &file.safetensors(&folder, "")).unwrap();
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
    let (network, plan) = init(network(&config, 1000), &file.safetensors(&folder, "module.")).unwrap();
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
        let (loaded, plan) = init(network(&config, 5), &place.path().join(path)).unwrap();
        assert!(plan.missing.is_empty() && plan.skipped.is_empty(), "{path}: {plan}");
        assert_eq!(numbers(&loaded), numbers(&trained), "{path}");
    }
    // For other classes all but the head.
    let (_, plan) = init(network(&config, 7), &clear).unwrap();
    assert_eq!(plan.missing, ["head.output.bias", "head.output.weight"]);
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason() {
    let folder = TempDir::new().unwrap();
    let refused = |config: &NetworkConfig, path: &Path| {
        let error = init(network(config, 5), path).err().unwrap();
        assert!(is_bad_input(&error), "{error:#}");
        format!("{error:#}")
    };
    let resnet = Published::resnet18().safetensors(&folder, "");
    let told = refused(&NetworkConfig::Vgg16(HeadConfig::default()), &resnet);
    assert!(told.contains("none of its") && told.contains("bn1.weight"), "{told}");
    let plain = NetworkConfig::PlainCnn { depth: 1 };
    assert!(refused(&plain, &folder.path().join("nothing.safetensors")).contains("no such file"));
    assert!(refused(&plain, folder.path()).contains("work folder"));
    for name in ["weights.h5", "weights.safetensors", "weights.bpk"] {
        let path = folder.path().join(name);
        std::fs::write(&path, "no weights").unwrap();
        assert!(refused(&plain, &path).contains(name));
    }
}
