//! The report as a table for the terminal, as JSON and as one page with curves.

use std::fmt::Write;

use anyhow::Context;

use super::super::annotation::POINT_NAMES;
use super::figures::Figures;
use super::trials::{LevelReport, SetReport};
use super::{DetectorReport, Report};
use crate::report::axes::{Axes, Tick, key};
use crate::report::folder::OutputFolder;
use crate::report::html::{document, section, table};
use crate::report::percent;
use crate::report::svg::{Plot, escape};

/// The styles of the curves, which the plots know by these names; a further detector has the last one's.
const CLASSES: [&str; 3] = ["routed", "robust", "clear"];

/// Writes the report into a folder that was prepared for it.
///
/// # Errors
/// The disk refuses; nothing is left behind then.
pub fn write(mut folder: OutputFolder, report: &Report) -> anyhow::Result<()> {
    let mut json = serde_json::to_vec_pretty(report).context("cannot put the report into JSON")?;
    json.push(b'\n');
    folder.write("report.json", &json)?;
    let plots = [
        recall(report, "recall-composed", "Recall against blur, composed frames", |detector| &detector.composed),
        recall(report, "recall-pictures", "Recall against blur, pictures as they are", |detector| &detector.pictures),
    ];
    for plot in &plots {
        folder.write(&format!("{}.svg", plot.name), plot.file().as_bytes())?;
    }
    folder.write("report.html", page(report, &plots).as_bytes())?;
    folder.put()
}

/// What a detector achieved, for the terminal.
pub fn told(report: &DetectorReport) -> String {
    let mut text = format!(
        "{}: {:.1} ms a frame of 640x480 (median), {:.1} ms (fastest tenth)\n{:<30} {:>7} {:>12} {:>18} {:>18}\n",
        report.name,
        report.speed.median_ms,
        report.speed.p10_ms,
        "",
        "recall",
        "false/frame",
        "worst point, med.",
        "worst point, p90"
    );
    for (set, levels) in [("composed", &report.composed), ("pictures", &report.pictures)] {
        for row in &levels.levels {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{:<30} {:>7} {:>12.3} {:>18} {:>18}",
                format!("{set}, blur {}", row.radius_px),
                percent(row.all.recall),
                row.all.false_boxes_a_picture,
                worst(row.all.median_errors),
                worst(row.all.p90_errors)
            );
        }
    }
    for video in &report.videos {
        let _ = writeln!(
            text,
            "{}: a face in {} of {} frames, {} boxes",
            video.video, video.with_a_face, video.frames, video.boxes
        );
    }
    if let (Some(framing), Some(align)) = (&report.framing, &report.align) {
        let _ = writeln!(text, "framing: {} of {} faces found; {align:?}", framing.found, framing.faces);
    }
    text
}

fn worst(errors: Option<[f64; POINT_NAMES.len()]>) -> String {
    errors.map_or_else(|| "-".into(), |errors| format!("{:.3}", errors.into_iter().fold(0.0, f64::max)))
}

fn recall(report: &Report, name: &'static str, title: &'static str, set: fn(&DetectorReport) -> &SetReport) -> Plot {
    let rows = |detector| &set(detector).levels;
    let levels: Vec<_> =
        report.detectors.first().map(rows).into_iter().flatten().map(|row| (row.level.name(), row.radius_px)).collect();
    let ticks = Tick::of_radii(&levels);
    let axes = Axes::new(1.0);
    let mut svg = axes.drawn(&ticks, "radius of the box blur", "recall");
    for (index, detector) in report.detectors.iter().enumerate() {
        let class = CLASSES[index.min(CLASSES.len() - 1)];
        let measured = ticks.iter().zip(rows(detector));
        let points: Vec<_> = measured.map(|(tick, row)| axes.point(tick, row.all.recall)).collect();
        svg.polyline(&format!("curve {class}"), &points);
        for (row, point) in rows(detector).iter().zip(points) {
            let hint = format!("{}, {}: {}", detector.name, row.level.name(), percent(row.all.recall));
            svg.dot(&format!("mark {class}"), point, &hint);
        }
        key(&mut svg, index, class, &detector.name);
    }
    svg.finish(name, title)
}

