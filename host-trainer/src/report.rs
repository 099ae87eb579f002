//! The report of an evaluation: report.json for programs, report.html and plots for people.

pub mod axes;
pub mod bars;
pub mod card;
pub mod curves;
pub mod folder;
pub mod heat_map;
pub mod histogram;
pub mod html;
pub mod settings;
pub mod sheet;
pub mod svg;
pub mod training;

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Context;
use models::{BlurLevel, GateConfig, LabelSet};
use serde::{Deserialize, Serialize};

use self::folder::OutputFolder;
use self::settings::Settings;
use self::svg::Plot;
use crate::evaluate::bootstrap::Interval;
use crate::evaluate::gate::{Alone, GateFit, Separation};
use crate::evaluate::metrics::Metrics;
use crate::evaluate::pose::Cuts;
use crate::evaluate::slices::Slicing;

/// Everything that was measured. Equal commands on equal files give equal reports but for [`Report::timing`].
#[derive(Serialize)]
pub struct Report {
    /// Faces measured.
    pub samples: usize,
    /// Faces passed over because the bundle does not know their label, by label.
    pub skipped: BTreeMap<String, usize>,
    /// The bundle's labels, in the order of `per_class` and `confusion`.
    pub labels: LabelSet,
    /// What a device with this bundle achieves on the faces as they are: routed, without blur.
    #[serde(flatten)]
    pub overall: Metrics,
    /// One row for each level of blur; without a sweep only the level `none`.
    pub blur: Vec<LevelRow>,
    /// What a device achieves on the faces as they are, in groups by how bright and how hard they are, and how turned.
    pub slices: Vec<Slicing>,
    /// The same of faces that are cut out by what a detector finds; only with one.
    pub cuts: Option<Cuts>,
    /// How the bundle's gate does over all levels; only with a sweep.
    pub gate: Option<GateRow>,
    /// What was measured how.
    pub settings: Settings,
    /// The only part that differs from run to run.
    pub timing: Timing,
}

/// The figures at one level of blur.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelRow {
    /// How much the faces were blurred.
    pub level: BlurLevel,
    /// Radius of the box blur, px of the data set's pictures.
    pub radius_px: f32,
    /// Every face by the clear model.
    pub clear: Metrics,
    /// Every face by the robust model.
    pub robust: Metrics,
    /// Every face by the model that the gate chose.
    pub routed: Metrics,
    /// Share of the faces that the gate gave to the robust model.
    pub routed_share: f64,
}

/// The bundle's gate over all levels, which weigh equally.
#[derive(Serialize)]
pub struct GateRow {
    /// The gate as the manifest has it.
    #[serde(flatten)]
    pub gate: GateConfig,
    /// What it achieves.
    pub shipped: GateFit,
    /// What it is measured against.
    #[serde(flatten)]
    pub alone: Alone,
    /// How well each measure, by name, tells blurred from sharp.
    pub auc: BTreeMap<&'static str, Separation>,
}

/// How long it took.
#[derive(Serialize)]
pub struct Timing {
    /// Both models on every face at every level, s.
    pub duration_secs: f64,
    /// Faces times levels, a second.
    pub faces_per_sec: f64,
    /// Threads that worked.
    pub threads: usize,
}

impl fmt::Display for Report {
    /// The table for the terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<10} {:>9} {:>16} {:>16} {:>16} {:>10}",
            "blur", "radius px", "clear", "robust", "routed", "to robust"
        )?;
        for row in &self.blur {
            let figures =
                |metrics: &Metrics| format!("{} / {:.3}", percent(metrics.figures.accuracy), metrics.figures.macro_f1);
            writeln!(
                f,
                "{:<10} {:>9.2} {:>16} {:>16} {:>16} {:>10}",
                row.level.name(),
                row.radius_px,
                figures(&row.clear),
                figures(&row.robust),
                figures(&row.routed),
                percent(row.routed_share)
            )?;
        }
        write!(f, "(accuracy / macro F1 of {} faces)", self.samples)
    }
}

/// A share as a percentage with one decimal.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// An interval of shares, in percent with one decimal.
pub fn interval(interval: Interval) -> String {
    format!("{:.1} to {}", interval.low * 100.0, percent(interval.high))
}

/// Writes the report into a folder that was prepared for it.
///
/// # Errors
/// The disk refuses; nothing is left behind then.
pub fn write(mut folder: OutputFolder, report: &Report) -> anyhow::Result<()> {
    let mut json = serde_json::to_vec_pretty(report).context("cannot put the report into JSON")?;
    json.push(b'\n');
    folder.write("report.json", &json)?;
    let plots = plots(report);
    for plot in &plots {
        folder.write(&format!("{}.svg", plot.name), plot.file().as_bytes())?;
    }
    folder.write("report.html", html::page(report, &plots).as_bytes())?;
    folder.put()
}

