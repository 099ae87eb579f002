//! The `inspect` command: what is in a data set, before it is used. It reads one picture after another, so that the data
//! may be of any size.

mod compare;
mod findings;
mod page;
mod scan;
mod sheet;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use self::findings::Findings;
use crate::reader::{self, DataOptions, Labels};
use crate::report::folder::OutputFolder;

/// What `inspect` is given.
#[derive(Args)]
pub struct InspectArgs {
    /// Labelled pictures in any of the formats of --format.
    #[arg(value_name = "DATA")]
    data: PathBuf,
    #[command(flatten)]
    options: DataOptions,
    /// Compare the labels with these other ones of the same pictures.
    #[arg(long, value_enum, value_name = "LABELS")]
    against: Option<Labels>,
    /// Folder of the report: report.json, report.html, plots, and a sheet with pictures of every class; an earlier report
    /// there is replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Looks at a data set and writes the report.
///
/// # Errors
/// Bad data, a folder that cannot be written.
pub fn run(args: &InspectArgs) -> anyhow::Result<()> {
    let mut folder = OutputFolder::prepare(&args.out, "report.json", &["json", "html", "svg", "png"])?;
    let mut reader = reader::open(&args.data, &args.options)?;
    let scan = scan::scan(&args.data, reader.as_mut(), args.options.max_bad)?;
    let comparison = match args.against {
        Some(labels) => {
            let other = reader::open(&args.data, &DataOptions { labels, ..args.options.clone() })?;
            Some(compare::compare(&scan, reader.labels(), other, &args.options, labels)?)
        }
        None => None,
    };
    let sheet = sheet::png(reader.labels(), &scan)?;
    let findings = Findings::of(&args.data, reader.as_ref(), &scan, comparison);
    let mut json = serde_json::to_vec_pretty(&findings).context("cannot put the findings into JSON")?;
    json.push(b'\n');
    folder.write("report.json", &json)?;
    folder.write(page::SHEET, &sheet)?;
    let plots = page::plots(&findings);
    for plot in &plots {
        folder.write(&format!("{}.svg", plot.name), plot.file().as_bytes())?;
    }
    folder.write("report.html", page::page(&findings, &plots).as_bytes())?;
    folder.put()?;
    print!("{findings}");
    Ok(())
}
