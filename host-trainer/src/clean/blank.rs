//! Pictures of one shade, as some collections have them where a download failed.

use models::Gray8;

/// Standard deviation below which a picture shows nothing, grey levels. The flattest faces of FER-2013 have 8.
const LEAST_DEVIATION: f64 = 2.0;

/// Whether nothing can be seen in the picture.
pub fn is_blank(picture: Gray8<'_>) -> bool {
    let (mut sum, mut squares) = (0_u64, 0_u64);
    for y in 0..picture.height() {
        for &pixel in picture.row(y) {
            sum += u64::from(pixel);
            squares += u64::from(pixel) * u64::from(pixel);
        }
    }
    let count = (picture.width() * picture.height()) as f64;
    let mean = sum as f64 / count;
    squares as f64 / count - mean * mean < LEAST_DEVIATION * LEAST_DEVIATION
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use models::GrayImage;

    use super::*;

    #[test]
    fn one_shade_is_blank_and_a_faint_picture_is_not() {
        let of = |low: u8, high: u8| {
            let pixels = (0..64).map(|index| if index % 2 == 0 { low } else { high }).collect();
            is_blank(GrayImage::from_vec(pixels, 8, 8).unwrap().view())
        };
        assert!(of(0, 0) && of(255, 255) && of(100, 103));
        assert!(!of(100, 105));
    }
}
