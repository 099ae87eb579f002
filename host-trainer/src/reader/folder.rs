//! A folder of pictures: `<label>/<picture>`, as the blur study of Aff-Wild2 keeps them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use image::ImageReader;
use models::{Expression, GrayImage, LabelSet, Rgb8};
use sha2::{Digest, Sha256};

use super::unreadable;
use crate::failure::bad_input;
use crate::sample::{DataSet, Sample, Usage, hex};

/// Reads every picture. The names of the sub-folders are expressions; hidden files are passed over.
///
/// # Errors
/// Bad input: a folder that is no expression, a file that is no whole picture, pictures that are not square or not all
/// of one size, no picture at all.
pub fn read(path: &Path) -> anyhow::Result<DataSet> {
    let mut folders = BTreeMap::new();
    for entry in entries(path)? {
        if !entry.is_dir() {
            continue;
        }
        let name = file_name(&entry);
        let expression: Expression = name.parse().map_err(|error| {
            bad_input(format!("{}: {error}; name the folders angry, disgust, fear, ...", entry.display()))
        })?;
        if let Some(other) = folders.insert(expression, entry.clone()) {
            let message = format!("{} and {} mean the same; join them", other.display(), entry.display());
            return Err(bad_input(message));
        }
    }
    let labels = LabelSet::new(folders.keys().copied().collect()).map_err(|error| {
        bad_input(format!("{}: {error}; a folder of faces has a sub-folder for each expression", path.display()))
    })?;

    let mut hash = Sha256::new();
    let mut samples: Vec<Sample> = Vec::new();
    for (label, folder) in folders.values().enumerate() {
        for file in entries(folder)? {
            let bytes = fs::read(&file).map_err(|error| unreadable(&file, &error))?;
            hash.update(format!("{}/{}\0{}\0", file_name(folder), file_name(&file), bytes.len()));
            hash.update(&bytes);
            let face = decode(&file, &bytes)?;
            if let Some(first) = samples.first()
                && first.face.width() != face.width()
            {
                let (one, other) = (first.face.width(), face.width());
                let message =
                    format!("{}: {other} px instead of {one} px like the first; scale all alike", file.display());
                return Err(bad_input(message));
            }
            samples.push(Sample { row: samples.len() as u64 + 1, usage: Usage::Training, label, face });
        }
    }
    let side = samples
        .first()
        .map(|sample| sample.face.width())
        .ok_or_else(|| bad_input(format!("{}: there is no picture in its sub-folders", path.display())))?;
    Ok(DataSet { path: path.to_path_buf(), sha256: hex(&hash.finalize()), labels, side, samples })
}

/// The visible entries of a folder in order of their names.
fn entries(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| unreadable(path, &error))? {
        let entry = entry.map_err(|error| unreadable(path, &error))?.path();
        if !file_name(&entry).starts_with('.') {
            found.push(entry);
        }
    }
    found.sort();
    Ok(found)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn decode(file: &Path, bytes: &[u8]) -> anyhow::Result<GrayImage> {
    let refuse = |what: String| bad_input(format!("{}: {what}", file.display()));
    let picture = ImageReader::new(std::io::Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| refuse(error.to_string()))?
        .decode()
        .map_err(|error| refuse(format!("not a whole picture ({error}); remove or replace it")))?
        .into_rgb8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    if width != height {
        return Err(refuse(format!("{width}x{height} px is not square; crop the faces to one square size")));
    }
    let view = Rgb8::packed(picture.as_raw(), width, height).map_err(|error| refuse(error.to_string()))?;
    Ok(view.to_gray())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::failure::is_bad_input;
    use image::GrayImage as Picture;

    fn save(folder: &Path, name: &str, width: u32, height: u32, value: u8) {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        Picture::from_pixel(width, height, image::Luma([value])).save(file).unwrap();
    }

    fn fault(folder: &Path) -> String {
        let error = read(folder).unwrap_err();
        assert!(is_bad_input(&error));
        error.to_string()
    }

    #[test]
    fn reads_labels_from_the_folders() {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), "happiness/b.png", 16, 16, 9);
        save(folder.path(), "anger/a.png", 16, 16, 5);
        save(folder.path(), "anger/c.jpg", 16, 16, 5);
        let data = read(folder.path()).unwrap();
        assert_eq!(data.labels.as_slice(), [Expression::Angry, Expression::Happy]);
        assert_eq!(data.side, 16);
        let seen: Vec<_> = data.samples.iter().map(|s| (s.row, s.label, s.face.pixels()[0])).collect();
        assert_eq!(seen, [(1, 0, 5), (2, 0, 5), (3, 1, 9)]);
        assert_eq!(data.sha256, read(folder.path()).unwrap().sha256);
    }

    #[test]
    fn faults_are_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!fault(folder.path()).is_empty());
        save(folder.path(), "happy/a.png", 16, 16, 9);
        save(folder.path(), "sad/a.png", 8, 8, 9);
        assert!(fault(folder.path()).contains("8 px instead of 16 px"));
        save(folder.path(), "sad/a.png", 16, 12, 9);
        assert!(fault(folder.path()).contains("not square"));
        fs::write(folder.path().join("sad/a.png"), b"no picture").unwrap();
        assert!(fault(folder.path()).contains("sad/a.png: not a whole picture"));
        fs::remove_file(folder.path().join("sad/a.png")).unwrap();
        save(folder.path(), "hungry/a.png", 16, 16, 9);
        assert!(fault(folder.path()).contains("hungry"));
    }

    #[test]
    fn sub_folders_without_pictures_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("happy")).unwrap();
        fs::create_dir_all(folder.path().join("sad")).unwrap();
        assert!(fault(folder.path()).contains("no picture"));
    }
}
