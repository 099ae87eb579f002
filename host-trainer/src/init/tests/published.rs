//! Names and shapes of published networks.

use std::collections::BTreeMap;
use std::path::PathBuf;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tempfile::TempDir;

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

    pub fn resnet50() -> Self {
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

    pub fn vgg16() -> Self {
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

    pub fn mobilenet_v2() -> Self {
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

    pub fn efficientnet_b0() -> Self {
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

    pub fn efficientnet_lite0() -> Self {
        let mut file = Self::default();
        let mut unit = |prefix: &str, conv: &str, norm: usize, shape: [usize; 4]| {
            file.conv(&format!("{prefix}_{conv}"), shape);
            file.norm(&format!("{prefix}_bn{norm}"), shape[0]);
        };
        unit("", "conv_stem", 0, [32, 3, 3, 3]);
        let (mut input, mut number) = (32, 0);
        for (expansion, size, output, count) in
            [(1, 3, 16, 1), (6, 3, 24, 2), (6, 5, 40, 2), (6, 3, 80, 3), (6, 5, 112, 3), (6, 5, 192, 4), (6, 3, 320, 1)]
        {
            for _ in 0..count {
                let block = format!("_blocks.{number}.");
                let inside = input * expansion;
                if expansion > 1 {
                    unit(&block, "expand_conv", 0, [inside, input, 1, 1]);
                }
                unit(&block, "depthwise_conv", 1, [inside, 1, size, size]);
                unit(&block, "project_conv", 2, [output, inside, 1, 1]);
                (input, number) = (output, number + 1);
            }
        }
        unit("", "conv_head", 1, [1280, 320, 1, 1]);
        file.linear("_fc", 1280, 1000);
        file
    }

    pub fn googlenet() -> Self {
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
    pub fn densenet121(dotted: bool) -> Self {
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

    pub fn xception() -> Self {
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
    pub fn safetensors(&self, folder: &TempDir, prefix: &str) -> PathBuf {
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
