//! The trial file: everything that decides what a training run produces, with defaults.

mod augment;
mod distil;
pub mod file;
mod network;
mod range;
mod recipe;

use std::path::{Path, PathBuf};

use models::{Expression, InputSpec, ModelChoice, Normalisation};
use serde::{Deserialize, Serialize};

pub use self::augment::AugmentConfig;
pub use self::distil::{DistilConfig, RobustDistilConfig, VotesConfig};
pub use self::network::{BranchConfig, HeadConfig, NetworkConfig};
pub use self::range::within;
pub use self::recipe::{Balance, Frozen, LossKind, Optimiser, Recipe, Schedule};
use crate::failure::bad_input;
use crate::sample::UsageFilter;

/// The recipe of the default bundle.
const SHIPPED: &str = include_str!("../trials/default.toml");

/// A whole trial: one network, trained twice, once on clear faces and once more on blurred ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TrialConfig {
    /// Name of the bundle.
    pub name: String,
    /// Seed of the split, the weights and every augmentation.
    pub seed: u64,
    /// The data set, for `train`, `trial` and `study`, unless --data names another.
    pub data: Option<PathBuf>,
    /// The part of the data that is learned from and validated on: `training` or, where a study did so, `all`.
    pub learn_from: UsageFilter,
    /// The parts of the data that `trial` and `study` measure on, each by itself.
    pub test_on: Vec<UsageFilter>,
    /// Expressions whose faces are left out.
    pub drop_classes: Vec<Expression>,
    /// Cut every face out of its picture once more, as close as the built-in detector sees it: see [`crate::recrop`].
    pub crop_faces: bool,
    /// Share of what is learned from that is kept for validation (0.01..=0.5): early stopping, gate, temperature.
    pub validation_share: f32,
    /// A bundle whose gate is kept, in place of one that is fitted on the validation faces: where these are few, luck has a
    /// part in that.
    pub gate_of: Option<PathBuf>,
    /// Below this calibrated probability a bundle calls an expression unsure (0..=1).
    pub unsure_below: f32,
    /// Weights that the clear model starts from, instead of random ones: see [`crate::init`].
    pub init: Option<PathBuf>,
    /// Weights that those are averaged with, in a trial without epochs.
    pub blend: Option<BlendConfig>,
    /// Name of the file with the published weights that a study starts from: `trial` and `study` look for it in the folder
    /// that --weights names, and do not begin without it.
    pub weights: Option<String>,
    /// What the network is given.
    pub input: InputSpec,
    /// The network's structure.
    pub network: NetworkConfig,
    /// That of the robust model, where it is another; it then starts from weights of its own.
    pub robust_network: Option<NetworkConfig>,
    /// What people said when asked again, which the new network learns from as well.
    pub votes: Option<VotesConfig>,
    /// Trained networks that the new one learns from as well.
    pub distil: Option<DistilConfig>,
    /// How the clear model is trained.
    pub clear: Recipe,
    /// What the robust model starts from.
    pub robust_start: RobustStart,
    /// The bundle or work folder whose robust network that is with `init-robust`, where it is another than `init`.
    pub robust_init: Option<PathBuf>,
    /// What the robust model learns from the clear one, besides what it starts from.
    pub robust_distil: Option<RobustDistilConfig>,
    /// How the robust model is trained.
    pub robust: Recipe,
}

/// `[blend]`: the models are the mean of what they start from and of others of the same shape. Between a network and what
/// became of it in a further training there are often better ones than either (Izmailov et al. 2018, "Averaging weights
/// leads to wider optima and better generalization"; Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BlendConfig {
    /// A bundle or a work folder, as `init` names one.
    pub init: PathBuf,
    /// Share of the weights that is its (0..=1).
    pub share: f32,
}

/// What the robust model starts from.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RobustStart {
    /// The trained clear model.
    #[default]
    Clear,
    /// What the clear model started from too: `init`, or the same random weights.
    Init,
    /// The robust network of the bundle or work folder that `robust-init` names, or else `init`.
    InitRobust,
}