fn page(report: &Report, plots: &[Plot]) -> String {
    let mut body = format!(
        "<h1>How good are these face detectors?</h1>\n<p>A box has found a face from an overlap of {} on, and is false \
         below {} with every face. Points: errors in eye distances. Blur: box blur, its radius for a face of 128 \
         px.</p>\n",
        report.found_from_iou, report.false_below_iou
    );
    let speeds = report.detectors.iter().map(|detector| {
        let ms = |ms: f64| format!("{ms:.2}");
        vec![escape(&detector.name), ms(detector.speed.median_ms), ms(detector.speed.p10_ms)]
    });
    body += &section(
        "Milliseconds a frame of 640x480 px, one thread",
        &table(&["detector", "median", "fastest tenth"], speeds),
    );
    for plot in plots {
        body += &section(plot.title, &format!("<div class=\"scroll\">{}</div>", plot.inline()));
    }
    for detector in &report.detectors {
        body += &section(&format!("{}: composed frames", detector.name), &set_table(&detector.composed));
        body += &section(&format!("{}: pictures as they are", detector.name), &set_table(&detector.pictures));
    }
    body += &videos(report);
    body += &framings(report);
    let settings = [
        ("command", report.command.clone()),
        ("commit", report.commit.to_owned()),
        ("sha-256 of the data", report.data_sha256.clone()),
        ("seed", report.seed.to_string()),
    ];
    let hashes = report.detectors.iter().filter_map(|d| Some((d.name.as_str(), d.sha256.clone()?)));
    let rows = settings.into_iter().chain(hashes).map(|(name, value)| vec![escape(name), escape(&value)]);
    body += &section("Settings", &table(&["", ""], rows));
    document("Face detectors", &body)
}

/// A row for every level, and under it one for every class of faces.
fn set_table(set: &SetReport) -> String {
    let row = |name: String, figures: &Figures| {
        let mut cells = vec![
            name,
            figures.faces.to_string(),
            percent(figures.recall),
            format!("{:.3}", figures.false_boxes_a_picture),
        ];
        let errors = figures.median_errors.zip(figures.p90_errors);
        cells.extend((0..POINT_NAMES.len()).map(|point| {
            errors.map_or_else(|| "-".into(), |(median, p90)| format!("{:.3} / {:.3}", median[point], p90[point]))
        }));
        cells
    };
    let rows = set.levels.iter().flat_map(|level: &LevelReport| {
        let name = level.level.name();
        let classes = level.by_size.iter().chain(&level.by_light).filter(|(_, figures)| figures.faces > 0);
        let of_classes = classes.map(move |(class, figures)| {
            let mut cells = row(format!("{name}, {class}"), figures);
            // A class of faces has no frames of its own.
            cells[3] = "-".into();
            cells
        });
        let mut all = row(format!("<b>{name}</b>"), &level.all);
        all[3] += &format!(" ({:.3} without a face)", level.false_boxes_without_a_face);
        std::iter::once(all).chain(of_classes)
    });
    let points = POINT_NAMES.map(|name| format!("{name}, median / p90"));
    let mut header = vec!["blur", "faces", "recall", "false boxes a frame"];
    header.extend(points.iter().map(String::as_str));
    table(&header, rows)
}

fn videos(report: &Report) -> String {
    let rows: Vec<Vec<String>> = report
        .detectors
        .iter()
        .flat_map(|detector| {
            detector.videos.iter().map(|video| {
                let numbers = [video.frames, video.with_a_face, video.boxes, video.most].map(|n| n.to_string());
                [escape(&video.video), escape(&detector.name)].into_iter().chain(numbers).collect()
            })
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = ["video", "detector", "frames", "with a face", "boxes", "most in a frame"];
    section("Videos, in which nobody has marked the faces", &table(&header, rows))
}

fn framings(report: &Report) -> String {
    let rows: Vec<Vec<String>> = report
        .detectors
        .iter()
        .filter_map(|detector| {
            let (framing, align) = (detector.framing.as_ref()?, detector.align?);
            let numbers = [align.box_scale, align.box_shift_x, align.box_shift_y, align.eye_y, align.eye_distance];
            let found = format!("{} of {}", framing.found, framing.faces);
            let cells = [escape(&detector.name), found].into_iter();
            Some(cells.chain(numbers.map(|number| format!("{number:.3}"))).collect())
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = ["detector", "found", "box-scale", "box-shift-x", "box-shift-y", "eye-y", "eye-distance"];
    section("Framing: a bundle's [align]", &table(&header, rows))
}
