//! The page of a study's report.

use std::collections::{BTreeMap, BTreeSet};

use models::BlurLevel;

use super::compare::{Cell, Ours, Row};
use super::contents::{Report, TrialPart};
use super::published::Figure;
use super::record::{Record, TestRecord};
use crate::report::html::{class_table, document, section, table};
use crate::report::svg::{Plot, escape};
use crate::report::{curves, heat_map, percent, training};

/// What every figure of a quick run is marked with.
const QUICK: &str = "<span class=\"loud\">quick run</span> ";

/// The whole page.
pub fn page(report: &Report<'_>, columns: &BTreeSet<Figure>) -> String {
    let title = escape(report.title);
    let mut body = format!("<h1>{title}</h1>\n");
    if report.quick {
        body += "<p class=\"loud\">QUICK RUN: our figures only prove that the trials can be run. They were reached with a \
                 few faces in one epoch and say nothing about any network or study.</p>\n";
    }
    if let Some(source) = report.source {
        body += &format!("<p>Published figures: {}.</p>\n", escape(source));
    }
    body += &report.note.map_or_else(String::new, |note| format!("<p>{}</p>\n", escape(note)));
    body += &data_notes(report);
    body += &section("Ours beside the published figures", &comparison(&report.rows, columns));
    body += &section("Our trials", &overview(report));
    for part in &report.trials {
        body += &trial(part);
    }
    let settings = [("command", report.command.as_str()), ("commit", report.commit)];
    let settings = settings.map(|(name, value)| vec![name.to_owned(), escape(value)]);
    body += &section("Settings", &table(&["", ""], settings));
    document(&title, &body)
}

/// What was learned from; a warning where that differs between the trials.
fn data_notes(report: &Report<'_>) -> String {
    let records = report.trials.iter().filter_map(|part| part.record);
    let data: BTreeMap<&str, String> =
        records.map(|record| (record.data.sha256.as_str(), record.data.path.display().to_string())).collect();
    let mut html = String::new();
    if data.len() > 1 {
        html += "<p class=\"loud\">The trials were done with different data: their figures cannot be compared with each \
                 other.</p>\n";
    }
    for (sha256, path) in data {
        html += &format!("<p>Data of ours: {} (sha-256 {sha256}).</p>\n", escape(&path));
    }
    html
}

/// Numbered reasons below a table, each said once.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn mark(&mut self, note: &str) -> String {
        let known = self.0.iter().position(|other| other == note);
        let number = known.unwrap_or_else(|| {
            self.0.push(note.to_owned());
            self.0.len() - 1
        });
        format!("<sup title=\"{}\">{}</sup>", escape(note), number + 1)
    }

    fn list(&self) -> String {
        let items: String = self.0.iter().map(|note| format!("<li>{}</li>", escape(note))).collect();
        format!("<ol>{items}</ol>")
    }
}

fn comparison(rows: &[Row], columns: &BTreeSet<Figure>) -> String {
    let mut header = vec!["", "trial", "faces", "model", "blur"];
    let titles: Vec<[String; 2]> =
        columns.iter().map(|figure| [format!("{}, published", figure.title()), "ours".to_owned()]).collect();
    header.extend(titles.iter().flatten().map(String::as_str));
    let mut notes = Notes::default();
    let mut lines = Vec::new();
    for row in rows {
        let mark = row.note.as_deref().map_or_else(String::new, |note| notes.mark(note));
        let mut line = vec![
            escape(&row.name) + &mark,
            row.trial.as_deref().map_or_else(|| "–".to_owned(), escape),
            escape(&row.test),
            row.model.name().to_owned(),
            row.blur.name().to_owned(),
        ];
        for cell in row.cells.values() {
            line.extend(cells(cell, row.quick, &mut notes));
        }
        lines.push(line);
    }
    format!(
        "{}\n<p>In small print the 95 % bootstrap intervals of ours: how much they depend on which faces were in the test.</p>\n{}",
        table(&header, lines),
        notes.list()
    )
}

