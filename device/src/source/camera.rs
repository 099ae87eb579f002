//! Cameras: the seam. The driver comes with the next release.

use crate::diagnostics::Problem;

/// Whether a source is named like a camera.
pub fn is_camera(name: &str) -> bool {
    name == "camera" || name.starts_with("/dev/video") || name.starts_with("/dev/v4l/")
}

/// Opens a camera.
///
/// # Errors
/// Always, for now: says what works instead.
pub fn open(name: &str) -> anyhow::Result<Box<dyn super::Source>> {
    let message = format!("{name}: cameras come with the next release of mien");
    Err(Problem::input(message)
        .next_step(
            "Until then record it (ffmpeg -f v4l2 -i DEVICE -t 10 clip.mp4) and run \
             --source clip.mp4, or try --source demo.",
        )
        .into())
}