fn plots(report: &Report) -> Vec<Plot> {
    let mut plots = Vec::new();
    if report.blur.len() > 1 {
        plots.push(curves::accuracy_against_blur(&report.blur, report.labels.len()));
    }
    plots.push(heat_map::confusion(
        &report.labels,
        &report.overall.confusion,
        "Confusion matrix, routed, without blur",
    ));
    plots.push(bars::per_class(&report.overall.per_class));
    plots
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use models::BlurMeasure;
    use serde_json::Value;

    use super::settings::{BundleSettings, DataSettings, Origin};
    use super::*;
    use crate::evaluate::answer::Answer;
    use crate::sample::UsageFilter;

    /// A report of five faces at every level.
    fn report() -> Report {
        let labels = LabelSet::basic6();
        let answer = |truth: usize, predicted: usize| {
            let mut scores = [0.05; 6];
            scores[predicted] = 0.75;
            Answer::new(truth, &scores)
        };
        let answers = [answer(0, 0), answer(1, 1), answer(2, 0), answer(3, 3), answer(3, 3)];
        let metrics = Metrics::of(&labels, &answers, 1);
        let row = |level: BlurLevel| LevelRow {
            level,
            radius_px: level.radius_px(48),
            clear: metrics.clone(),
            robust: metrics.clone(),
            routed: metrics.clone(),
            routed_share: 0.2,
        };
        let measure = BlurMeasure::LaplacianVariance;
        let auc = Separation { any: Some(0.9), medium: None };
        Report {
            samples: answers.len(),
            skipped: [("neutral".to_owned(), 3)].into(),
            labels,
            overall: metrics.clone(),
            blur: BlurLevel::ALL.map(row).into(),
            slices: Vec::new(),
            cuts: None,
            gate: Some(GateRow {
                gate: GateConfig { measure, threshold: 4.0, hysteresis: 0.1 },
                shipped: GateFit {
                    measure,
                    threshold: 4.0,
                    routed_accuracy: 0.8,
                    routed_log_likelihood: -0.5,
                    robust_share: 0.2,
                    auc,
                },
                alone: Alone { always_clear: 0.7, always_robust: 0.6, oracle: 0.9 },
                auc: [("laplacian-variance", auc)].into(),
            }),
            settings: Settings {
                origin: Origin {
                    command: "mien-trainer evaluate --out 'a <b>'".to_owned(),
                    version: "0".to_owned(),
                    commit: "0".to_owned(),
                    bundle: BundleSettings { path: "bundle".into(), name: "a <b>".to_owned(), sha256: BTreeMap::new() },
                    data: DataSettings {
                        path: "faces.csv".into(),
                        sha256: "0".to_owned(),
                        side_px: 48,
                        usage: UsageFilter::All,
                    },
                },
                degradation: "box-blur",
                levels: BlurLevel::ALL.into(),
                bootstrap_resamples: 1000,
                bootstrap_seed: 1,
                calibration_bins: 15,
            },
            timing: Timing { duration_secs: 1.0, faces_per_sec: 25.0, threads: 1 },
        }
    }

    #[test]
    fn the_folder_holds_json_page_and_plots() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("report");
        let folder = OutputFolder::prepare(&target, "report.json", &["json", "html", "svg"]).unwrap();
        write(folder, &report()).unwrap();

        let json: Value = serde_json::from_slice(&fs::read(target.join("report.json")).unwrap()).unwrap();
        assert_eq!((&json["samples"], &json["accuracy"]), (&Value::from(5), &Value::from(0.8)));
        let figures =
            ["macro_f1", "weighted_f1", "weighted_precision", "true_positive_rate", "false_positive_rate", "roc_auc"];
        for key in figures {
            assert!(json[key].is_f64() && json["intervals"][key]["low"].is_f64(), "no {key}");
        }
        for key in ["per_class", "confusion", "settings", "timing", "gate"] {
            assert!(!json[key].is_null(), "no {key}");
        }
        for key in ["level", "radius_px", "clear", "robust", "routed", "routed_share"] {
            assert!(!json["blur"][4][key].is_null(), "no {key} in blur");
        }
        assert_eq!(json["blur"][4]["level"], "very-high");

        let page = fs::read_to_string(target.join("report.html")).unwrap();
        assert!(page.contains("a &lt;b&gt;") && !page.contains("<b>a <b>"));
        assert_eq!(page.matches("<svg ").count(), 3);
        // Nothing is loaded from elsewhere; the one address is the name of the SVG format.
        assert!(!page.replace("http://www.w3.org/2000/svg", "").contains("http"));
        for name in ["accuracy-against-blur.svg", "confusion.svg", "per-class.svg"] {
            assert!(fs::read_to_string(target.join(name)).unwrap().ends_with("</svg>\n"), "{name}");
        }
    }

    #[test]
    fn the_page_does_not_tell_the_time() {
        let (first, mut second) = (report(), report());
        second.timing = Timing { duration_secs: 9.0, faces_per_sec: 3.0, threads: 7 };
        assert_eq!(html::page(&first, &plots(&first)), html::page(&second, &plots(&second)));
    }

    #[test]
    fn without_a_sweep_there_is_no_curve() {
        let mut report = report();
        report.blur.truncate(1);
        assert_eq!(plots(&report).iter().map(|plot| plot.name).collect::<Vec<_>>(), ["confusion", "per-class"]);
    }
}
