//! The model card of a bundle (Mitchell et al. 2019, "Model cards for model reporting"), to be kept beside it: what it is
//! for, what it must not be used for, what it was made of, and how good it is for whom.

use std::fmt::Write;

use models::{Bundle, DetectorEntry, Manifest, ModelChoice, ModelEntry};

use super::html::{cut_rows, slice_rows};
use super::{LevelRow, Report, interval, percent};
use crate::evaluate::calibration::BINS;
use crate::evaluate::metrics::Metrics;
use crate::evaluate::pose::Cuts;
use crate::evaluate::slices::Slicing;

/// What does not depend on the bundle.
const USES: &str = include_str!("card/uses.md");

/// The card in Markdown. `notes` says what the data is and how the networks learned, in sections of its own.
pub fn card(bundle: &Bundle, report: &Report, notes: &str) -> String {
    let manifest = &bundle.manifest;
    let wrong = (1.0 - report.overall.figures.accuracy) * 100.0;
    let mut card = format!(
        "# Model card: {}\n\nTwo small networks that name the expression that people would see in a picture of a face, one for \
         sharp faces and one for blurred ones, with the rule that chooses between them: {}. In the figures below they are \
         wrong about {wrong:.0} of 100 faces.\n\n{USES}\n",
        manifest.name,
        manifest.labels.iter().map(|label| label.name()).collect::<Vec<_>>().join(", "),
    );
    card += &networks(manifest);
    if !notes.is_empty() {
        card += &format!("{}\n\n", notes.trim());
    }
    card += &figures(report);
    card += &report.slices.iter().map(slicing).collect::<String>();
    if let Some(cuts) = &report.cuts {
        card += &cut_table(cuts);
    }
    let (origin, provenance) = (&report.settings.origin, &manifest.provenance);
    let _ = write!(
        card,
        "## How to repeat it\n```sh\n{}\n{}\n```\n\nLearned from data with the SHA-256 `{}`, seed {}, at commit {} on {}; measured on data \
         with the SHA-256 `{}` at commit {}.\n",
        provenance.command,
        origin.command,
        provenance.data_sha256,
        provenance.seed,
        provenance.commit,
        provenance.date,
        origin.data.sha256,
        origin.commit
    );
    card
}

/// A table in Markdown.
fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let header: Vec<String> = header.iter().map(|&cell| cell.to_owned()).collect();
    let rule = format!("|{}\n", "---|".repeat(header.len()));
    let rows: String = rows.into_iter().map(|row| line(&row)).collect();
    format!("{}{rule}{rows}\n", line(&header))
}

fn networks(manifest: &Manifest) -> String {
    let row = |name: &str, of: fn(&ModelEntry) -> String| {
        let cell = |role| manifest.model(role).map_or_else(|| "-".to_owned(), of);
        let [clear, robust] = ModelChoice::ALL.map(cell);
        vec![name.to_owned(), clear, robust]
    };
    let rows = [
        row("network", |model| model.network.clone()),
        row("weights", |model| model.parameters.to_string()),
        row("learned from", |model| model.trained_on.clone()),
        row("temperature", |model| format!("{:.3}", model.temperature)),
    ];
    let gate = &manifest.gate;
    let detector = match &manifest.detector {
        DetectorEntry::Rustface {} => "the program's own, rustface",
        DetectorEntry::Yunet { file, .. } => file,
    };
    format!(
        "## The networks\n{}Faces whose sharpness ({}) is below {:.3} go to the robust one. Input: {} x {} px, gray. Faces are found by \
         {detector}.\n\n",
        table(&["", "clear", "robust"], rows),
        gate.measure.name(),
        gate.threshold,
        manifest.input.side,
        manifest.input.side
    )
}

fn figures(report: &Report) -> String {
    let both = |metrics: &Metrics| format!("{} / {:.3}", percent(metrics.figures.accuracy), metrics.figures.macro_f1);
    let level = |row: &LevelRow| {
        vec![
            format!("{} ({} px)", row.level.name(), row.radius_px),
            both(&row.clear),
            both(&row.robust),
            both(&row.routed),
            interval(row.routed.intervals.accuracy),
            format!("{:.3}", row.routed.figures.expected_calibration_error),
            percent(row.routed_share),
        ]
    };
    let labels = report.overall.per_class.iter().map(|class| {
        vec![
            class.label.name().to_owned(),
            percent(class.precision),
            percent(class.recall),
            format!("{:.3}", class.f1),
            class.support.to_string(),
        ]
    });
    let data = &report.settings.origin.data;
    format!(
        "## Figures\n{} faces ({}) of {} px, through the code that the device runs; accuracy / macro F1, the 95 % bootstrap interval \
         of the routed accuracy, and the calibration error (ECE, {BINS} bins) of the routed answers.\n\n{}{}",
        report.samples,
        data.usage.name(),
        data.side_px,
        table(
            &["blur, radius", "clear", "robust", "routed", "interval", "calibration error", "to robust"],
            report.blur.iter().map(level)
        ),
        table(&["expression", "precision", "recall", "F1", "faces"], labels)
    )
}

fn slicing(slicing: &Slicing) -> String {
    format!(
        "### By {}\nRouted, without blur. Differences within the intervals mean nothing.\n\n{}",
        slicing.by,
        table(&[slicing.unit, "accuracy", "95 % interval", "F1", "faces"], slice_rows(slicing))
    )
}

fn cut_table(cuts: &Cuts) -> String {
    format!(
        "### Cut out by a detector\n{} found {} of {} faces; routed, without blur, on those.\n\n{}",
        cuts.detector,
        cuts.found,
        cuts.faces,
        table(&["faces", "accuracy", "95 % interval", "F1"], cut_rows(cuts))
    )
}
