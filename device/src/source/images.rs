//! Single pictures and folders of pictures.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use image::{DynamicImage, ImageDecoder, ImageReader, RgbImage};
use models::{GrayImage, Rgb8};

use super::Source;
use crate::diagnostics::{self, Problem};
use crate::frame::Frame;

/// Ends of the names that are taken for pictures, in small letters.
const EXTENSIONS: [&str; 4] = ["png", "jpg", "jpeg", "bmp"];

/// How the pictures of a folder are taken.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct FolderRule {
    /// Name and count pictures that cannot be read, and go on.
    pub skip_bad: bool,
    /// The pictures follow each other in time, so many a second. Without it they have
    /// nothing to do with each other.
    pub fps: Option<f64>,
}

/// One picture, or those of a folder in the order of their names.
#[derive(Debug)]
pub struct ImageSource {
    path: PathBuf,
    files: Vec<PathBuf>,
    rule: FolderRule,
    next: usize,
    number: u64,
    bad: usize,
}

impl ImageSource {
    /// One picture.
    pub fn picture(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            files: vec![path.to_path_buf()],
            rule: FolderRule::default(),
            next: 0,
            number: 0,
            bad: 0,
        }
    }

    /// The PNG, JPEG and BMP files of a folder; other files and folders in it are left
    /// alone.
    ///
    /// # Errors
    /// When it cannot be listed or has no picture in it.
    pub fn folder(path: &Path, rule: FolderRule) -> anyhow::Result<Self> {
        let problem = || Problem::input(format!("folder {} cannot be read", path.display()));
        let mut files = Vec::new();
        for entry in fs::read_dir(path).with_context(problem)? {
            let file = entry.with_context(problem)?.path();
            if has_picture_name(&file) && file.is_file() {
                files.push(file);
            }
        }
        if files.is_empty() {
            let message = format!("folder {} has no picture in it", path.display());
            return Err(Problem::input(message)
                .next_step("Pictures are files that end in .png, .jpg, .jpeg or .bmp.")
                .into());
        }
        files.sort();
        Ok(Self { files, rule, ..Self::picture(path) })
    }

    /// Time of the picture with this number: by the rate of a sequence; unrelated
    /// pictures count as a second apart, as in a slide show.
    fn time_of(&self, number: u64) -> Duration {
        Duration::from_secs_f64(number as f64 / self.rule.fps.unwrap_or(1.0))
    }
}

impl Source for ImageSource {
    fn describe(&self) -> String {
        if self.path == self.files[0] {
            format!("picture {}", self.path.display())
        } else {
            format!("{} pictures of {}", self.files.len(), self.path.display())
        }
    }

    fn next_frame(&mut self) -> anyhow::Result<Option<Frame>> {
        while let Some(file) = self.files.get(self.next) {
            self.next += 1;
            let (gray, colour) = match read(file) {
                Ok(picture) => picture,
                Err(error) if self.rule.skip_bad => {
                    self.bad += 1;
                    diagnostics::tell(format_args!("skipped: {}", diagnostics::causes(&error)));
                    continue;
                }
                Err(error) => return Err(error),
            };
            let number = self.number;
            self.number += 1;
            return Ok(Some(Frame {
                number,
                captured_at: self.time_of(number),
                gray,
                colour: Some(colour),
                name: file.file_name().map(|name| name.to_string_lossy().into_owned()),
            }));
        }
        if self.number == 0 {
            let message = format!("none of the {} pictures of {} can be read", self.files.len(), self.path.display());
            return Err(Problem::input(message).into());
        }
        if self.bad > 0 {
            let count = self.files.len();
            let bad = self.bad;
            diagnostics::tell(format_args!("skipped {bad} of {count} pictures"));
            self.bad = 0;
        }
        Ok(None)
    }

    fn is_sequence(&self) -> bool {
        self.rule.fps.is_some()
    }
}

/// Whether the name ends like that of a picture.
pub fn has_picture_name(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| EXTENSIONS.contains(&extension.to_lowercase().as_str()))
}

