//! The report as one page that needs no other file.

use std::fmt::Write;

use super::settings::Origin;
use super::svg::{Plot, escape, page_style};
use super::{GateRow, LevelRow, Report, interval, percent};
use crate::evaluate::bootstrap::Interval;
use crate::evaluate::metrics::Metrics;
use crate::evaluate::pose::{Cut, Cuts};
use crate::evaluate::slices::{Slice, Slicing};

const STYLE: &str = "\
body{margin:0 auto;max-width:60rem;padding:1.5rem 1rem 4rem;background:var(--page);color:var(--ink);\
font:16px/1.5 system-ui,sans-serif}\
h1{font-size:1.6rem;margin:.5rem 0}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}p{margin:.4rem 0;color:var(--faint)}\
.tiles{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.2rem 0}\
.tile{background:var(--panel);border:1px solid var(--line);border-radius:.5rem;padding:.6rem 1rem;min-width:8rem}\
.tile b{display:block;font-size:1.5rem}.tile span{color:var(--faint);font-size:.85rem}\
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.92rem}\
th,td{padding:.3rem .8rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}\
th:first-child,td:first-child{text-align:left;padding-left:0}th{color:var(--faint);font-weight:600}\
td.wrap{white-space:normal;overflow-wrap:anywhere;text-align:left;font-family:ui-monospace,monospace;font-size:.82rem}\
svg{max-width:100%;height:auto}\
.loud{background:#b3261e;color:#fff;padding:.6rem 1rem;border-radius:.5rem;font-weight:600}small{color:var(--faint)}";

/// The whole page.
pub fn page(report: &Report, plots: &[Plot]) -> String {
    let name = escape(&report.settings.origin.bundle.name);
    let mut body = format!("<h1>How good is {name}?</h1>\n");
    let data = &report.settings.origin.data;
    let path = escape(&data.path.display().to_string());
    body += &format!(
        "<p>{} faces of {path} ({}), through the code that the device runs.</p>\n",
        report.samples,
        data.usage.name()
    );
    for (label, count) in &report.skipped {
        body += &format!("<p>Skipped: {count} faces of {}, which this bundle does not know.</p>\n", escape(label));
    }
    body += &tiles(&report.overall, report.samples);
    for plot in plots {
        body += &section(plot.title, &format!("<div class=\"scroll\">{}</div>", plot.inline()));
    }
    body += &section("Blur", &blur_table(&report.blur));
    if let Some(gate) = &report.gate {
        body += &section("Gate", &gate_table(gate));
    }
    body += &section("Labels, routed, without blur", &class_table(&report.overall));
    body += &section("Dark and bright, flat and hard faces, routed, without blur", &slice_tables(&report.slices));
    if let Some(cuts) = &report.cuts {
        body += &section("Faces cut out by a detector, routed, without blur", &cut_table(cuts));
    }
    let settings = &report.settings;
    let blur = [("blur", settings.degradation.to_owned())];
    body += &section("Settings", &settings_table(&settings.origin, &blur));
    document(&format!("Evaluation of {name}"), &body)
}

/// A page of its own; title and body must be escaped.
pub fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>{}{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        page_style()
    )
}

/// A heading, which is escaped here, and what comes under it.
pub fn section(title: &str, content: &str) -> String {
    format!("<h2>{}</h2>\n{content}\n", escape(title))
}

fn tiles(metrics: &Metrics, samples: usize) -> String {
    let (figures, intervals) = (&metrics.figures, &metrics.intervals);
    let tile = |value: &str, what: &str| format!("<div class=\"tile\"><b>{value}</b><span>{what}</span></div>");
    let share = |name: &str, value: f64, interval: Interval| {
        tile(&percent(value), &format!("{name}, {} to {}", percent(interval.low), percent(interval.high)))
    };
    let number = |name: &str, value: f64, interval: Interval| {
        tile(&format!("{value:.3}"), &format!("{name}, {:.3} to {:.3}", interval.low, interval.high))
    };
    let area = figures.roc_auc.zip(intervals.roc_auc);
    [
        "<div class=\"tiles\">".to_owned(),
        share("accuracy", figures.accuracy, intervals.accuracy),
        number("macro F1", figures.macro_f1, intervals.macro_f1),
        number("weighted F1", figures.weighted_f1, intervals.weighted_f1),
        number("weighted precision", figures.weighted_precision, intervals.weighted_precision),
        area.map_or_else(String::new, |(value, interval)| number("ROC AUC", value, interval)),
        share("true positives", figures.true_positive_rate, intervals.true_positive_rate),
        share("false positives", figures.false_positive_rate, intervals.false_positive_rate),
        number("calibration error", figures.expected_calibration_error, intervals.expected_calibration_error),
        tile(&samples.to_string(), "faces"),
        "</div>\n<p>Routed, without blur; 95 % bootstrap intervals. ROC AUC (each label against the rest) and the rates \
         of true and false positives are means over the labels.</p>\n"
            .to_owned(),
    ]
    .concat()
}

/// A table; the texts must be escaped.
pub fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut html = String::from("<div class=\"scroll\"><table>\n<tr>");
    for cell in header {
        html += &format!("<th>{cell}</th>");
    }
    html += "</tr>\n";
    for row in rows {
        let cells: String = row.iter().map(|cell| format!("<td>{cell}</td>")).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(html, "<tr>{cells}</tr>");
    }
    html + "</table></div>"
}

