//! Which tensor of a file goes where in a network.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use burn::store::burn_pack::Tensor as Stored;
use burn::store::{BurnToPyTorchAdapter, KeyRemapper, ModuleAdapter, ModuleSnapshot, bridge, map_indices_contiguous};
use burn::tensor::{DType, TensorData};

use super::source::{Layout, Source};
use crate::network::TorchNames;

/// What became of every tensor of a file, and of every one of the network.
pub struct Plan {
    /// Tensors that were taken over.
    pub loaded: Vec<Loaded>,
    /// Tensors of the file that were not.
    pub skipped: Vec<Skipped>,
    /// Tensors of the network that keep their random values.
    pub missing: Vec<String>,
    /// Tensors of normalisations that were folded away, which are made anew of the faces.
    pub folded: Vec<String>,
}

/// A tensor that was taken over.
pub struct Loaded {
    /// Its name in the file.
    pub from: String,
    /// Its name in the network.
    pub to: String,
    /// Whether it was summed over three colours.
    pub is_summed: bool,
}

/// A tensor that was not taken over.
pub struct Skipped {
    /// Its name in the file.
    pub from: String,
    /// Why.
    pub reason: String,
}

impl Plan {
    /// What there is to say about loading from `path`: how much was taken, and each exception.
    pub fn summary(&self, path: &Path) -> String {
        let all = self.loaded.len() + self.missing.len() + self.folded.len();
        let mut lines =
            vec![format!("init: {} of the network's {all} tensors from {}", self.loaded.len(), path.display())];
        let summed = self.loaded.iter().filter(|loaded| loaded.is_summed);
        lines.extend(summed.map(|loaded| format!("init: {} summed over the three colours", loaded.to)));
        if !self.folded.is_empty() {
            lines.push(format!("init: {} more made of the faces, where a normalisation was folded", self.folded.len()));
        }
        let unfit = self.skipped.iter().map(|Skipped { from, reason }| format!("init: skipped {from}: {reason}"));
        let missing = self.missing.iter().map(|name| format!("init: {name} stays random"));
        lines.extend(shortened(unfit.collect(), "skipped"));
        lines.extend(shortened(missing.collect(), "random"));
        lines.join("\n")
    }
}

/// The first few lines, and how many more there are.
fn shortened(mut lines: Vec<String>, what: &str) -> Vec<String> {
    const SHOWN: usize = 6;
    if let Some(more) = lines.len().checked_sub(SHOWN).filter(|&more| more > 0) {
        lines.truncate(SHOWN);
        lines.push(format!("init: and {more} more {what}"));
    }
    lines
}

impl fmt::Display for Plan {
    /// A line a tensor.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Loaded { from, to, is_summed } in &self.loaded {
            let how = if *is_summed { " (summed over the three colours)" } else { "" };
            if from == to { writeln!(f, "loaded {from}{how}")? } else { writeln!(f, "loaded {from} as {to}{how}")? }
        }
        for Skipped { from, reason } in &self.skipped {
            writeln!(f, "skipped {from}: {reason}")?;
        }
        self.folded.iter().try_for_each(|name| writeln!(f, "made of the faces {name}"))?;
        self.missing.iter().try_for_each(|name| writeln!(f, "random {name}"))
    }
}

/// Matches the tensors of a file with those of a network; gives the ones to load, by the network's names.
pub fn plan<N: ModuleSnapshot>(source: Source, torch_names: TorchNames, network: &N) -> (Vec<Stored>, Plan) {
    let adapter = (source.layout == Layout::Torch).then(|| Box::new(BurnToPyTorchAdapter) as Box<dyn ModuleAdapter>);
    let mut wanted: BTreeMap<String, Vec<usize>> = network
        .collect(None, adapter, true)
        .into_iter()
        .map(|tensor| (tensor.name.clone(), tensor.shape.to_vec()))
        .collect();
    let mut plan = Plan { loaded: Vec::new(), skipped: Vec::new(), missing: Vec::new(), folded: Vec::new() };
    let mut tensors = Vec::new();
    let is_folded = source.layout == Layout::Folded;
    for (from, mut tensor) in alone(renamed(source, torch_names), &wanted) {
        if is_folded && let Some(layer) = folded_norm(&tensor, &wanted).map(str::to_owned) {
            tensor.name = format!("{layer}.norm.beta");
            let made = NORM_STATE.map(|state| format!("{layer}.norm.{state}"));
            plan.folded.extend(made.into_iter().filter(|name| wanted.remove(name).is_some()));
        }
        let to = tensor.name.clone();
        let shape = tensor.shape.to_vec();
        let Some(expected) = wanted.get(&to) else {
            plan.skipped.push(Skipped { from, reason: "the network has no such layer".into() });
            continue;
        };
        let is_summed = shape != *expected;
        match fitted(tensor, expected) {
            Some(tensor) => {
                tensors.push(tensor);
                wanted.remove(&to);
                plan.loaded.push(Loaded { from, to, is_summed });
            }
            None => plan.skipped.push(Skipped { from, reason: format!("{shape:?} does not fit {to} {expected:?}") }),
        }
    }
    plan.missing = wanted.into_keys().collect();
    (tensors, plan)
}