/// Reads a picture, upright: cameras often store it lying with a note to turn it.
fn read(path: &Path) -> anyhow::Result<(GrayImage, RgbImage)> {
    let problem = || {
        Problem::input(format!("picture {} cannot be read", path.display()))
            .next_step("In a folder, --skip-bad leaves such pictures out.")
    };
    let mut decoder = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .with_context(problem)?
        .into_decoder()
        .with_context(problem)?;
    let orientation = decoder.orientation().with_context(problem)?;
    let mut picture = DynamicImage::from_decoder(decoder).with_context(problem)?;
    picture.apply_orientation(orientation);
    let colour = picture.into_rgb8();
    Ok((gray_of(&colour).with_context(problem)?, colour))
}

/// The luma of a colour picture.
///
/// # Errors
/// When it has no pixel.
pub fn gray_of(colour: &RgbImage) -> anyhow::Result<GrayImage> {
    let (width, height) = (colour.width() as usize, colour.height() as usize);
    Ok(Rgb8::packed(colour.as_raw(), width, height)?.to_gray())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::diagnostics::{EXIT_BAD_INPUT, exit_code};

    fn save(folder: &Path, name: &str, level: u8) -> PathBuf {
        let path = folder.join(name);
        RgbImage::from_pixel(8, 6, image::Rgb([level; 3])).save(&path).unwrap();
        path
    }

    fn drain(mut source: ImageSource) -> anyhow::Result<Vec<(u64, String, u128)>> {
        let mut seen = Vec::new();
        while let Some(frame) = source.next_frame()? {
            seen.push((frame.number, frame.name.unwrap(), frame.captured_at.as_millis()));
        }
        Ok(seen)
    }

    #[test]
    fn a_folder_gives_its_pictures_by_name_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), "b.png", 2);
        save(folder.path(), "a.JPG", 1);
        fs::write(folder.path().join("readme.txt"), "text").unwrap();
        fs::create_dir(folder.path().join("c.png")).unwrap();
        let source = ImageSource::folder(folder.path(), FolderRule::default()).unwrap();
        assert!(!source.is_sequence());
        let seen = drain(source).unwrap();
        assert_eq!(seen, [(0, "a.JPG".into(), 0), (1, "b.png".into(), 1000)]);
    }

    #[test]
    fn a_sequence_has_the_rate_it_is_given() {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), "0.png", 2);
        save(folder.path(), "1.png", 2);
        let rule = FolderRule { fps: Some(25.0), ..FolderRule::default() };
        let source = ImageSource::folder(folder.path(), rule).unwrap();
        assert!(source.is_sequence());
        assert_eq!(drain(source).unwrap()[1].2, 40);
    }

    #[test]
    fn a_bad_picture_is_named_or_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let good = save(folder.path(), "a.png", 9);
        let bytes = fs::read(good).unwrap();
        fs::write(folder.path().join("b.png"), &bytes[..bytes.len() / 2]).unwrap();
        fs::write(folder.path().join("c.png"), "no picture").unwrap();
        let strict = ImageSource::folder(folder.path(), FolderRule::default()).unwrap();
        let error = drain(strict).unwrap_err();
        assert!(error.to_string().contains("b.png"), "{error}");
        assert_eq!(exit_code(&error), EXIT_BAD_INPUT);
        let rule = FolderRule { skip_bad: true, ..FolderRule::default() };
        let lenient = ImageSource::folder(folder.path(), rule).unwrap();
        assert_eq!(drain(lenient).unwrap().len(), 1);
        fs::remove_file(folder.path().join("a.png")).unwrap();
        let hopeless = ImageSource::folder(folder.path(), rule).unwrap();
        assert!(drain(hopeless).is_err());
    }

    #[test]
    fn an_empty_folder_is_bad_input() {
        let folder = tempfile::tempdir().unwrap();
        let error = ImageSource::folder(folder.path(), FolderRule::default()).unwrap_err();
        assert_eq!(exit_code(&error), EXIT_BAD_INPUT);
    }
}