/// The published figure and ours; a dash has its reason in a note.
fn cells(cell: &Cell, quick: bool, notes: &mut Notes) -> [String; 2] {
    let mut dash = || format!("–{}", cell.why.as_deref().map_or_else(String::new, |why| notes.mark(why)));
    let published = match cell.published {
        Some(value) => format!("{value}"),
        // Where ours is missing as well, the one note is about ours.
        None if cell.ours.is_none() => "–".to_owned(),
        None => dash(),
    };
    let ours = match &cell.ours {
        Some(Ours { value, interval }) => {
            let interval = interval
                .map_or_else(String::new, |range| format!("<br><small>{:.3} to {:.3}</small>", range.low, range.high));
            format!("{}<b>{value:.3}</b>{interval}", if quick { QUICK } else { "" })
        }
        None => dash(),
    };
    [published, ours]
}

/// A line for each trial and test.
fn overview(report: &Report<'_>) -> String {
    let mut lines = Vec::new();
    for part in &report.trials {
        let Some(record) = part.record else {
            let mut line = vec![escape(part.id), part.why.map_or_else(String::new, escape)];
            line.resize(10, "–".to_owned());
            lines.push(line);
            continue;
        };
        for test in &record.tests {
            let Some(sharp) = test.blur.first() else { continue };
            let quick = if record.quick { QUICK } else { "" };
            let epochs: Vec<String> = record.stages.iter().map(|stage| stage.epochs.len().to_string()).collect();
            let secs: Vec<String> = record.stages.iter().map(|stage| format!("{:.1}", stage.epoch_secs)).collect();
            lines.push(vec![
                escape(&record.trial),
                record.config.network.name(),
                escape(&test.name),
                test.samples.to_string(),
                format!("{quick}{}", percent(sharp.clear.figures.accuracy)),
                percent(sharp.robust.figures.accuracy),
                percent(sharp.routed.figures.accuracy),
                record.training_faces.to_string(),
                epochs.join(" + "),
                secs.join(" / "),
            ]);
        }
    }
    let header =
        ["trial", "network", "faces", "count", "clear", "robust", "routed", "learned from", "epochs", "s an epoch"];
    format!("{}\n<p>Accuracy without blur.</p>", table(&header, lines))
}

fn trial(part: &TrialPart<'_>) -> String {
    let Some(record) = part.record else { return String::new() };
    let mark = if record.quick { " (QUICK RUN: worth nothing)" } else { "" };
    let mut html = section(&format!("{}{mark}", part.id), &facts(record));
    for stage in record.stages.iter().filter(|stage| !stage.epochs.is_empty()) {
        let title = if stage.name == "clear" { "Training of the clear model" } else { "Training of the robust model" };
        html += &figure(&training::curves(&stage.epochs, "training", title));
    }
    for test in &record.tests {
        html += &format!("<h3>{}{mark}</h3>\n", escape(&test.name));
        html += &test_part(test);
        for (_, file) in part.sheets.iter().filter(|(name, _)| *name == test.name) {
            html += &format!(
                "<p>Samples: below each face what the clear model said of it.</p>\n<img src=\"{0}\" alt=\"faces with right \
                 label and answer\" style=\"max-width:100%\">\n",
                escape(file)
            );
        }
    }
    html
}

fn facts(record: &Record) -> String {
    let weights = record.weights.as_deref().unwrap_or("random weights");
    let wanted = record.config.weights.as_deref().filter(|_| record.weights.is_none());
    let missing = wanted.map_or_else(String::new, |name| format!(" (the study starts from {name})"));
    format!(
        "<p>{}, from {}{}; {} faces learned from, {} for validation; seed {}; on {}; commit {}.</p>",
        escape(&record.config.network.name()),
        escape(weights),
        escape(&missing),
        record.training_faces,
        record.validation_faces,
        record.seed,
        escape(&record.device),
        escape(&record.commit)
    )
}

fn test_part(test: &TestRecord) -> String {
    let mut html = String::new();
    for (label, count) in &test.skipped {
        html += &format!("<p>Skipped: {count} faces of {}, which this trial does not have.</p>\n", escape(label));
    }
    if test.blur.len() > 1 {
        html += &figure(&curves::accuracy_against_blur(&test.blur, test.labels.len()));
    }
    if let Some(sharp) = test.blur.iter().find(|row| row.level == BlurLevel::None) {
        for (title, metrics) in
            [("The clear model, without blur", &sharp.clear), ("The robust model, without blur", &sharp.robust)]
        {
            html += &format!("<p>{title}:</p>\n");
            html += &figure(&heat_map::confusion(&test.labels, &metrics.confusion, title));
            html += &class_table(metrics);
        }
    }
    html
}

fn figure(plot: &Plot) -> String {
    format!("<div class=\"scroll\">{}</div>\n", plot.inline())
}
