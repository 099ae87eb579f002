//! A made face for the tests, and how far two pictures are apart.

use models::GrayImage;

/// Smooth shading with edges: a bright oval with two dark eyes and a mouth.
pub fn face(side: usize) -> GrayImage {
    let mut picture = GrayImage::new(side, side);
    for (index, pixel) in picture.pixels_mut().iter_mut().enumerate() {
        let at = |position: usize| (position as f32 + 0.5) / side as f32;
        let (x, y) = (at(index % side), at(index / side));
        let oval = ((x - 0.5) / 0.38).powi(2) + ((y - 0.5) / 0.46).powi(2);
        let eye = |left: f32| (x - left).hypot(y - 0.4) < 0.06;
        let is_mouth = (x - 0.5).abs() < 0.17 && (y - 0.75).abs() < 0.03;
        let grey = match oval {
            _ if eye(0.33) || eye(0.67) || is_mouth => 30.0,
            ..1.0 => 215.0 - 60.0 * x - 25.0 * oval,
            _ => 60.0 + 30.0 * y,
        };
        *pixel = grey as u8;
    }
    picture
}

/// Peak signal-to-noise ratio, dB; endless for equal pictures.
pub fn psnr(first: &GrayImage, second: &GrayImage) -> f64 {
    let pairs = first.pixels().iter().zip(second.pixels());
    let square: f64 = pairs.map(|(&a, &b)| f64::from(a.abs_diff(b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 * first.pixels().len() as f64 / square).log10()
}
