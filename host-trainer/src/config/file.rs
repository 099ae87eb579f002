//! A trial file: read, with unknown keys refused, and checked.

use std::path::Path;

use anyhow::Context;
use serde::de::DeserializeOwned;

use crate::failure::bad_input;

/// The trial in a file; without one, the shipped one, given by its name and text.
///
/// # Errors
/// Bad input: a file that cannot be read, an unknown key (with its line), what `check` says.
pub fn read<C: DeserializeOwned>(
    path: Option<&Path>,
    (shipped, text): (&str, &str),
    check: impl Fn(&C) -> anyhow::Result<()>,
) -> anyhow::Result<C> {
    let Some(path) = path else { return parse(text, shipped, check) };
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| bad_input(format!("{name}: cannot read the trial file: {error}")))?;
    parse(&text, &name, check)
}

/// The trial that a text, called `name` in errors, holds.
///
/// # Errors
/// As [`read`].
pub fn parse<C: DeserializeOwned>(
    text: &str,
    name: &str,
    check: impl Fn(&C) -> anyhow::Result<()>,
) -> anyhow::Result<C> {
    let config: C = toml::from_str(text).map_err(|error| bad_input(format!("{name}: {error}")))?;
    check(&config).with_context(|| name.to_owned())?;
    Ok(config)
}
