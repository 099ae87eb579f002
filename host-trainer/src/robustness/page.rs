//! The report as one page that needs no other file.

use super::degradation::Facts;
use super::remedy::Remedy;
use super::report::{DegradationPart, Gain, Report, Row, Score, Settings};
use super::rival::RivalSettings;
use crate::report::axes::Tick;
use crate::report::curves::{Chart, Point, Series};
use crate::report::html::{document, section, settings_table, table};
use crate::report::percent;
use crate::report::svg::{Plot, escape};

/// The whole page; one chart for each degradation.
pub fn page(report: &Report, charts: &[Plot]) -> String {
    let origin = &report.settings.origin;
    let name = escape(&origin.bundle.name);
    let mut body = format!("<h1>What does {name} stand?</h1>\n");
    body += &format!(
        "<p>{} faces of {} ({}), spoilt at their own size, through the code that the device runs. Accuracy and macro F1; in \
         small print the 95 % bootstrap intervals.</p>\n",
        report.samples,
        escape(&origin.data.path.display().to_string()),
        origin.data.usage.name()
    );
    for (label, count) in &report.skipped {
        body += &format!("<p>Skipped: {count} faces of {}, which this bundle does not know.</p>\n", escape(label));
    }
    body += &section("What routing buys", &gains(&report.degradations));
    body += &rival(report.rival.as_ref());
    body += &section("Faces as they are", &rows_table("", [&report.none]));
    for (part, chart) in report.degradations.iter().zip(charts) {
        let Facts { title, .. } = part.degradation.facts();
        let content = format!(
            "<p>{} Strengths: {}.</p>\n<div class=\"scroll\">{}</div>\n{}",
            part.what,
            part.unit,
            chart.inline(),
            rows_table(part.unit, &part.rows)
        );
        body += &section(title, &content);
    }
    body += &section("Remedies", &remedies(&report.settings));
    body += &section("Settings", &settings_table(origin, &more_settings(&report.settings)));
    document(&format!("Robustness of {name}"), &body)
}

/// What one network in the place of two is.
fn rival(about: Option<&RivalSettings>) -> String {
    about.map_or_else(
        || "<p>One model of twice the size, in the place of both, was not measured; --rival does.</p>\n".to_owned(),
        |RivalSettings { bundle, network, parameters, .. }| {
            format!(
                "<p>The rival, one network in the place of both: the robust model of {}, {}, {parameters} weights.</p>\n",
                escape(bundle),
                escape(network)
            )
        },
    )
}

/// A sentence for each degradation.
fn gains(parts: &[DegradationPart]) -> String {
    let gain = |gain: &Gain| {
        let points = |share: f64| format!("{:+.1}", share * 100.0);
        format!("{} points ({} to {})", points(gain.accuracy), points(gain.interval.low), points(gain.interval.high))
    };
    let sentence = |part: &DegradationPart| {
        let rival = part
            .routing_over_rival
            .as_ref()
            .map_or_else(String::new, |over| format!("; {} more often than the rival", gain(over)));
        format!(
            "<li><b>{}</b>: over its five strengths routing answers {} more often right than the clear model alone and {} \
             more often than the robust model alone{rival}.</li>\n",
            part.degradation.facts().title,
            gain(&part.routing_over_clear),
            gain(&part.routing_over_robust)
        )
    };
    format!("<ul>\n{}</ul>", parts.iter().map(sentence).collect::<String>())
}

fn rows_table<'a>(unit: &str, rows: impl IntoIterator<Item = &'a Row>) -> String {
    let rows: Vec<&Row> = rows.into_iter().collect();
    let remedies: Vec<Remedy> = rows.first().map_or_else(Vec::new, |row| row.remedies.keys().copied().collect());
    let mut header = vec![unit.to_owned()];
    header.extend(["clear", "robust", "routed", "to robust"].map(str::to_owned));
    let has_rival = rows.iter().any(|row| row.rival.is_some());
    header.extend(has_rival.then(|| "rival".to_owned()));
    for remedy in &remedies {
        header.extend(["clear", "routed"].map(|model| format!("{}, then {model}", remedy.title())));
    }
    let cells = rows.iter().map(|row| {
        let mut cells = vec![place(row).join("<br>")];
        cells.extend([&row.clear, &row.robust, &row.routed].map(cell));
        cells.push(percent(row.routed_share));
        cells.extend(row.rival.as_ref().map(cell));
        for score in row.remedies.values() {
            cells.extend([&score.clear, &score.routed].map(cell));
        }
        cells
    });
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    table(&header, cells)
}

