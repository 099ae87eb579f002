//! From a mean face to a picture of it.

use anyhow::Context;
use image::imageops::{FilterType, blur, resize};
use image::{ExtendedColorType, ImageBuffer, ImageEncoder, Luma, codecs::png::PngEncoder};

use super::choose::NormalisedFace;

/// Mean and standard deviation of a composite's gray levels, about those of a well-lit photograph.
const BRIGHTNESS: f32 = 127.5;
const CONTRAST: f32 = 52.0;
/// Width of the Gaussian blur of the unsharp mask, as a share of the picture's side.
const UNSHARP_SIGMA: f32 = 0.02;

/// Gray values of 0..=1 of a mean face. All get the same brightness and contrast, so that a face that changes its
/// expression does not flicker.
pub fn toned(face: &NormalisedFace) -> Vec<f32> {
    let scale = CONTRAST * (face.pixels.len() as f32).sqrt();
    face.pixels.iter().map(|pixel| ((BRIGHTNESS + pixel * scale) / 255.0).clamp(0.0, 1.0)).collect()
}

/// Enlarges `from` x `from` values of 0..=1 smoothly to `side` px, adds `sharpen` times what a Gaussian blur takes away
/// (averaging softens), and encodes them as gray PNG.
///
/// # Errors
/// The encoder fails.
pub fn png(values: &[f32], from: usize, side: u32, sharpen: f32) -> anyhow::Result<Vec<u8>> {
    let small = ImageBuffer::<Luma<f32>, _>::from_raw(from as u32, from as u32, values.to_vec())
        .context("a face that is not square")?;
    // Interpolated before rounding, so that soft gradients do not band.
    let large = resize(&small, side, side, FilterType::CatmullRom);
    let soft = blur(&large, UNSHARP_SIGMA * side as f32);
    let pixels: Vec<u8> = large
        .iter()
        .zip(soft.iter())
        .map(|(sharp, soft)| ((sharp + sharpen * (sharp - soft)) * 255.0).round().clamp(0.0, 255.0) as u8)
        .collect();
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(&pixels, side, side, ExtendedColorType::L8)
        .context("cannot encode the picture")?;
    Ok(png)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_of_the_wanted_size_comes_out() {
        let values: Vec<f32> = (0..64).map(|index| index as f32 / 63.0).collect();
        let picture = image::load_from_memory(&png(&values, 8, 32, 1.0).unwrap()).unwrap();
        assert_eq!(picture.color(), image::ColorType::L8);
        let picture = picture.into_luma8();
        assert_eq!(picture.dimensions(), (32, 32));
        assert!(picture.get_pixel(16, 2).0[0] < picture.get_pixel(16, 29).0[0]);
    }

    #[test]
    fn without_enlarging_and_sharpening_nothing_changes() {
        let values: Vec<f32> = (0..64).map(|index| index as f32 / 255.0).collect();
        let picture = image::load_from_memory(&png(&values, 8, 8, 0.0).unwrap()).unwrap();
        assert_eq!(picture.into_luma8().into_raw(), (0..64).collect::<Vec<u8>>());
    }

    #[test]
    fn all_faces_get_the_same_tone() {
        let face = NormalisedFace::of(&[50, 100, 150, 200]).unwrap();
        let values: Vec<f32> = toned(&face).iter().map(|value| (value * 255.0).round()).collect();
        // 50 gray levels apart become 50 * 52 / 55.9: their standard deviation is 55.9.
        assert_eq!(values, [58.0, 104.0, 151.0, 197.0]);
    }
}
