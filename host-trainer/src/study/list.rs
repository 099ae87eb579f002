//! `trial list`: which trials there are.

use std::path::Path;

use super::folder::{Study, sub_folders, trial_files};
use crate::failure::bad_input;

/// Prints a line for each trial of a folder and of the folders in it.
///
/// # Errors
/// Bad input: no such folder, no trial in it, a file that does not hold.
pub fn run(folder: &Path) -> anyhow::Result<()> {
    let mut folders = vec![folder.to_owned()];
    folders.extend(sub_folders(folder)?);
    let mut count = 0;
    for folder in folders {
        if trial_files(&folder)?.is_empty() {
            continue;
        }
        let study = Study::open(&folder)?;
        let title = study.published.as_ref().map_or_else(String::new, |published| format!(": {}", published.title));
        println!("{}{title}", folder.display());
        for trial in &study.trials {
            let config = &trial.config;
            let dropped: Vec<&str> = config.drop_classes.iter().map(|expression| expression.name()).collect();
            let without = if dropped.is_empty() { String::new() } else { format!(", without {}", dropped.join(", ")) };
            let weights = config.weights.as_ref().map_or_else(String::new, |weights| format!(", from {weights}"));
            println!(
                "  {:<24} {}, {} px, {} + {} epochs{without}{weights}",
                trial.id,
                config.network.name(),
                config.input.side,
                config.clear.epochs,
                config.robust.epochs
            );
        }
        count += study.trials.len();
    }
    if count == 0 {
        return Err(bad_input(format!("{}: no trials here nor in the folders in it", folder.display())));
    }
    Ok(())
}