/// Where the file is of networks side by side and `wanted` of one, the first of them whose weights all fit has its tensors
/// named as if it stood alone.
fn alone(mut tensors: Vec<(String, Stored)>, wanted: &BTreeMap<String, Vec<usize>>) -> Vec<(String, Stored)> {
    let of_branch = |name: &str| {
        let (number, rest) = name.strip_prefix(BRANCHES)?.split_once('.')?;
        Some((number.to_owned(), rest.to_owned()))
    };
    if wanted.keys().any(|name| name.starts_with(BRANCHES)) {
        return tensors;
    }
    let mut fits: BTreeMap<String, bool> = BTreeMap::new();
    for (_, tensor) in &tensors {
        let Some((number, rest)) = of_branch(&tensor.name) else { continue };
        let is_unfit = rest.ends_with(WEIGHT) && wanted.get(&rest) != Some(&tensor.shape.to_vec());
        *fits.entry(number).or_insert(true) &= !is_unfit;
    }
    let Some(chosen) = fits.into_iter().find_map(|(number, fits)| fits.then_some(number)) else { return tensors };
    for (_, tensor) in &mut tensors {
        if let Some((number, rest)) = of_branch(&tensor.name)
            && number == chosen
        {
            tensor.name = rest;
        }
    }
    tensors
}

/// What stands before the names of networks side by side, and a number behind it.
const BRANCHES: &str = "branches.";

/// What the names of weights end with; shifts have as many shapes as there are widths, and fit more often.
const WEIGHT: &str = ".weight";

/// What a normalisation has besides its shift.
const NORM_STATE: [&str; 3] = ["gamma", "running_mean", "running_var"];

/// The convolution with a normalisation of its own, if this is its bias: the shift of that normalisation.
fn folded_norm<'a>(tensor: &'a Stored, wanted: &BTreeMap<String, Vec<usize>>) -> Option<&'a str> {
    let layer = tensor.name.strip_suffix(".conv.bias")?;
    (*wanted.get(&format!("{layer}.norm.beta"))? == tensor.shape.to_vec()).then_some(layer)
}

/// The tensors by the network's names, each with the name that it has in the file.
fn renamed(source: Source, torch_names: TorchNames) -> Vec<(String, Stored)> {
    let tensors = source.tensors.into_iter().filter(|tensor| tensor.dtype.is_float()).collect();
    if source.layout != Layout::Torch {
        let ours = |name: &str| match name.split_once('.') {
            Some((_, rest)) if source.kind_first => rest.to_owned(),
            _ => name.to_owned(),
        };
        return with_names(tensors, ours);
    }
    // The patterns are constants of the networks; a test compiles them all.
    let remapper = KeyRemapper::from_pattern_iter(torch_names.iter().copied()).unwrap_or_default();
    let (tensors, names) = remapper.remap(tensors);
    let original: BTreeMap<String, String> = names.into_iter().collect();
    // Numbers without weights behind them, such as a ReLU's, are passed over; counting starts at 0.
    let (tensors, names) = map_indices_contiguous(tensors);
    let between: BTreeMap<String, String> = names.into_iter().collect();
    tensors
        .into_iter()
        .map(|tensor| {
            let before = between.get(&tensor.name).unwrap_or(&tensor.name);
            (original.get(before).unwrap_or(before).clone(), tensor)
        })
        .collect()
}

fn with_names(tensors: Vec<Stored>, rename: impl Fn(&str) -> String) -> Vec<(String, Stored)> {
    let rename = |mut tensor: Stored| {
        let name = rename(&tensor.name);
        (std::mem::replace(&mut tensor.name, name), tensor)
    };
    tensors.into_iter().map(rename).collect()
}

/// The tensor in the expected shape, where it has it or can be brought to it.
fn fitted(tensor: Stored, expected: &[usize]) -> Option<Stored> {
    let shape = tensor.shape.to_vec();
    if shape == expected {
        return Some(tensor);
    }
    let ([out, 3, height, width], [_, 1, ..]) = (shape.as_slice(), expected) else { return None };
    if [*out, 1, *height, *width] != *expected {
        return None;
    }
    let name = tensor.name.clone();
    let area = height * width;
    Some(bridge::map_data(tensor, name, DType::F32, expected.to_vec().into(), move |data| sum_of_colours(data, area)))
}

/// `[out, 3, h, w]` -> `[out, 1, h, w]`; `area` is `h * w`.
fn sum_of_colours(data: TensorData, area: usize) -> TensorData {
    let mut shape = data.shape().to_vec();
    shape[1] = 1;
    let values: Vec<f32> = data.iter::<f32>().collect();
    let sums = values
        .chunks_exact(3 * area)
        .flat_map(|filter| (0..area).map(move |at| filter[at] + filter[area + at] + filter[2 * area + at]))
        .collect();
    TensorData::new::<f32, _>(sums, shape)
}