/// The strength, and for blurs what it is on these faces.
fn place(row: &Row) -> [String; 2] {
    let size = row.size_px.map_or_else(String::new, |px| format!("{px} px here"));
    [row.strength.map_or_else(|| "none".to_owned(), |strength| strength.to_string()), size]
}

fn cell(score: &Score) -> String {
    format!(
        "{} / {:.3}<br><small>{} to {}<br>{:.3} to {:.3}</small>",
        percent(score.accuracy),
        score.macro_f1,
        percent(score.accuracy_interval.low),
        percent(score.accuracy_interval.high),
        score.macro_f1_interval.low,
        score.macro_f1_interval.high
    )
}

/// Accuracy over the strengths, evenly spaced, the faces as they are first.
pub fn chart(report: &Report, part: &DegradationPart) -> Plot {
    let rows: Vec<&Row> = std::iter::once(&report.none).chain(&part.rows).collect();
    let last = (rows.len() - 1).max(1) as f64;
    let tick = |(index, row): (usize, &&Row)| {
        let [name, detail] = place(row);
        Tick { place: index as f64 / last, name, detail }
    };
    let series = |name: &'static str, class: &'static str, of: &dyn Fn(&Row) -> Option<Point>| Series {
        name,
        class,
        points: rows.iter().map(|row| of(row)).collect(),
    };
    let mut curves = vec![
        series("clear", "clear", &|row| Some(point(&row.clear))),
        series("robust", "robust", &|row| Some(point(&row.robust))),
        series("routed", "routed", &|row| Some(point(&row.routed))),
    ];
    if report.rival.is_some() {
        curves.push(series("rival", "rival", &|row| row.rival.as_ref().map(point)));
    }
    for &remedy in Remedy::against(Some(part.degradation)) {
        let measured = |row: &Row| row.remedies.get(&remedy).map(|score| point(&score.clear));
        if part.rows.iter().any(|row| measured(row).is_some()) {
            curves.push(series(remedy.title(), remedy.series(), &measured));
        }
    }
    let Facts { name, title, unit, .. } = part.degradation.facts();
    Chart {
        name,
        title,
        axis: unit,
        ticks: rows.iter().enumerate().map(tick).collect(),
        series: curves,
        classes: report.labels.len(),
    }
    .plot()
}

fn point(score: &Score) -> Point {
    Point { accuracy: score.accuracy, interval: score.accuracy_interval }
}

/// What the columns beside the models are.
fn remedies(settings: &Settings) -> String {
    let clahe = &settings.clahe;
    let mut text = format!(
        "<p>Equalised: the histogram of the whole face is made flat. CLAHE: the same in {0} x {0} tiles, no grey level \
         counting for more than {1} times the mean.</p>\n",
        clahe.tiles, clahe.clip_limit
    );
    text += &match &settings.wiener {
        Some(wiener) => format!(
            "<p>Wiener known: the Wiener filter with the very point spread function that blurred the face, the most that \
             deblurring can give. Wiener blind: with the box blur whose radius makes training faces ({} were measured) as \
             dull as this face is, by the variance of the Laplacian over its own. Noise-to-signal ratio {}. Curves show \
             the clear model after the filter.</p>",
            wiener.table_faces, wiener.noise_to_signal
        ),
        None => "<p>Deblurring was not measured; --deblur wiener does.</p>".to_owned(),
    };
    text
}

fn more_settings(settings: &Settings) -> Vec<(&'static str, String)> {
    vec![
        ("seed", settings.seed.to_string()),
        ("resamples behind every interval", settings.bootstrap_resamples.to_string()),
    ]
}
