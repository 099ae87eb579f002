//! A trained detector -> ONNX files of the YuNet form with a fixed input, checked in the same breath.

use std::collections::HashMap;
use std::io::Cursor;

use anyhow::{Context, anyhow, bail};
use burn::module::Module;
use burn::tensor::{Device, Tensor as BurnTensor};
use burn_onnx::export::OnnxExporter;
use models::onnx::{integers, ints, node, value};
use models::{GrayImage, YunetDetector};
use prost::Message;
use tract_onnx::pb::{GraphProto, ModelProto};
use tract_onnx::prelude::*;

use super::form::{STRIDES, VALUES};
use super::network::DetectorNet;
use crate::export::{rename, with_scalar_pads};

/// Name of the only input, `[1, 1, height, width]`.
const INPUT: &str = "picture";
/// Outputs of every stride: name, the first of their values in the network's 16, and the one behind the last.
const OUTPUTS: [(&str, usize, usize); 4] = [("cls", 0, 1), ("obj", 1, 2), ("bbox", 2, 6), ("kps", 6, VALUES)];
/// So many of the network's values are logits, and probabilities in the file.
const LOGITS: usize = 2;
/// Largest difference of a probability, or of an offset in strides, that export may make.
const TOLERANCE: f32 = 1e-3;

/// Writes `network` for pictures of `width` x `height` px, multiples of 32; batch normalisation folded, probabilities
/// out.
///
/// # Errors
/// The network cannot be lowered, or the file is not of the form.
pub fn export(network: &DetectorNet, width: usize, height: usize) -> anyhow::Result<Vec<u8>> {
    let device = Device::flex();
    let sample = BurnTensor::<4>::zeros([1, 1, height, width], &device);
    let model = OnnxExporter::new()
        .export(&network.valid().to_device(&device).folded(), sample, |network, picture| network.maps(picture))
        .map_err(|error| anyhow!("this detector cannot be written as ONNX: {error}"))?;
    let onnx = in_form(model.as_bytes(), width, height)?;
    YunetDetector::from_bytes(&onnx, "the exported detector").context("the exported detector is not of the form")?;
    Ok(onnx)
}

/// Compares all that file and network say of pictures, which must have the size of the file's input; gives the largest
/// difference of a probability or an offset.
///
/// # Errors
/// They differ by more than [`TOLERANCE`], or one of them fails.
pub fn check(network: &DetectorNet, onnx: &[u8], pictures: &[GrayImage]) -> anyhow::Result<f32> {
    let file = tract_onnx::onnx().model_for_read(&mut Cursor::new(onnx))?.into_optimized()?.into_runnable()?;
    let network = network.valid().to_device(&Device::flex());
    let mut worst = 0f32;
    for picture in pictures {
        let pixels: Vec<f32> = picture.pixels().iter().map(|&pixel| f32::from(pixel)).collect();
        let shape = [1, 1, picture.height(), picture.width()];
        let input = Tensor::from_shape(&shape, &pixels)?;
        let said = file.run(tvec!(input.into()))?;
        let expected =
            numbers(&network, BurnTensor::<1>::from_floats(pixels.as_slice(), &Device::flex()).reshape(shape))?;
        let mut cells = expected.as_slice();
        for outputs in said.chunks_exact(OUTPUTS.len()) {
            let count = outputs[0].len();
            let (level, others) = cells.split_at(count.min(cells.len()));
            cells = others;
            for (output, (_, from, to)) in outputs.iter().zip(OUTPUTS) {
                let theirs = output.try_as_plain_ram()?.as_slice::<f32>()?;
                let ours = level.iter().flat_map(|cell| &cell[from..to]);
                worst = theirs.iter().zip(ours).map(|(a, b)| (a - b).abs()).fold(worst, largest);
            }
        }
    }
    if worst <= TOLERANCE {
        return Ok(worst);
    }
    bail!("the ONNX file and the network differ by {worst:e} (at most {TOLERANCE:e} is allowed)")
}

