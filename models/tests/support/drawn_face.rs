//! A face made of ellipses, like enough for a detector: so that tests need no picture of anybody.

use models::GrayImage;

/// Middle and half axes in shares of the face's size, and gray value; later ones lie on top.
const PARTS: [(f32, f32, f32, f32, u8); 13] = [
    (0.0, -0.12, 0.46, 0.52, 40),    // hair
    (0.0, 0.04, 0.38, 0.50, 190),    // face
    (0.0, -0.28, 0.30, 0.14, 205),   // forehead
    (-0.17, -0.16, 0.11, 0.025, 60), // eyebrows
    (0.17, -0.16, 0.11, 0.025, 60),
    (-0.17, -0.08, 0.10, 0.055, 120), // sockets of the eyes
    (0.17, -0.08, 0.10, 0.055, 120),
    (-0.17, -0.08, 0.05, 0.035, 30), // eyes
    (0.17, -0.08, 0.05, 0.035, 30),
    (0.0, 0.04, 0.035, 0.14, 220), // ridge of the nose
    (0.0, 0.17, 0.09, 0.025, 110), // nostrils
    (0.0, 0.31, 0.15, 0.035, 90),  // mouth
    (0.0, 0.38, 0.10, 0.015, 150), // shade below it
];

/// Draws a face of about `size` px around (x, y).
pub fn draw_face(picture: &mut GrayImage, x: f32, y: f32, size: f32) {
    let width = picture.width();
    for (i, pixel) in picture.pixels_mut().iter_mut().enumerate() {
        let (column, row) = (i % width, i / width);
        let (u, v) = ((column as f32 + 0.5 - x) / size, (row as f32 + 0.5 - y) / size);
        for (middle_u, middle_v, half_u, half_v, gray) in PARTS {
            if ((u - middle_u) / half_u).powi(2) + ((v - middle_v) / half_v).powi(2) <= 1.0 {
                *pixel = gray;
            }
        }
    }
}
