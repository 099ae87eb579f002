//! report.html and the plots of an inspection.

use super::findings::Findings;
use crate::report::heat_map::{Axis, counts};
use crate::report::html::{document, section, table};
use crate::report::svg::{Plot, escape};
use crate::report::{bars, percent};

/// Name of the file with the pictures.
pub const SHEET: &str = "samples.png";

/// All plots.
pub fn plots(findings: &Findings) -> Vec<Plot> {
    let mut plots = vec![bars::class_counts(&findings.labels, &findings.classes)];
    plots.push(findings.sharpness.plot("sharpness", "Sharpness: variance of the Laplacian at 48 px"));
    plots.push(findings.brightness.plot("brightness", "Mean brightness, 0 black to 255 white"));
    if let Some(comparison) = &findings.comparison {
        let rows = Axis { name: &comparison.rows_name, labels: &comparison.rows };
        let columns = Axis { name: &comparison.columns_name, labels: &comparison.columns };
        plots.push(counts(&rows, &columns, &comparison.counts).finish("labels", "Two sets of labels"));
    }
    plots
}

/// The whole page.
pub fn page(findings: &Findings, plots: &[Plot]) -> String {
    let data = escape(&findings.data.display().to_string());
    let mut body = format!("<h1>What is in {data}?</h1>\n");
    body += &format!(
        "<p>{} pictures; {} bad ones were passed over, {} are of one shade, {} people or videos are known.</p>\n",
        findings.pictures, findings.bad, findings.blank, findings.subjects
    );
    for (why, count) in &findings.left_out {
        body += &format!("<p>Left out: {count}, {}.</p>\n", escape(why));
    }
    for plot in plots {
        body += &section(plot.title, &format!("<div class=\"scroll\">{}</div>", plot.inline()));
    }
    if let Some(comparison) = &findings.comparison {
        let without: u64 = comparison.without.iter().sum();
        body += &format!(
            "<p>The labels agree on {} of the pictures that have both; {without} have none on the right.</p>\n",
            percent(comparison.agreement)
        );
    }
    let cases = findings.duplicates.cases().map(|(case, count)| vec![case.to_owned(), count.to_string()]);
    let examples = findings
        .duplicates
        .examples
        .iter()
        .map(|example| vec![example.reason.to_owned(), escape(&example.place), escape(&example.same_as)]);
    body += &section("Duplicates in the training part", &table(&["case", "pictures"], cases));
    body += &table(&["case", "picture", "is like"], examples);
    let sizes =
        findings.sizes.iter().map(|size| vec![format!("{}x{}", size.width, size.height), size.pictures.to_string()]);
    body += &section("Sizes", &table(&["px", "pictures"], sizes));
    body +=
        &section("Samples", &format!("<img src=\"{SHEET}\" alt=\"pictures of every class\" style=\"max-width:100%\">"));
    let settings = [
        ("command", findings.command.clone()),
        ("trainer", format!("{} ({})", findings.version, findings.commit)),
        ("sha-256 of the data", findings.sha256.clone().unwrap_or_else(|| "-".to_owned())),
    ];
    let settings = settings.map(|(name, value)| vec![name.to_owned(), escape(&value)]);
    body += &section("Settings", &table(&["", ""], settings));
    document(&format!("Inspection of {data}"), &body)
}
