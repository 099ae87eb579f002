//! The `prepare` command: a data set of any size -> clean, aligned faces in shards, which every command reads.
//!
//! Three stages, each of which goes on where it was stopped, whatever stopped it:
//! 1. *gather* decodes all pictures, cuts the faces out, and writes them with their fingerprints as parts: every part is
//!    made of a fixed piece of the data set's list, so that a finished one is never made again;
//! 2. *decide* reads the fingerprints of all parts and decides which faces are dropped, and which become the test part;
//! 3. *write* makes a shard of every part, without what is dropped, and removes the part.
//!
//! Only fingerprints and names of all pictures are ever in memory, and the pictures of two parts.

mod decide;
mod decisions;
mod face;
mod finish;
mod gather;
mod plan;
mod work;
mod write;

use std::path::PathBuf;

use clap::Args;

use self::face::FaceCutter;
use self::plan::Plan;
use self::work::Work;
use crate::clean::balance::Balance;
use crate::clean::duplicates::NEAR_DISTANCE;
use crate::reader::{self, DataOptions, Tolerance};
use crate::shard::MAX_SIDE;

/// What `prepare` is given.
#[derive(Args)]
pub struct PrepareArgs {
    /// Labelled pictures in any of the formats of --format.
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// Folder of the shards; a run that was stopped goes on there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    options: DataOptions,
    /// Width and height of the faces, px.
    #[arg(long, value_name = "PX", default_value_t = 48, value_parser = side)]
    side: usize,
    /// The pictures are faces that were cut out already: they are only brought to size. That is so for formats whose
    /// pictures all have one size, unless --detector is given.
    #[arg(long)]
    aligned: bool,
    /// A YuNet network that finds the faces [default: the detector that is built in].
    #[arg(long, value_name = "FILE", conflicts_with = "aligned")]
    detector: Option<PathBuf>,
    /// Bits of 64 in which the hashes of two faces of one label may differ and still be near duplicates (0 to 8).
    #[arg(long, value_name = "BITS", default_value_t = NEAR_DISTANCE, value_parser = clap::value_parser!(u32).range(0..=8))]
    near: u32,
    /// Keep near duplicates.
    #[arg(long, conflicts_with = "near")]
    keep_near: bool,
    /// Bring all labels of the training part to one number.
    #[arg(long, value_enum, default_value_t)]
    balance: Balance,
    /// That number [default: of the rarest label for down, of the most frequent for up].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    per_class: Option<u64>,
    /// Share of the faces that becomes the public test part, whole subjects where they are known; only for data without a
    /// test part of its own.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = share)]
    test_share: f32,
    /// Seed of whatever is drawn.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// A side from the command line.
fn side(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(side) if (16..=MAX_SIDE).contains(&side) => Ok(side),
        _ => Err(format!("give a number of 16 to {MAX_SIDE}")),
    }
}

/// A share from the command line.
fn share(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(share) if (0.0..=0.9).contains(&share) => Ok(share),
        _ => Err("give a number of 0 to 0.9".to_owned()),
    }
}

/// Prepares a data set.
///
/// # Errors
/// Bad data or settings, a folder that holds other things or that another process works in, a disk that refuses.
pub fn run(args: &PrepareArgs) -> anyhow::Result<()> {
    let mut reader = reader::open(&args.data, &args.options)?;
    let plan = Plan::of(args, reader.as_ref())?;
    let Some(work) = Work::begin(&args.out, &plan)? else {
        println!("{}: was prepared with these settings already", args.out.display());
        return Ok(());
    };
    let decisions = match work.decisions()? {
        Some(decisions) => decisions,
        None => {
            let cutter = FaceCutter::new(args.detector.as_deref(), plan.aligned, args.side)?;
            let mut tolerance = Tolerance::new(args.options.max_bad, 0);
            let gathered = gather::gather(&work, &plan, reader.as_mut(), &cutter, &mut tolerance)?;
            decide::decide(&work, &plan, gathered, reader.left_out())?
        }
    };
    let shards = write::write(&work, &decisions)?;
    let index = finish::finish(work, &plan, &decisions, shards)?;
    print!("{}", finish::Table { index: &index, summary: &decisions.summary });
    Ok(())
}
