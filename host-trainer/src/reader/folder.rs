//! Folders of pictures: `<label>/<picture>`, as the blur study of Aff-Wild2 keeps them, or in parts
//! `train/<label>/<picture>`, `test/<label>/<picture>`, as FER-2013 is often given out.

use std::path::Path;

use super::walk::{LabelFolders, by_name, no_subject};

/// Opens a folder whose sub-folders are named after expressions, in any of the data sets' words; hidden files are passed
/// over.
///
/// # Errors
/// Bad input: a folder that is no expression, two that are the same, fewer than two.
pub fn open(root: &Path) -> anyhow::Result<LabelFolders> {
    LabelFolders::open(root, by_name, no_subject)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use models::Expression;

    use crate::failure::is_bad_input;
    use crate::reader::testing::{picture, summary};
    use crate::reader::{DataOptions, read};

    #[test]
    fn reads_labels_from_the_folders() {
        let folder = tempfile::tempdir().unwrap();
        picture(folder.path(), "happiness/b.png", 16, 9);
        picture(folder.path(), "anger/a.png", 16, 5);
        picture(folder.path(), "anger/c.jpg", 16, 5);
        picture(folder.path(), "anger/.hidden.png", 16, 5);
        let read = || read(folder.path(), &DataOptions::default()).unwrap();
        let data = read();
        assert_eq!(data.labels.as_slice(), [Expression::Angry, Expression::Happy]);
        assert_eq!(data.side, 16);
        let seen: Vec<_> = data.samples.iter().map(|s| (s.row, s.label, s.face.read().unwrap().pixels()[0])).collect();
        assert_eq!(seen, [(1, 0, 5), (2, 0, 5), (3, 1, 9)]);
        assert_eq!(data.sha256, read().sha256);
        picture(folder.path(), "anger/c.jpg", 16, 6);
        assert_ne!(data.sha256, read().sha256);
    }

    #[test]
    fn parts_become_usages() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["train/happy/a.png", "train/sad/b.png", "test/happy/a.png", "test/angry/a.png"] {
            picture(folder.path(), name, 8, 1);
        }
        let expected = [
            "train/happy/a.png happy training -",
            "train/sad/b.png sad training -",
            "test/angry/a.png angry public-test -",
            "test/happy/a.png happy public-test -",
        ];
        assert_eq!(summary(folder.path()), expected);
        picture(folder.path(), "validation/sad/a.png", 8, 1);
        let found = summary(folder.path());
        assert!(found.contains(&"validation/sad/a.png sad public-test -".to_owned()), "{found:?}");
        assert!(found.contains(&"test/angry/a.png angry private-test -".to_owned()), "{found:?}");
        picture(folder.path(), "other/sad/a.png", 8, 1);
        let error = read(folder.path(), &DataOptions::default()).unwrap_err();
        assert!(is_bad_input(&error) && error.to_string().contains("other: stands beside parts"), "{error}");
    }

    #[test]
    fn faults_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let fault = || {
            let error = read(folder.path(), &DataOptions::default()).unwrap_err();
            assert!(is_bad_input(&error));
            error.to_string()
        };
        assert!(!fault().is_empty());
        picture(folder.path(), "happy/a.png", 16, 9);
        picture(folder.path(), "sad/a.png", 8, 9);
        assert!(fault().contains("8 px instead of 16 px"));
        image::GrayImage::new(16, 12).save(folder.path().join("sad/a.png")).unwrap();
        assert!(fault().contains("not square"));
        fs::write(folder.path().join("sad/a.png"), b"no picture").unwrap();
        assert!(fault().contains("sad/a.png: not a whole picture"));
        let lenient = DataOptions { max_bad: 1, ..DataOptions::default() };
        assert_eq!(read(folder.path(), &lenient).unwrap().samples.len(), 1);
        fs::remove_file(folder.path().join("sad/a.png")).unwrap();
        picture(folder.path(), "hungry/a.png", 16, 9);
        assert!(fault().contains("hungry"));
    }

    #[test]
    fn sub_folders_without_pictures_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("happy")).unwrap();
        fs::create_dir_all(folder.path().join("sad")).unwrap();
        let error = read(folder.path(), &DataOptions::default()).unwrap_err();
        assert!(error.to_string().contains("no picture"));
    }
}