fn blur_table(rows: &[LevelRow]) -> String {
    let figures = |metrics: &Metrics| [percent(metrics.figures.accuracy), format!("{:.3}", metrics.figures.macro_f1)];
    let calibration = |metrics: &Metrics| format!("{:.3}", metrics.figures.expected_calibration_error);
    let cells = rows.iter().map(|row| {
        let mut cells = vec![row.level.name().to_owned(), format!("{}", row.radius_px)];
        cells.extend([&row.clear, &row.robust, &row.routed].into_iter().flat_map(figures));
        cells.extend([calibration(&row.routed), percent(row.routed_share)]);
        cells
    });
    let header =
        ["level", "radius px", "clear", "F1", "robust", "F1", "routed", "F1", "calibration error", "to robust"];
    table(&header, cells)
}

fn gate_table(gate: &GateRow) -> String {
    let area = |auc: Option<f64>| auc.map_or_else(|| "-".to_owned(), |auc| format!("{auc:.4}"));
    let routed = vec!["routed".to_owned(), percent(gate.shipped.routed_accuracy)];
    let alone = [
        ("always clear", gate.alone.always_clear),
        ("always robust", gate.alone.always_robust),
        ("oracle", gate.alone.oracle),
    ];
    let alone = alone.map(|(name, accuracy)| vec![name.to_owned(), percent(accuracy)]);
    let measures = gate.auc.iter().map(|(name, auc)| vec![(*name).to_owned(), area(auc.any), area(auc.medium)]);
    format!(
        "<p>Faces go to the robust model where the {} of the crop is below {}. All levels weigh equally; the oracle \
         knows which model is right.</p>\n{}\n<p>How well a measure tells blurred faces from others: area under the ROC \
         curve.</p>\n{}",
        gate.gate.measure.name(),
        gate.gate.threshold,
        table(&["gate", "accuracy"], std::iter::once(routed).chain(alone)),
        table(&["measure", "blurred at all", "medium or more"], measures)
    )
}

/// From and to, as finely as the property is told.
fn range(group: &Slice) -> String {
    let digits = if group.to < 10.0 { 2 } else { 0 };
    format!("{:.digits$} to {:.digits$}", group.from, group.to)
}

/// The cells of each group: its range, accuracy, interval, F1 and faces.
pub fn slice_rows(slicing: &Slicing) -> Vec<Vec<String>> {
    let cells = |group: &Slice| {
        vec![
            range(group),
            percent(group.accuracy),
            interval(group.accuracy_interval),
            format!("{:.3}", group.macro_f1),
            group.faces.to_string(),
        ]
    };
    slicing.groups.iter().map(cells).collect()
}

/// A table for each way of grouping.
fn slice_tables(slicings: &[Slicing]) -> String {
    let of = |slicing: &Slicing| {
        let by = format!("{}, {}", slicing.by, slicing.unit);
        table(&[&by, "accuracy", "95 % interval", "F1", "faces"], slice_rows(slicing))
    };
    slicings.iter().map(of).collect()
}

/// The cells of each way of cutting faces out: its name, accuracy, interval and F1.
pub fn cut_rows(cuts: &Cuts) -> Vec<Vec<String>> {
    let cells = |cut: &Cut| {
        let (figures, intervals) = (&cut.metrics.figures, &cut.metrics.intervals);
        vec![
            cut.by.to_owned(),
            percent(figures.accuracy),
            interval(intervals.accuracy),
            format!("{:.3}", figures.macro_f1),
        ]
    };
    cuts.rows.iter().map(cells).collect()
}

/// Whether it helps to cut faces out by their eyes.
fn cut_table(cuts: &Cuts) -> String {
    format!(
        "<p>{} found {} of the {} faces, to which the figures belong.</p>\n{}",
        escape(&cuts.detector),
        cuts.found,
        cuts.faces,
        table(&["faces", "accuracy", "95 % interval", "F1"], cut_rows(cuts))
    )
}

/// The figures of each label.
pub fn class_table(metrics: &Metrics) -> String {
    let rows = metrics.per_class.iter().map(|class| {
        let [precision, recall, false_positives] =
            [class.precision, class.recall, class.false_positive_rate].map(percent);
        let area = class.roc_auc.map_or_else(|| "-".to_owned(), |area| format!("{area:.3}"));
        let (name, f1) = (class.label.name().to_owned(), format!("{:.3}", class.f1));
        vec![name, precision, recall, false_positives, f1, area, class.support.to_string()]
    });
    table(&["label", "precision", "recall (true positives)", "false positives", "F1", "ROC AUC", "faces"], rows)
}

/// What was measured on what, and `more` settings; escaped here.
pub fn settings_table(origin: &Origin, more: &[(&str, String)]) -> String {
    let mut rows = vec![
        ("command", origin.command.clone()),
        ("trainer", format!("{} ({})", origin.version, origin.commit)),
        ("bundle", origin.bundle.path.display().to_string()),
    ];
    rows.extend(origin.bundle.sha256.iter().map(|(file, sha256)| (file.as_str(), sha256.clone())));
    rows.push(("data", origin.data.path.display().to_string()));
    rows.push(("sha-256 of the data", origin.data.sha256.clone()));
    rows.extend_from_slice(more);
    let rows: String = rows
        .iter()
        .map(|(name, value)| format!("<tr><td>{}</td><td class=\"wrap\">{}</td></tr>\n", escape(name), escape(value)))
        .collect();
    format!("<div class=\"scroll\"><table>\n{rows}</table></div>")
}