/// The larger one; what is no number wins, as it is no agreement.
fn largest(a: f32, b: f32) -> f32 {
    if a.is_nan() || a > b { a } else { b }
}

/// What the network says of every cell: stride after stride, row by row; logits as probabilities.
fn numbers(network: &DetectorNet, picture: BurnTensor<4>) -> anyhow::Result<Vec<[f32; VALUES]>> {
    let output = network.forward(picture).into_data();
    let values: Vec<f32> = output.try_to_vec().map_err(|error| anyhow!("reading the detector's numbers: {error:?}"))?;
    let mut cells = values.as_chunks::<VALUES>().0.to_vec();
    for logit in cells.iter_mut().flat_map(|cell| &mut cell[..LOGITS]) {
        *logit = 1.0 / (1.0 + (-*logit).exp());
    }
    Ok(cells)
}

/// Puts the outputs of the form behind the exporter's three maps, `[1, 16, h, w]` each.
fn in_form(bytes: &[u8], width: usize, height: usize) -> anyhow::Result<Vec<u8>> {
    let mut model = ModelProto::decode(bytes).context("the exporter's own file")?;
    model.producer_name = "mien-trainer".into();
    let graph = model.graph.as_mut().context("the exporter wrote no graph")?;
    let [input] = graph.input.as_mut_slice() else {
        bail!("the exporter wrote {} inputs, not one", graph.input.len());
    };
    let theirs = std::mem::replace(&mut input.name, INPUT.into());
    rename(graph, &HashMap::from([(theirs, INPUT.into())]));
    number_anew(graph);
    let maps: Vec<String> = std::mem::take(&mut graph.output).into_iter().map(|output| output.name).collect();
    if maps.len() != STRIDES.len() {
        bail!("the exporter wrote {} outputs, not {}", maps.len(), STRIDES.len());
    }
    graph.initializer.push(integers("axis", &[2]));
    for (map, stride) in maps.iter().zip(STRIDES) {
        add_level(graph, map, stride, (width / stride) * (height / stride));
    }
    with_scalar_pads(graph);
    graph.name = "mien".into();
    Ok(model.encode_to_vec())
}

/// Gives the values between the nodes new numbers: the exporter counts on while the process lives, and equal networks
/// should give equal files.
fn number_anew(graph: &mut GraphProto) {
    let made = graph.node.iter().flat_map(|node| &node.output).enumerate();
    let numbers: HashMap<String, String> = made.map(|(index, name)| (name.clone(), format!("value_{index}"))).collect();
    rename(graph, &numbers);
    for output in &mut graph.output {
        if let Some(new) = numbers.get(&output.name) {
            output.name.clone_from(new);
        }
    }
    // Shapes of values by their old names, which nobody needs.
    graph.value_info.clear();
}

