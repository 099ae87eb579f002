//! What a model is before it learns: random, or with the weights that the trial names.

use std::path::Path;

use anyhow::Context as _;
use models::ModelChoice;

use crate::average::blend;
use crate::batches::{self, Batch, Lesson};
use crate::config::{Balance, BlendConfig, Frozen, NetworkConfig, Recipe};
use crate::init::init;
use crate::network::Network;
use crate::say::say;
use crate::train::{Context, Stage};

/// Faces, at least, that give the statistics of a bundle's network that learns on, where there are so many.
const UNFOLDING_FACES: usize = 512;

/// The network that the model of `stage` starts as: random, or with the weights that the trial, or each branch of its
/// network, names, or the mean of those and of others, normalisations folded; of a bundle those for `role`. What became of
/// each of them is written into the work folder.
///
/// # Errors
/// Weights that cannot be read, or in which nothing fits the network.
pub fn start(context: &Context<'_>, work: &Path, stage: &Stage<'_>, role: ModelChoice) -> anyhow::Result<Network> {
    let told = match role {
        ModelChoice::Clear => "init",
        ModelChoice::Robust => "init-robust",
    };
    let beginning = Beginning { context, stage, role };
    let network = begun(&beginning, work, told)?;
    let Some(BlendConfig { init, share }) = &context.trial.blend else { return Ok(network) };
    let other = fresh(context, beginning.stage.network);
    let other = filled(&beginning, other, init, &work.join(format!("{told}-blend.txt")))?;
    // As a device has them: normalisations have no weights that could be averaged by themselves.
    Ok(blend(network.folded(), &other.folded(), 1.0 - f64::from(*share)))
}

/// Which model it is that begins.
struct Beginning<'a> {
    context: &'a Context<'a>,
    stage: &'a Stage<'a>,
    role: ModelChoice,
}

/// A network with random weights.
fn fresh(context: &Context<'_>, config: &NetworkConfig) -> Network {
    let autodiff = context.device().clone().autodiff();
    autodiff.seed(context.trial.seed);
    Network::new(config, context.classes, &autodiff)
}

/// The network with the weights that it starts from; `told` begins the names of the files that say what became of them.
fn begun(beginning: &Beginning<'_>, work: &Path, told: &str) -> anyhow::Result<Network> {
    let &Beginning { context, role, .. } = beginning;
    let trial = context.trial;
    if let Some(path) = trial.init_of(role) {
        return filled(beginning, fresh(context, beginning.stage.network), path, &work.join(format!("{told}.txt")));
    }
    if let NetworkConfig::Branches { branches, dropout } = beginning.stage.network {
        let networks = branches.iter().enumerate().filter_map(|(number, branch)| {
            let told = work.join(format!("{told}-{}.txt", number + 1));
            let network = fresh(context, &branch.alone(*dropout));
            let share = branch.share.map_or(1.0 / branches.len() as f64, f64::from);
            branch.init.as_deref().map(|path| Ok((filled(beginning, network, path, &told)?, share)))
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
    Ok(fresh(context, beginning.stage.network))
}

/// `network` with what fits it of the weights at `path`; the file `told` says what became of each of them.
fn filled(beginning: &Beginning<'_>, network: Network, path: &Path, told: &Path) -> anyhow::Result<Network> {
    let (network, plan) = init(network, path, beginning.role)?;
    std::fs::write(told, plan.to_string()).with_context(|| format!("cannot write {}", told.display()))?;
    say(&plan.summary(path));
    say(&format!("init: all tensors are listed in {}", told.display()));
    if plan.folded.is_empty() {
        return Ok(network);
    }
    let crops = unfolding_batch(beginning)?;
    Ok(network.unfolded(&crops.tensor(&beginning.context.device().clone().autodiff())))
}

/// Faces as the stage will see them in training. With the statistics of others, of sharp ones for a model that learns from
/// blurred ones, it would be another network in training than it is where its statistics are fixed, and lose in its first
/// steps what it knew.
fn unfolding_batch(beginning: &Beginning<'_>) -> anyhow::Result<Batch> {
    let Beginning { context, stage, .. } = beginning;
    // Spread over all training faces, since those may come sorted.
    let faces = &context.split.train;
    let some: Vec<_> = faces.iter().copied().step_by((faces.len() / UNFOLDING_FACES).max(1)).collect();
    let mut recipe = Recipe { batch: some.len().max(1), balance: Balance::None, ..stage.recipe.clone() };
    recipe.augment.mixup = 0.0;
    let targets = vec![Vec::new(); some.len()];
    let lesson = Lesson { samples: &some, targets: &targets, draws_labels: false, keeps_sharp: false };
    // Of no epoch's random stream.
    let at = batches::Place { stage: stage.index, epoch: u64::MAX };
    std::thread::scope(|scope| {
        let batch = batches::epoch(scope, lesson, context.trial, &recipe, at).recv();
        batch.context("there are no faces to learn from")?
    })
}
