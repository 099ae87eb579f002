//! `published.toml`: what others reached, for the report to put beside ours.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use models::BlurLevel;
use serde::{Deserialize, Serialize};

use super::trial::Trial;
use crate::evaluate::figures::Figures;
use crate::failure::bad_input;

/// What [`Row::test`] calls the faces that decided when to stop.
pub const VALIDATION: &str = "validation";

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Published {
    /// What the study is called in reports.
    pub title: String,
    /// Where the figures are from, so that others can find it.
    pub source: String,
    /// What has to be known to compare them.
    #[serde(default)]
    pub note: Option<String>,
    /// `[[row]]`: one for each set of figures, in the order of the report.
    #[serde(default, rename = "row")]
    pub rows: Vec<Row>,
}

/// Figures of one model on one set of faces.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Row {
    /// What the study calls it.
    pub name: String,
    /// The trial of ours that it belongs to: the name of its file without `.toml`.
    #[serde(default)]
    pub trial: Option<String>,
    /// The faces: a part of the data (`training`, `public-test`, `private-test`, `all`), `validation`, or a name that
    /// `--also` gives another data set.
    #[serde(default = "public_test")]
    pub test: String,
    /// The model of ours that it belongs to.
    #[serde(default)]
    pub model: Model,
    /// How much the faces were blurred.
    #[serde(default = "no_blur")]
    pub blur: BlurLevel,
    /// The figures by their names in the JSON of `evaluate`; shares are 0..=1.
    pub figures: BTreeMap<Figure, f64>,
    /// Why nothing of ours can stand beside it; only where that is so.
    #[serde(default)]
    pub without_ours: Option<String>,
    /// What has to be known about this row.
    #[serde(default)]
    pub note: Option<String>,
}

/// A model of a bundle, or both behind its gate.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// The one that learned from sharp faces.
    #[default]
    Clear,
    /// The one that learned from blurred faces as well.
    Robust,
    /// The one that the gate chooses.
    Routed,
}

/// One of [`Figures`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    Accuracy,
    RocAuc,
    TruePositiveRate,
    FalsePositiveRate,
    MacroF1,
    WeightedF1,
    WeightedPrecision,
    ExpectedCalibrationError,
}

impl Model {
    /// The name in files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Model::Clear => "clear",
            Model::Robust => "robust",
            Model::Routed => "routed",
        }
    }
}

impl Figure {
    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            Figure::Accuracy => "accuracy",
            Figure::RocAuc => "ROC AUC",
            Figure::TruePositiveRate => "true positives",
            Figure::FalsePositiveRate => "false positives",
            Figure::MacroF1 => "macro F1",
            Figure::WeightedF1 => "weighted F1",
            Figure::WeightedPrecision => "weighted precision",
            Figure::ExpectedCalibrationError => "calibration error",
        }
    }

    /// Picks it out; none where it could not be measured.
    pub fn of<T: Copy>(self, figures: &Figures<T>) -> Option<T> {
        match self {
            Figure::Accuracy => Some(figures.accuracy),
            Figure::RocAuc => figures.roc_auc,
            Figure::TruePositiveRate => Some(figures.true_positive_rate),
            Figure::FalsePositiveRate => Some(figures.false_positive_rate),
            Figure::MacroF1 => Some(figures.macro_f1),
            Figure::WeightedF1 => Some(figures.weighted_f1),
            Figure::WeightedPrecision => Some(figures.weighted_precision),
            Figure::ExpectedCalibrationError => Some(figures.expected_calibration_error),
        }
    }
}

fn public_test() -> String {
    "public-test".into()
}

fn no_blur() -> BlurLevel {
    BlurLevel::None
}

impl Published {
    /// Reads and checks the file of a study with these trials.
    ///
    /// # Errors
    /// Bad input: an unknown key (with its line), a figure that is no share, a trial that the study does not have.
    pub fn read(path: &Path, trials: &[Trial]) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| bad_input(format!("cannot read {name}: {error}")))?;
        let published: Self = toml::from_str(&text).map_err(|error| bad_input(format!("{name}: {error}")))?;
        for row in &published.rows {
            row.check(trials).with_context(|| name.clone())?;
        }
        Ok(published)
    }
}

impl Row {
    fn check(&self, trials: &[Trial]) -> anyhow::Result<()> {
        let wrong = |why: String| Err(bad_input(format!("row {:?}: {why}", self.name)));
        if self.figures.is_empty() {
            return wrong("figures is empty".into());
        }
        if let Some((figure, value)) = self.figures.iter().find(|(_, value)| !(0.0..=1.0).contains(*value)) {
            return wrong(format!("{} = {value} is outside 0..=1", figure.title()));
        }
        match (&self.trial, &self.without_ours) {
            (Some(_), Some(_)) => wrong("it has both `trial` and `without-ours`; one has to go".into()),
            (None, None) => wrong("name its `trial`, or say `without-ours` why there is none".into()),
            (Some(id), None) if trials.iter().all(|trial| trial.id != *id) => {
                wrong(format!("there is no trial file {id}.toml beside it"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::failure::is_bad_input;

    const HEAD: &str = "title = \"t\"\nsource = \"s\"\n";

    fn read(rows: &str) -> anyhow::Result<Published> {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("published.toml");
        std::fs::write(&path, format!("{HEAD}{rows}")).unwrap();
        let config = crate::config::TrialConfig::default();
        Published::read(&path, &[Trial { study: "s".into(), id: "a".into(), path: "a.toml".into(), config }])
    }

    #[test]
    fn a_row_has_the_names_of_evaluate() {
        let all = "{ accuracy = 0.1, macro_f1 = 0.2, weighted_f1 = 0.3, weighted_precision = 0.4, roc_auc = 0.5, \
                   true_positive_rate = 0.6, false_positive_rate = 0.7, expected_calibration_error = 0.8 }";
        let rows = read(&format!("[[row]]\nname = \"A\"\ntrial = \"a\"\nblur = \"very-high\"\nfigures = {all}\n"));
        let row = &rows.unwrap().rows[0];
        assert_eq!((row.test.as_str(), row.model, row.blur), ("public-test", Model::Clear, BlurLevel::VeryHigh));
        assert_eq!(row.figures.len(), 8);
    }

    #[test]
    fn what_does_not_hold_is_refused_with_its_place() {
        let row = "[[row]]\nname = \"A\"\n";
        for (text, part) in [
            (format!("{row}trial = \"a\"\nfigures = {{ f1 = 0.1 }}\n"), "f1"),
            (format!("{row}trial = \"a\"\nfigure = {{ accuracy = 0.1 }}\n"), "line 6"),
            (format!("{row}trial = \"a\"\nfigures = {{ accuracy = 65.0 }}\n"), "outside 0..=1"),
            (format!("{row}trial = \"a\"\nfigures = {{}}\n"), "empty"),
            (format!("{row}trial = \"b\"\nfigures = {{ accuracy = 0.1 }}\n"), "b.toml"),
            (format!("{row}figures = {{ accuracy = 0.1 }}\n"), "without-ours"),
        ] {
            let error = read(&text).unwrap_err();
            let told = format!("{error:#}");
            assert!(is_bad_input(&error) && told.contains(part) && told.contains("published.toml"), "{told}");
        }
    }

    #[test]
    fn what_comes_with_mien_holds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("trials");
        for study in ["r1", "r2", "r3", "r4"] {
            let study = crate::study::folder::Study::open(&folder.join(study)).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(study.published.is_some(), "{}", study.name);
        }
    }
}