/// From `[1, 16, h, w]` to `[1, h * w, 16]`, cut into its outputs.
fn add_level(graph: &mut GraphProto, map: &str, stride: usize, cells: usize) {
    let named = |part: &str| format!("{part}_{stride}");
    let (turned, all, shape) = (named("turned"), named("cells"), named("shape"));
    // Not the number of cells: the same file then serves for inputs of other sizes.
    graph.initializer.push(integers(&shape, &[1, -1, VALUES as i64]));
    graph.node.push(node("Transpose", &[map], &turned, &[ints("perm", &[0, 2, 3, 1])]));
    graph.node.push(node("Reshape", &[&turned, &shape], &all, &[]));
    for (output, from, to) in OUTPUTS {
        let name = named(output);
        let [start, end, cut] = ["from", "to", "cut"].map(|part| format!("{name}_{part}"));
        graph.initializer.extend([integers(&start, &[from as i64]), integers(&end, &[to as i64])]);
        let is_logit = to <= LOGITS;
        let values = if is_logit { &cut } else { &name };
        graph.node.push(node("Slice", &[&all, &start, &end, "axis"], values, &[]));
        if is_logit {
            graph.node.push(node("Sigmoid", &[&cut], &name, &[]));
        }
        graph.output.push(value(&name, &[1, cells as i64, (to - from) as i64]));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::detector::config::DetectorConfig;
    use crate::failure::is_bad_input;
    use crate::init::init_detector;

    #[test]
    fn the_file_says_what_the_network_says() {
        let config = DetectorConfig::read(None).unwrap().quick();
        let [network, other] = [(); 2].map(|()| DetectorNet::new(&config, &Device::flex()));
        for (width, height) in [(96, 64), (160, 128)] {
            let onnx = export(&network, width, height).unwrap();
            assert_eq!(YunetDetector::from_bytes(&onnx, "a").unwrap().input_size(), (width, height));
            let pixels = (0..width * height).map(|index| (index * 37 % 251) as u8).collect();
            assert!(export(&network, width, height).unwrap() == onnx, "the same network gives another file");
            let picture = [GrayImage::from_vec(pixels, width, height).unwrap()];
            let difference = check(&network, &onnx, &picture).unwrap();
            // The weights are random, whatever other tests seed, and how far roundings carry depends on them.
            assert!(difference < 1e-4, "{difference}");
            assert!(check(&other, &onnx, &picture).is_err());
        }
    }

    /// A picture that is no even gray, so that every layer has something to say.
    fn picture(width: usize, height: usize) -> BurnTensor<4> {
        let pixels: Vec<f32> =
            (0..width * height).map(|index| ((index * index / 7 + index * 37) % 251) as f32).collect();
        BurnTensor::<1>::from_floats(pixels.as_slice(), &Device::flex().autodiff()).reshape([1, 1, height, width])
    }

    fn seeded(config: &DetectorConfig, seed: u64) -> DetectorNet {
        let device = Device::flex().autodiff();
        device.seed(seed);
        DetectorNet::new(config, &device)
    }

    #[test]
    fn a_file_learns_on_from_its_own_answers() {
        let config = DetectorConfig::read(None).unwrap().quick();
        let trained = seeded(&config, 3);
        // So that the normalisations have something to fold.
        trained.maps(picture(128, 128));
        let (folder, shown) = (tempfile::tempdir().unwrap(), picture(128, 96));
        let path = folder.path().join("detector.onnx");
        std::fs::write(&path, export(&trained, 128, 96).unwrap()).unwrap();
        let (loaded, plan) = init_detector(seeded(&config, 4), &path).unwrap();
        assert!(plan.missing.is_empty(), "{plan}");
        let network = loaded.unfolded(&shown);
        let expected = numbers(&trained.valid(), shown.clone().without_autodiff()).unwrap();
        for (network, picture) in [(network.clone(), shown.clone()), (network.valid(), shown.without_autodiff())] {
            let said = numbers(&network, picture).unwrap();
            let differs = |(a, b): (&f32, &f32)| (a - b).abs() > 1e-2;
            assert!(
                !said.as_flattened().iter().zip(expected.as_flattened()).any(differs),
                "{said:?}, not {expected:?}"
            );
        }

        // Heads of another width stay random, all else is taken.
        let wider = DetectorConfig { head_widths: [8, 8, 16], ..config };
        let (_, plan) = init_detector(seeded(&wider, 4), &path).unwrap();
        assert!(!plan.missing.is_empty() && plan.missing.iter().all(|name| name.starts_with("heads.2.")), "{plan}");
    }

    #[test]
    fn what_is_no_detector_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (name, told) in
            [("a.onnx", "no ONNX"), ("b.bpk", "cannot read"), ("c.txt", "neither"), ("none.onnx", "none.onnx")]
        {
            let path = folder.path().join(name);
            if name != "none.onnx" {
                std::fs::write(&path, "no weights").unwrap();
            }
            let error = init_detector(seeded(&DetectorConfig::read(None).unwrap().quick(), 1), &path).err().unwrap();
            assert!(is_bad_input(&error) && format!("{error:#}").contains(told), "{error:#}");
        }
    }
}