impl Default for TrialConfig {
    fn default() -> Self {
        Self {
            name: "mien".into(),
            seed: 1,
            data: None,
            learn_from: UsageFilter::Training,
            test_on: vec![UsageFilter::PublicTest],
            drop_classes: Vec::new(),
            crop_faces: false,
            validation_share: 0.08,
            gate_of: None,
            unsure_below: 0.4,
            init: None,
            blend: None,
            weights: None,
            input: InputSpec { side: 48, normalisation: Normalisation::PerCrop { min_std: 8.0 } },
            network: NetworkConfig::default(),
            robust_network: None,
            votes: None,
            distil: None,
            clear: Recipe::default(),
            robust_start: RobustStart::default(),
            robust_init: None,
            robust_distil: None,
            robust: Recipe {
                epochs: 8,
                small_epochs: 0,
                learning_rate: 0.03,
                warm_up_steps: 100,
                augment: AugmentConfig { blur_probability: 0.7, ..AugmentConfig::default() },
                ..Recipe::default()
            },
        }
    }
}

impl TrialConfig {
    /// Reads and checks a trial file; without one, the recipe of the default bundle.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown key (with its line), a value out of range.
    pub fn read(path: Option<&Path>) -> anyhow::Result<Self> {
        file::read(path, ("trials/default.toml", SHIPPED), Self::check)
    }

    /// The network of the model for `role`.
    pub fn network_of(&self, role: ModelChoice) -> &NetworkConfig {
        let of_robust = self.robust_network.as_ref().filter(|_| role == ModelChoice::Robust);
        of_robust.unwrap_or(&self.network)
    }

    /// How the model for `role` is trained.
    pub fn recipe_of(&self, role: ModelChoice) -> &Recipe {
        match role {
            ModelChoice::Clear => &self.clear,
            ModelChoice::Robust => &self.robust,
        }
    }

    /// What the model for `role` is, for people.
    pub fn model_name(&self, role: ModelChoice) -> String {
        let mirrored = if self.recipe_of(role).mirrored { ", face and mirror image" } else { "" };
        self.network_of(role).name() + mirrored
    }

    /// What the model for `role` starts from: its `init`, or the one of each branch of the network; nothing where it starts
    /// with random weights.
    pub fn starts(&self, role: ModelChoice) -> Vec<&Path> {
        match (self.init_of(role), self.network_of(role)) {
            (Some(init), _) => vec![init],
            (None, NetworkConfig::Branches { branches, .. }) => {
                branches.iter().filter_map(|branch| branch.init.as_deref()).collect()
            }
            (None, _) => Vec::new(),
        }
    }

    /// What the whole network of the model for `role` starts from, where it is one bundle, work folder or file.
    pub fn init_of(&self, role: ModelChoice) -> Option<&Path> {
        let of_robust = self.robust_init.as_deref().filter(|_| role == ModelChoice::Robust);
        of_robust.or(self.init.as_deref())
    }

    /// What decides the outcome of a stage (0 clear, 1 robust): the trial without what only comes after it, so that the clear
    /// model is not trained again for another robust recipe, and without what does not go into it.
    pub fn up_to(&self, stage: u64) -> Self {
        let mut decisive = self.clone();
        decisive.name = String::new();
        decisive.unsure_below = 0.0;
        // What is in the data is compared by its hash, and the weights are `init` by now.
        decisive.data = None;
        decisive.weights = None;
        decisive.test_on = Vec::new();
        decisive.gate_of = None;
        for recipe in [&mut decisive.clear, &mut decisive.robust] {
            recipe.logit_adjustment = 0.0;
            recipe.mirrored = false;
        }
        if stage == 0 {
            decisive.robust_start = RobustStart::default();
            decisive.robust_init = None;
            decisive.robust_network = None;
            decisive.robust_distil = None;
            decisive.robust = Recipe::default();
        } else if self.robust_start != RobustStart::Clear && self.robust_distil.is_none() {
            // Nothing of the clear model goes into the robust one: both can be trained at once, in two work folders.
            decisive.clear = Recipe::default();
        }
        decisive
    }

    /// The trial cut down until it proves in about a minute that its way can be gone: one epoch
    /// on small batches of small faces. What comes out is worth nothing.
    pub fn quick(mut self) -> Self {
        self.name = format!("{}-quick", self.name);
        self.input.side = self.input.side.min(self.smallest_side());
        for recipe in [&mut self.clear, &mut self.robust] {
            recipe.epochs = recipe.epochs.min(1);
            recipe.batch = recipe.batch.min(8);
            recipe.small_epochs = 0;
        }
        self
    }

