//! The ranges of a manifest's values: what a type cannot say.

use std::fmt::Display;
use std::path::Path;

use crate::bundle::MANIFEST_FILE;
use crate::{BundleError, DetectorEntry, Manifest, ModelChoice, Normalisation};

/// Sides of a crop that make sense, in pixels.
const SIDES: std::ops::RangeInclusive<usize> = 8..=512;

/// Checks every value of a manifest that was read or is to be written.
pub(crate) fn check(manifest: &Manifest, path: &Path) -> Result<(), BundleError> {
    let must = |holds: bool, key: &str, found: &dyn Display, expected: &str| {
        if holds {
            return Ok(());
        }
        Err(BundleError::Value {
            path: path.to_owned(),
            key: key.to_owned(),
            found: found.to_string(),
            expected: expected.to_owned(),
        })
    };
    let positive = |value: f32, key: &str| {
        let holds = value.is_finite() && value > 0.0;
        must(holds, key, &value, "a finite number above 0")
    };
    let finite = |value: f32, key: &str| must(value.is_finite(), key, &value, "a finite number");
    let share = |value: f32, key: &str| {
        let holds = (0.0..=1.0).contains(&value);
        must(holds, key, &value, "between 0 and 1")
    };
    let file = |name: &str, hash: &str, table: &str| {
        let key = format!("{table}.file");
        let expected = "a plain file name without folders, other than bundle.toml";
        must(is_plain_name(name), &key, &format_args!("`{name}`"), expected)?;
        let holds = hash.len() == 64 && hash.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        let key = format!("{table}.sha256");
        must(holds, &key, &format_args!("`{hash}`"), "64 digits of 0-9 and a-f")
    };

    must(manifest.schema == 1, "schema", &manifest.schema, "1")?;
    share(manifest.unsure_below, "unsure-below")?;
    let side = manifest.input.side;
    must(SIDES.contains(&side), "input.side", &side, "8 to 512 px")?;
    match manifest.input.normalisation {
        Normalisation::Fixed { mean, std } => {
            finite(mean, "input.normalisation.mean")?;
            positive(std, "input.normalisation.std")?;
        }
        Normalisation::PerCrop { min_std } => positive(min_std, "input.normalisation.min-std")?,
        Normalisation::Equalised {} => {}
        Normalisation::Clahe { tiles, clip_limit, min_std } => {
            must((1..=16).contains(&tiles), "input.normalisation.tiles", &tiles, "1 to 16")?;
            let holds = clip_limit.is_finite() && clip_limit >= 1.0;
            must(holds, "input.normalisation.clip-limit", &clip_limit, "a finite number of at least 1")?;
            positive(min_std, "input.normalisation.min-std")?;
        }
    }
    let align = &manifest.align;
    positive(align.box_scale, "align.box-scale")?;
    finite(align.box_shift_x, "align.box-shift-x")?;
    finite(align.box_shift_y, "align.box-shift-y")?;
    share(align.eye_y, "align.eye-y")?;
    share(align.eye_distance, "align.eye-distance")?;
    positive(align.eye_distance, "align.eye-distance")?;
    let threshold = manifest.gate.threshold;
    let holds = threshold.is_finite() && threshold >= 0.0;
    must(holds, "gate.threshold", &threshold, "a finite number of at least 0")?;
    share(manifest.gate.hysteresis, "gate.hysteresis")?;
    let seed = manifest.provenance.seed;
    must(i64::try_from(seed).is_ok(), "provenance.seed", &seed, "below 2^63")?;

    for role in ModelChoice::ALL {
        let count = manifest.models.iter().filter(|m| m.role == role).count();
        let key = format!("models with role `{role}`");
        must(count == 1, &key, &count, "1")?;
    }
    for model in &manifest.models {
        let key = |name: &str| format!("models ({}).{name}", model.role);
        file(&model.file, &model.sha256, &format!("models ({})", model.role))?;
        positive(model.temperature, &key("temperature"))?;
        let [from, to] = model.blur_band;
        let found = format!("[{from}, {to}]");
        must(from <= to, &key("blur-band"), &found, "two numbers, the lower first")?;
        for (name, &value) in &model.metrics {
            finite(value, &key(&format!("metrics.{name}")))?;
        }
    }
    file(&manifest.golden.file, &manifest.golden.sha256, "golden")?;
    match &manifest.detector {
        DetectorEntry::Rustface {} => Ok(()),
        DetectorEntry::Yunet { file: name, sha256 } => file(name, sha256, "detector"),
    }
}

/// Whether `name` names a file inside a folder and nothing else, on any system.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let harmless = |c: char| !matches!(c, '/' | '\\' | ':') && !c.is_control();
    !name.is_empty()
        && name.len() <= 200
        && !name.starts_with('.')
        && name != MANIFEST_FILE
        && name.chars().all(harmless)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::test_bundle::manifest;

    /// Changes a good manifest and returns what is said about it.
    fn refusal(change: impl Fn(&mut Manifest)) -> String {
        let mut manifest = manifest();
        check(&manifest, Path::new("b.toml")).unwrap();
        change(&mut manifest);
        check(&manifest, Path::new("b.toml")).unwrap_err().to_string()
    }

    #[test]
    fn values_out_of_range_are_named_with_what_is_allowed() {
        let error = refusal(|m| m.gate.hysteresis = 1.5);
        assert_eq!(error, "b.toml: `gate.hysteresis` is 1.5 and must be between 0 and 1");
        let error = refusal(|m| m.models[1].temperature = f32::NAN);
        assert!(error.contains("`models (robust).temperature` is NaN"), "{error}");
        for error in [
            refusal(|m| m.input.side = 0),
            refusal(|m| m.input.side = 1 << 40),
            refusal(|m| m.input.normalisation = Normalisation::Fixed { mean: 0.0, std: 0.0 }),
            refusal(|m| m.input.normalisation = Normalisation::Clahe { tiles: 0, clip_limit: 2.0, min_std: 8.0 }),
            refusal(|m| m.input.normalisation = Normalisation::Clahe { tiles: 4, clip_limit: 0.5, min_std: 8.0 }),
            refusal(|m| m.gate.threshold = f32::INFINITY),
            refusal(|m| m.align.eye_distance = 0.0),
            refusal(|m| m.unsure_below = -0.1),
            refusal(|m| m.models[0].blur_band = [2.0, 1.0]),
            refusal(|m| m.models[0].sha256 = "ABC".into()),
            refusal(|m| m.provenance.seed = u64::MAX),
        ] {
            assert!(error.starts_with("b.toml: `"), "{error}");
        }
    }

    #[test]
    fn there_is_one_model_of_each_role() {
        let error = refusal(|m| m.models[0].role = ModelChoice::Robust);
        assert!(error.contains("role `clear`") && error.contains("is 0"), "{error}");
        let error = refusal(|m| m.models.push(m.models[0].clone()));
        assert!(error.contains("is 2"), "{error}");
    }

    #[test]
    fn file_names_stay_inside_the_bundle() {
        for name in ["", "..", "../a", "a/b", "/etc/passwd", "a\\b", "C:a", ".a", "bundle.toml"] {
            let error = refusal(|m| m.golden.file = name.into());
            assert!(error.contains("golden.file"), "{name}: {error}");
        }
        assert!(is_plain_name("golden.json"));
    }
}
