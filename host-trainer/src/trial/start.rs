//! What a model is before it learns: random, or with the weights that the trial names.

use std::path::Path;

use anyhow::Context as _;
use burn::tensor::Device;
use models::{BlurLevel, ModelChoice};

use crate::batches;
use crate::config::{Frozen, NetworkConfig};
use crate::init::init;
use crate::network::Network;
use crate::say::say;
use crate::train::Context;

/// Faces, at least, that give the statistics of a bundle's network that learns on, where there are so many.
const UNFOLDING_FACES: usize = 512;

/// The network that the model for `role` starts as: random, or with the weights that the trial, or each branch of its network,
/// names. What became of each of those is written into the work folder.
///
/// # Errors
/// Weights that cannot be read, or in which nothing fits the network.
pub fn start(context: &Context<'_>, work: &Path, role: ModelChoice) -> anyhow::Result<Network> {
    let trial = context.trial;
    let autodiff = context.device().clone().autodiff();
    autodiff.seed(trial.seed);
    let fresh = |config: &NetworkConfig| Network::new(config, context.classes, &autodiff);
    let told = match role {
        ModelChoice::Clear => "init",
        ModelChoice::Robust => "init-robust",
    };
    if let Some(path) = &trial.init {
        return filled(context, fresh(&trial.network), path, role, &work.join(format!("{told}.txt")));
    }
    if let NetworkConfig::Branches { branches, dropout } = &trial.network {
        let networks = branches.iter().enumerate().filter_map(|(number, branch)| {
            let told = work.join(format!("{told}-{}.txt", number + 1));
            let network = fresh(&branch.alone(*dropout));
            let share = branch.share.map_or(1.0 / branches.len() as f64, f64::from);
            branch.init.as_deref().map(|path| Ok((filled(context, network, path, role, &told)?, share)))
        });
        let networks = networks.collect::<anyhow::Result<Vec<_>>>()?;
        if networks.len() == branches.len() {
            return Network::side_by_side(networks).context("a branch is no residual network");
        }
    }
    if let Some(weights) = &trial.weights {
        say(&format!("warning: random weights in place of the published {weights}, which --init can name"));
    } else if trial.clear.frozen != Frozen::None {
        say("warning: clear.frozen keeps random weights; name better ones with --init");
    }
    Ok(fresh(&trial.network))
}

/// `network` with what fits it of the weights at `path`; the file `told` says what became of each of them.
fn filled(
    context: &Context<'_>,
    network: Network,
    path: &Path,
    role: ModelChoice,
    told: &Path,
) -> anyhow::Result<Network> {
    let (network, plan) = init(network, path, role)?;
    std::fs::write(told, plan.to_string()).with_context(|| format!("cannot write {}", told.display()))?;
    say(&plan.summary(path));
    say(&format!("init: all tensors are listed in {}", told.display()));
    if plan.folded.is_empty() {
        return Ok(network);
    }
    // Spread over all training faces, since those may come sorted.
    let faces = &context.split.train;
    let some: Vec<_> = faces.iter().copied().step_by((faces.len() / UNFOLDING_FACES).max(1)).collect();
    let mut crops = batches::fixed(&some, &context.trial.input, &[BlurLevel::None], some.len().max(1));
    let autodiff: Device = context.device().clone().autodiff();
    crops.try_fold(network, |network, crops| Ok(network.unfolded(&crops?.tensor(&autodiff))))
}