    /// Side in px of the smallest face that both networks can be given.
    fn smallest_side(&self) -> usize {
        ModelChoice::ALL.map(|role| self.network_of(role).smallest_side()).into_iter().max().unwrap_or(0)
    }

    /// Checks every range that the types leave open.
    fn check(&self) -> anyhow::Result<()> {
        if self.name.is_empty() || !self.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
            return Err(bad_input(format!("name = {:?}: use letters, digits, '-', '_' and '.'", self.name)));
        }
        if self.test_on.is_empty() {
            return Err(bad_input("test-on is empty; name at least one part of the data"));
        }
        if let Some(name) = &self.weights
            && (name.is_empty() || name.contains(['/', '\\']))
        {
            return Err(bad_input(format!(
                "weights = {name:?}: give the name of a file, and its folder with --weights"
            )));
        }
        within("validation-share", self.validation_share.into(), 0.01, 0.5)?;
        within("unsure-below", self.unsure_below.into(), 0.0, 1.0)?;
        let smallest = self.smallest_side() as f64;
        within("input.side", self.input.side as f64, smallest, 256.0)?;
        if let Normalisation::Clahe { tiles, clip_limit, min_std } = self.input.normalisation {
            within("input.normalisation.tiles", tiles as f64, 1.0, 16.0)?;
            within("input.normalisation.clip-limit", clip_limit.into(), 1.0, 256.0)?;
            within("input.normalisation.min-std", min_std.into(), 0.001, 255.0)?;
        }
        self.network.check()?;
        if let Some(network) = &self.robust_network {
            network.check()?;
            if self.robust_start != RobustStart::InitRobust {
                return Err(bad_input(
                    "robust-network: the robust model cannot start as the clear one\n  set robust-start = \"init-robust\"",
                ));
            }
        }
        if let Some(votes) = &self.votes {
            votes.check()?;
        }
        if let Some(distil) = &self.distil {
            distil.check()?;
        }
        if let Some(distil) = &self.robust_distil {
            distil.check()?;
        }
        for (stage, recipe) in [("clear", &self.clear), ("robust", &self.robust)] {
            recipe.check(stage)?;
            if recipe.small_epochs > 0 {
                within(&format!("{stage}.small-side"), recipe.small_side as f64, smallest, 256.0)?;
            }
        }
        if self.robust_init.is_some() && self.robust_start != RobustStart::InitRobust {
            return Err(bad_input(
                "robust-init: the robust model does not start from it\n  set robust-start = \"init-robust\"",
            ));
        }
        if let Some(blend) = &self.blend {
            within("blend.share", blend.share.into(), 0.0, 1.0)?;
            if self.clear.epochs + self.robust.epochs > 0 {
                return Err(bad_input(
                    "blend: what was averaged does not learn on\n  set epochs = 0 in [clear] and [robust]",
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::is_bad_input;

    /// Every trial file below a folder, but for those of detectors, which are of another kind; a study's published figures and
    /// the answers of teachers lie beside them.
    fn trials(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let others = || crate::detector::TRIALS.iter().chain([&crate::study::PUBLISHED]);
        let is_trial = |path: &PathBuf| {
            path.extension().is_some_and(|kind| kind == "toml") && others().all(|name| !path.ends_with(name))
        };
        entries.flat_map(|path| if path.is_dir() { trials(&path) } else { vec![path] }).filter(is_trial).collect()
    }

    #[test]
    fn every_shipped_trial_is_read_and_has_a_name_of_its_own() {
        let paths = trials(&Path::new(env!("CARGO_MANIFEST_DIR")).join("trials"));
        let mut names: Vec<String> =
            paths.iter().map(|path| TrialConfig::read(Some(path)).unwrap_or_else(|e| panic!("{e:#}")).name).collect();
        assert!(names.contains(&TrialConfig::read(None).unwrap().name), "{names:?}");
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "{names:?}");
    }

    #[test]
    fn a_trial_comes_back_from_its_toml() {
        let mut trial = TrialConfig::read(None).unwrap();
        trial.network = NetworkConfig::Vgg16(HeadConfig { hidden: vec![64, 32], ..HeadConfig::default() });
        trial.init = Some("vgg16.pth".into());
        trial.drop_classes = vec![Expression::Disgust];
        trial.clear.frozen = Frozen::LastLayers(6);
        trial.clear.schedule = Schedule::Step { every_epochs: 3, factor: 0.5 };
        let text = toml::to_string(&trial).unwrap();
        assert_eq!(file::parse(&text, "a.toml", TrialConfig::check).unwrap(), trial, "{text}");
    }

    #[test]
    fn a_stage_depends_on_the_other_only_where_it_learns_from_it() {
        let trial = |text: &str| file::parse(text, "a.toml", TrialConfig::check).unwrap();
        let apart = "init = \"a\"\nrobust-start = \"init-robust\"\n";
        let of_clear = apart.to_owned() + "[robust-distil]\n";
        for (text, depends) in [("", true), (of_clear.as_str(), true), (apart, false)] {
            let [short, long] = [3, 4].map(|epochs| trial(&format!("{text}[clear]\nepochs = {epochs}\n")));
            assert_ne!(short.up_to(0), long.up_to(0));
            assert_eq!(short.up_to(1) != long.up_to(1), depends, "{text}");
            let other = trial(&format!("{text}[clear]\nepochs = 3\n[robust]\nepochs = 9\n"));
            assert_eq!(short.up_to(0), other.up_to(0));
            assert_ne!(short.up_to(1), other.up_to(1));
        }
    }

    #[test]
    fn the_robust_model_may_start_from_another_bundle_than_the_clear_one() {
        let trial = |text: &str| file::parse(text, "a.toml", TrialConfig::check).unwrap();
        let one = trial("init = \"a\"\nrobust-start = \"init-robust\"\n");
        let two = trial("init = \"a\"\nrobust-init = \"b\"\nrobust-start = \"init-robust\"\n");
        assert_eq!(ModelChoice::ALL.map(|role| one.starts(role)), [[Path::new("a")], [Path::new("a")]]);
        assert_eq!(ModelChoice::ALL.map(|role| two.starts(role)), [[Path::new("a")], [Path::new("b")]]);
        assert_eq!(one.up_to(0), two.up_to(0));
        assert_ne!(one.up_to(1), two.up_to(1));
        let three = "robust-start = \"init-robust\"\n[robust-network]\nkind = \"branches\"\ndropout = 0.0\nbranches = [
            { widths = [8], blocks = [1], init = \"c\" }, { widths = [8], blocks = [0], init = \"d\" },
        ]";
        let three = trial(three);
        assert!(three.starts(ModelChoice::Clear).is_empty());
        assert_eq!(three.starts(ModelChoice::Robust), [Path::new("c"), Path::new("d")]);
    }

    #[test]
    fn how_a_trained_model_answers_decides_nothing_of_its_training() {
        let trial = |text: &str| file::parse(text, "a.toml", TrialConfig::check).unwrap();
        let [plain, mirrored] = ["", "[clear]\nmirrored = true\n"].map(trial);
        assert_eq!(plain.up_to(1), mirrored.up_to(1));
        let names = ModelChoice::ALL.map(|role| mirrored.model_name(role));
        assert_eq!(names, [plain.network.name() + ", face and mirror image", plain.network.name()]);
    }

    #[test]
    fn levels_are_the_only_ones_where_every_face_is_blurred_to_one_of_them() {
        for (augment, only) in [
            ("blur-probability = 1.0\nblur-levels = [\"medium\"]", &[models::BlurLevel::Medium][..]),
            ("blur-probability = 0.9\nblur-levels = [\"medium\"]", &[]),
            ("blur-probability = 1.0", &[]),
        ] {
            let trial = file::parse(&format!("[robust.augment]\n{augment}"), "a.toml", TrialConfig::check).unwrap();
            assert_eq!(trial.robust.augment.only_levels(), only, "{augment}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        for (text, line, key) in [
            ("name = \"a\"\n\n[clear]\nepoch = 3\n", "line 4", "epoch"),
            ("[network]\nkind = \"vgg16\"\nhiden = [3]\n", "line 1", "hiden"),
            ("[network]\nkind = \"mini-xception\"\ndropout = 0.5\n", "line 1", "dropout"),
        ] {
            let error = file::parse(text, "a.toml", TrialConfig::check).unwrap_err();
            assert!(is_bad_input(&error));
            let told = format!("{error:#}");
            assert!(told.contains("a.toml") && told.contains(line) && told.contains(key), "{told}");
        }
    }

    #[test]
    fn a_value_out_of_range_is_refused_with_its_key() {
        let branches = |list: &str| format!("[network]\nkind = \"branches\"\ndropout = 0.0\nbranches = [{list}]");
        for (text, key) in [
            ("[clear]\nbatch = 0", "clear.batch"),
            ("[clear]\nsmall-side = 24\n[network]\nkind = \"vgg16\"", "clear.small-side"),
            ("[clear]\nschedule = { kind = \"step\", every-epochs = 0, factor = 0.5 }", "clear.schedule.every-epochs"),
            ("[clear]\nschedule = { kind = \"plateau\", patience = 3, factor = 2.0 }", "clear.schedule.factor"),
            ("[clear]\nfocal-gamma = -1.0", "clear.focal-gamma"),
            ("[clear]\nloss = \"mse\"\nfocal-gamma = 2.0", "focal-gamma"),
            ("[clear]\nfrozen = { last-layers = 0 }", "clear.frozen"),
            ("[robust.augment]\nscale = 2.0", "robust.augment.scale"),
            ("[network]\nkind = \"residual\"\nwidths = [8]\nblocks = []\ndropout = 0.0", "blocks"),
            ("[network]\nkind = \"plain-cnn\"\ndepth = 9", "network.depth"),
            (&branches("{ widths = [8], blocks = [1] }"), "network.branches"),
            (&branches("{ widths = [8], blocks = [] }, { widths = [8], blocks = [1] }"), "blocks"),
            (&branches("{ widths = [8], blocks = [1], init = \"a\" }, { widths = [8], blocks = [1] }"), "init"),
            (
                &branches(
                    "{ widths = [8], blocks = [1], init = \"a\", share = 0.7 }, { widths = [8], blocks = [1], init = \"b\", \
                     share = 0.7 }",
                ),
                "share",
            ),
            ("[network]\nkind = \"resnet50\"\nhidden = [0]", "network.hidden"),
            (
                "[input]\nside = 24\nnormalisation = { kind = \"fixed\", mean = 0, std = 1 }\n[network]\nkind = \"vgg16\"",
                "input.side",
            ),
            (
                "[input]\nside = 48\nnormalisation = { kind = \"clahe\", tiles = 0, clip-limit = 2, min-std = 8 }",
                "input.normalisation.tiles",
            ),
            ("[distil]\nteachers = []", "distil.teachers"),
            ("[distil]\nanswers = [\"a.csv.gz\"]\nconsistent = true", "distil.answers"),
            ("[distil]\nteachers = [\"a\"]\nconsistent = true\nforget-labels = true", "distil.forget-labels"),
            ("[blend]\ninit = \"a\"\nshare = 0.5", "epochs = 0"),
            ("[blend]\ninit = \"a\"\nshare = 1.5", "blend.share"),
            ("robust-init = \"a\"", "robust-start"),
            ("[robust-network]\nkind = \"mini-xception\"", "robust-start"),
            ("robust-start = \"init-robust\"\n[robust-network]\nkind = \"plain-cnn\"\ndepth = 9", "network.depth"),
            ("[votes]\nweight = 2.0", "votes.weight"),
            ("[clear.augment]\nmixup = 0.7", "clear.augment.mixup"),
            ("[robust-distil]\nweight = 2.0", "robust-distil.weight"),
            ("name = \"a b\"", "name"),
            ("test-on = []", "test-on"),
            ("weights = \"a/b.safetensors\"", "weights"),
        ] {
            let error = file::parse(text, "a.toml", TrialConfig::check).unwrap_err();
            assert!(is_bad_input(&error) && format!("{error:#}").contains(key), "{error:#}");
        }
    }
}
