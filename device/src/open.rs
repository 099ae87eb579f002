//! Opens what settings and command line name: bundle, detector, source.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Context;
use models::{
    Alignment, Bundle, DetectError, DetectorEntry, FaceDetector, Recognizer, RustfaceDetector, YunetDetector,
};

use crate::config::{DetectConfig, RUSTFACE};
use crate::diagnostics::Problem;
use crate::source::Source;
use crate::source::camera::{self, CameraConfig};
use crate::source::demo::DemoSource;
use crate::source::ffmpeg::FfmpegSource;
use crate::source::gif::GifSource;
use crate::source::images::{FolderRule, ImageSource, has_picture_name};
use crate::source::stream::StreamSource;

/// Seed and size in px of the demo.
const DEMO_SEED: u64 = 1;
const DEMO_SIZE: (u32, u32) = (640, 480);

/// Ends of the names that are taken for videos, in small letters.
const VIDEO_EXTENSIONS: [&str; 15] =
    ["mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "ts", "mts", "wmv", "flv", "ogv", "3gp", "y4m"];

/// The bundle of a folder, or the one in the program; its hashes are checked.
///
/// # Errors
/// When the folder holds no sound bundle.
pub fn bundle(folder: Option<&Path>) -> anyhow::Result<Bundle> {
    match folder {
        Some(folder) => Bundle::open(folder).with_context(|| {
            Problem::input(format!("bundle {} cannot be used", folder.display()))
                .next_step("Train or copy it again; without --bundle the one in mien is used.")
        }),
        None => Bundle::embedded_default().context(
            Problem::failure("the bundle in this program is damaged")
                .next_step("Install mien again, or name another bundle with --bundle DIR."),
        ),
    }
}

/// The detector of the settings, or the one that the bundle names.
///
/// # Errors
/// When its file cannot be read or is no such network.
pub fn detector(settings: &DetectConfig, bundle: &Bundle) -> anyhow::Result<Box<dyn FaceDetector>> {
    let tuned = |network: Result<YunetDetector, DetectError>| {
        network.map(|mut network| {
            if let Some(score) = settings.min_score {
                network = network.with_threshold(score);
            }
            if let Some(side) = settings.min_face_px {
                network = network.with_min_face_px(side);
            }
            network
        })
    };
    let rustface = || -> anyhow::Result<Box<dyn FaceDetector>> {
        let cascade = RustfaceDetector::new()?;
        Ok(Box::new(match settings.min_face_px {
            Some(side) => cascade.with_min_face_px(side),
            None => cascade,
        }))
    };
    if wants_rustface(settings) {
        return rustface();
    }
    if let Some(path) = &settings.model {
        let network = tuned(YunetDetector::from_onnx(path))
            .with_context(|| Problem::input(format!("detector {} cannot be used", path.display())))?;
        return Ok(Box::new(network));
    }
    match &bundle.manifest.detector {
        DetectorEntry::Rustface {} => rustface(),
        DetectorEntry::Yunet { file, .. } => {
            let bytes = bundle.file(file).unwrap_or_default();
            let network = tuned(YunetDetector::from_bytes(bytes, file))
                .context(Problem::input("the detector of the bundle cannot be used"))?;
            Ok(Box::new(network))
        }
    }
}

/// Whether the settings name the detector in the program.
fn wants_rustface(settings: &DetectConfig) -> bool {
    settings.model.as_deref() == Some(Path::new(RUSTFACE))
}

/// The two models of a bundle, with its golden pairs repeated, for the faces of [`detector`].
///
/// # Errors
/// When a model does not fit the manifest or answers otherwise than where it was made.
pub fn recognizer(settings: &DetectConfig, bundle: &Bundle) -> anyhow::Result<Recognizer> {
    let recognizer = bundle
        .recognizer()
        .with_context(|| Problem::input(format!("bundle {} cannot be used", bundle.manifest.name)))?;
    // The bundle's framing is that of its own detector's boxes.
    let is_bundles = matches!(bundle.manifest.detector, DetectorEntry::Rustface {});
    Ok(if wants_rustface(settings) && !is_bundles {
        recognizer.with_alignment(Alignment::default())
    } else {
        recognizer
    })
}

/// The source with this name. `wait` lets a camera come later.
///
/// # Errors
/// When there is nothing of that name, or nothing that can be read as pictures.
pub fn source(name: &str, rule: FolderRule, config: &CameraConfig, wait: bool) -> anyhow::Result<Box<dyn Source>> {
    if name == "demo" {
        return Ok(Box::new(DemoSource::new(DEMO_SEED, DEMO_SIZE)?));
    }
    if camera::is_camera(name) {
        return camera::open(name, config, wait);
    }
    let path = Path::new(name);
    let found = std::fs::metadata(path).with_context(|| {
        Problem::input(format!("source {name} cannot be read"))
            .next_step("A source is a picture, a folder of pictures, a video or GIF, or `demo`.")
    })?;
    if found.is_dir() {
        return Ok(Box::new(ImageSource::folder(path, rule)?));
    }
    if let Some(stream) = StreamSource::open(path)? {
        return Ok(Box::new(stream));
    }
    match kind_of(path)? {
        Kind::Picture => Ok(Box::new(ImageSource::picture(path))),
        Kind::Gif => Ok(Box::new(GifSource::open(path)?)),
        Kind::Video => Ok(Box::new(FfmpegSource::open(path)?)),
        Kind::Other => Err(Problem::input(format!("source {name} is neither a picture nor a video"))
            .next_step(
                "Pictures are PNG, JPEG, BMP and GIF files; videos are known by their names, such \
             as .mp4, .mkv, .avi, .webm or .mov.",
            )
            .into()),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Picture,
    Gif,
    Video,
    Other,
}

/// What a file is: by its first bytes where they tell, else by its name.
fn kind_of(path: &Path) -> anyhow::Result<Kind> {
    let problem = || Problem::input(format!("source {} cannot be read", path.display()));
    let mut start = Vec::new();
    File::open(path).and_then(|file| file.take(32).read_to_end(&mut start)).with_context(problem)?;
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default();
    Ok(match image::guess_format(&start) {
        Ok(image::ImageFormat::Gif) => Kind::Gif,
        Ok(_) => Kind::Picture,
        Err(_) if has_picture_name(path) => Kind::Picture,
        Err(_) if extension == "gif" => Kind::Gif,
        Err(_) if VIDEO_EXTENSIONS.contains(&extension.as_str()) => Kind::Video,
        Err(_) => Kind::Other,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::diagnostics::{EXIT_BAD_INPUT, exit_code, message};

    #[test]
    fn files_are_known_by_their_bytes_and_then_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes, kind) in [
            ("a.txt", &b"\x89PNG\r\n\x1a\n"[..], Kind::Picture),
            ("b.png", b"GIF89a", Kind::Gif),
            ("c.jpg", b"text", Kind::Picture),
            ("d.gif", b"", Kind::Gif),
            ("e.MP4", b"\0\0\0\x18ftypmp42", Kind::Video),
            ("f.txt", b"text", Kind::Other),
            ("g", b"", Kind::Other),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(kind_of(&path).unwrap(), kind, "{name}");
        }
    }

    #[test]
    fn what_is_not_there_is_bad_input_with_a_next_step() {
        for name in ["/no/such/thing.png", "/dev/video93", ""] {
            let error = source(name, FolderRule::default(), &CameraConfig::default(), false).err().unwrap();
            assert_eq!(exit_code(&error), EXIT_BAD_INPUT, "{name}");
            assert!(message(&error).contains("\n  "), "{name}");
        }
    }
}
