//! The bundle that the program carries.

use crate::{Bundle, BundleError};

impl Bundle {
    /// The default bundle, `models/bundles/default` of this project.
    ///
    /// # Errors
    /// As [`Bundle::open`]: the build is damaged.
    pub fn embedded_default() -> Result<Self, BundleError> {
        Self::from_files(
            "the built-in bundle",
            &[
                ("bundle.toml", include_bytes!("../bundles/default/bundle.toml")),
                ("clear.onnx", include_bytes!("../bundles/default/clear.onnx")),
                ("robust.onnx", include_bytes!("../bundles/default/robust.onnx")),
                ("detector.onnx", include_bytes!("../bundles/default/detector.onnx")),
                ("golden.json", include_bytes!("../bundles/default/golden.json")),
            ],
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_bundle_holds() {
        let bundle = Bundle::embedded_default().unwrap();
        let recognizer = bundle.recognizer().unwrap();
        assert_eq!(recognizer.labels(), &bundle.manifest.labels);
    }
}
