//! Crops with the logits that both models gave for them where they were made. They
//! travel with a bundle, and every load repeats them: the self-test of file, build and
//! processor.

use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize, de, ser};

use crate::{BundleError, GrayImage, ModelChoice, Recognizer};

/// A crop and what each model says to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GoldenPair {
    /// The canonical crop, side x side pixels; in JSON its side and the pixels in hex.
    #[serde(serialize_with = "write_crop", deserialize_with = "read_crop")]
    pub crop: GrayImage,
    /// Logits of the clear model, in label order.
    pub clear: Vec<f32>,
    /// Logits of the robust model, in label order.
    pub robust: Vec<f32>,
}

/// The golden pairs of a bundle: its `golden.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GoldenSet {
    /// At least one.
    pub pairs: Vec<GoldenPair>,
}

impl GoldenSet {
    /// Reads `golden.json`; `path` is for messages.
    ///
    /// # Errors
    /// The bytes are not such a file, or it holds no pair.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Self, BundleError> {
        let set: Self = serde_json::from_slice(bytes).map_err(|e| BundleError::Syntax {
            path: path.to_owned(),
            place: String::new(),
            cause: e.to_string(),
        })?;
        if set.pairs.is_empty() {
            return Err(BundleError::Syntax {
                path: path.to_owned(),
                place: String::new(),
                cause: "it holds no pair, and a bundle must carry at least one".into(),
            });
        }
        Ok(set)
    }

    /// The text of `golden.json`.
    ///
    /// # Errors
    /// A crop is not square. (A logit that is not finite becomes `null`, which
    /// [`GoldenSet::parse`] refuses.)
    pub fn to_json(&self) -> Result<String, BundleError> {
        serde_json::to_string_pretty(self).map_err(|e| BundleError::Syntax {
            path: "golden pairs".into(),
            place: String::new(),
            cause: e.to_string(),
        })
    }

    /// Runs every pair through both models of `recognizer`.
    ///
    /// # Errors
    /// A logit that differs by more than `tolerance`, another number of logits, or a
    /// model that fails.
    pub fn check(&self, recognizer: &Recognizer, tolerance: f32) -> Result<(), BundleError> {
        self.check_as(Path::new("golden pairs"), recognizer, tolerance)
    }

    /// The same with a name for messages.
    pub(crate) fn check_as(&self, path: &Path, recognizer: &Recognizer, tolerance: f32) -> Result<(), BundleError> {
        for (pair, golden) in self.pairs.iter().enumerate() {
            for model in ModelChoice::ALL {
                let expected = match model {
                    ModelChoice::Clear => &golden.clear,
                    ModelChoice::Robust => &golden.robust,
                };
                recognizer
                    .logits_with(golden.crop.view(), model)
                    .map_err(|e| e.to_string())
                    .and_then(|found| compare(&found, expected, tolerance))
                    .map_err(|cause| BundleError::Golden { path: path.to_owned(), pair, model, cause })?;
            }
        }
        Ok(())
    }
}

fn compare(found: &[f32], expected: &[f32], tolerance: f32) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!("{} logits found, {} expected", found.len(), expected.len()));
    }
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        if difference.is_nan() || difference > tolerance {
            return Err(format!("logit {index} is {found}, expected {expected} within {tolerance}"));
        }
    }
    Ok(())
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CropText {
    side: usize,
    hex: String,
}

fn write_crop<S: ser::Serializer>(crop: &GrayImage, to: S) -> Result<S::Ok, S::Error> {
    if crop.width() != crop.height() {
        return Err(ser::Error::custom("a golden crop must be square"));
    }
    let hex = to_hex(crop.pixels());
    CropText { side: crop.width(), hex }.serialize(to)
}

fn read_crop<'de, D: de::Deserializer<'de>>(from: D) -> Result<GrayImage, D::Error> {
    let CropText { side, hex } = CropText::deserialize(from)?;
    let pixels =
        from_hex(&hex).ok_or_else(|| de::Error::custom("`hex` must be an even number of hexadecimal digits"))?;
    let expected = side.checked_mul(side);
    if expected != Some(pixels.len()) {
        return Err(de::Error::custom(format_args!("`hex` holds {} pixels, which is not {side}x{side}", pixels.len())));
    }
    GrayImage::from_vec(pixels, side, side).map_err(de::Error::custom)
}

/// Lower-case hexadecimal digits, two a byte.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16).map(|d| d as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_bundle::{golden, recognizer};

    #[test]
    fn the_right_logits_pass_and_others_do_not() {
        let recognizer = recognizer();
        golden(&recognizer).check(&recognizer, 1e-3).unwrap();

        let mut off = golden(&recognizer);
        off.pairs[1].robust[2] += 0.01;
        let error = off.check(&recognizer, 1e-3).unwrap_err().to_string();
        for part in ["pair 1", "model robust", "logit 2", "0.001"] {
            assert!(error.contains(part), "{error}");
        }
        let mut nan = golden(&recognizer);
        nan.pairs[0].clear[0] = f32::NAN;
        assert!(nan.check(&recognizer, 1e-3).is_err());
        let mut short = golden(&recognizer);
        short.pairs[0].clear.pop();
        let error = short.check(&recognizer, 1e-3).unwrap_err().to_string();
        assert!(error.contains("3 logits found, 2 expected"), "{error}");
    }

    #[test]
    fn an_empty_set_is_refused() {
        let error = GoldenSet::parse(b"{\"pairs\": []}", Path::new("g.json")).unwrap_err();
        assert!(error.to_string().starts_with("g.json"), "{error}");
    }

    #[test]
    fn a_crop_whose_pixels_do_not_fit_is_refused() {
        for crop in [
            r#"{"side": 2, "hex": "00010203ff"}"#,
            r#"{"side": 2, "hex": "0001020"}"#,
            r#"{"side": 2, "hex": "000102xy"}"#,
            r#"{"side": 0, "hex": ""}"#,
            r#"{"side": 4294967296, "hex": ""}"#,
        ] {
            let text = format!(r#"{{"pairs": [{{"crop": {crop}, "clear": [1], "robust": [1]}}]}}"#);
            assert!(GoldenSet::parse(text.as_bytes(), Path::new("g.json")).is_err(), "{crop}");
        }
    }

    proptest! {
        #[test]
        fn the_file_is_read_back_to_the_bit(
            pixels in prop::collection::vec(any::<u8>(), 25),
            clear in prop::collection::vec(-1e3f32..1e3, 3),
            robust in prop::collection::vec(-1e-3f32..1e-3, 3),
        ) {
            let crop = GrayImage::from_vec(pixels, 5, 5).unwrap();
            let set = GoldenSet { pairs: vec![GoldenPair { crop, clear, robust }] };
            let text = set.to_json().unwrap();
            prop_assert_eq!(GoldenSet::parse(text.as_bytes(), Path::new("g")).unwrap(), set);
        }
    }
}
