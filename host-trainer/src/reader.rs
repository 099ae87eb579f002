//! Reads labelled faces, whatever they are kept in.

mod fer2013;
mod folder;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use anyhow::Context;

use crate::failure::bad_input;
use crate::sample::DataSet;

/// Reads a `fer2013.csv`, plain or gzipped (told by its content, not its name), or a folder `<label>/<pictures>`.
///
/// # Errors
/// Input that is not whole and well-formed is refused as a whole: the error names the file, the line or picture, and
/// the cure, and is a [`crate::failure::BadInput`].
pub fn read(path: &Path) -> anyhow::Result<DataSet> {
    let kind = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if kind.is_dir() {
        return folder::read(path);
    }
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    fer2013::read(path, &bytes).with_context(|| format!("the data {} was not used", path.display()))
}

/// A path of the user's that cannot be read is bad input, with the cure for the two usual reasons.
fn unreadable(path: &Path, error: &io::Error) -> anyhow::Error {
    let cure = match error.kind() {
        ErrorKind::NotFound => "; check the path given with --data",
        ErrorKind::PermissionDenied => "; check its permissions",
        _ => "",
    };
    bad_input(format!("cannot read {}: {error}{cure}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::is_bad_input;

    #[test]
    fn a_missing_file_is_bad_input() {
        let error = read(Path::new("/nonexistent/fer2013.csv")).err();
        assert!(error.as_ref().is_some_and(is_bad_input));
        assert!(error.is_some_and(|error| error.to_string().contains("check the path")));
    }
}
