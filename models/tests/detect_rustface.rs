//! The embedded detector on pictures that need no data: a drawn face, noise, odd sizes.
#![allow(clippy::unwrap_used)]

#[path = "support/drawn_face.rs"]
mod drawn_face;

use drawn_face::draw_face;
use models::{Alignment, FaceDetector, Gray8, GrayImage, PixelRect, RustfaceDetector, box_blur};

fn gray(width: usize, height: usize) -> GrayImage {
    GrayImage::from_vec(vec![130; width * height], width, height).unwrap()
}

/// 640x480 with a face of 150 px around (300, 220).
fn frame() -> GrayImage {
    let mut frame = gray(640, 480);
    draw_face(&mut frame, 300.0, 220.0, 150.0);
    frame
}

fn noise(width: usize, height: usize, seed: u32) -> GrayImage {
    let mut state = seed;
    let mut picture = gray(width, height);
    for pixel in picture.pixels_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *pixel = (state >> 24) as u8;
    }
    picture
}

#[test]
fn a_drawn_face_is_found_where_it_is() {
    let mut detector: Box<dyn FaceDetector> = Box::new(RustfaceDetector::new().unwrap());
    assert_eq!(detector.name(), "rustface");
    let faces = detector.detect(frame().view()).unwrap();
    assert_eq!(faces.len(), 1, "{faces:?}");
    let expected = PixelRect { x: 230.0, y: 155.0, width: 140.0, height: 140.0 };
    assert!(faces[0].rect.iou(&expected) > 0.7, "{faces:?}");
    assert!((0.5..=1.0).contains(&faces[0].score));
    assert_eq!(detector.detect(frame().view()).unwrap(), faces, "not the same twice");
}

#[test]
fn the_blurred_face_is_found_too() {
    let mut detector = RustfaceDetector::new().unwrap();
    let expected = PixelRect { x: 230.0, y: 155.0, width: 140.0, height: 140.0 };
    // The levels of the blur study are radii for a face of 128 px.
    for radius in [2.0, 4.0, 8.0] {
        let blurred = box_blur(frame().view(), radius * 150.0 / 128.0);
        let faces = detector.detect(blurred.view()).unwrap();
        assert!(faces.len() == 1 && faces[0].rect.iou(&expected) > 0.6, "{radius}: {faces:?}");
    }
}

#[test]
fn a_face_is_followed_where_it_goes() {
    let mut detector = RustfaceDetector::new().unwrap();
    assert!(detector.can_follow());
    let mut place = detector.detect(frame().view()).unwrap()[0].rect;
    // Beside another one, growing, and out at the edge of the picture.
    for step in 0..24 {
        let (x, y, side) = (300.0 - 12.0 * step as f32, 220.0 + 3.0 * step as f32, 150.0 + 2.0 * step as f32);
        let mut picture = gray(640, 480);
        draw_face(&mut picture, 560.0, 240.0, 140.0);
        draw_face(&mut picture, x, y, side);
        let soft = box_blur(picture.view(), 3.0);
        let Some(face) = detector.follow(soft.view(), &place).unwrap() else {
            assert!(x < 0.6 * side, "lost at {x}");
            return;
        };
        let centre = face.rect.center();
        assert!((centre.x - x).hypot(centre.y - y) < 0.2 * side, "{face:?}, and it is at {x}, {y}");
        place = face.rect;
    }
}

#[test]
fn what_is_gone_is_not_followed() {
    let mut detector = RustfaceDetector::new().unwrap();
    let empty = gray(640, 480);
    for place in [[230.0, 155.0, 140.0], [-90.0, -90.0, 100.0], [630.0, 470.0, 300.0], [10.0, 10.0, 0.0]] {
        let place = PixelRect { x: place[0], y: place[1], width: place[2], height: place[2] };
        assert_eq!(detector.follow(empty.view(), &place).unwrap(), None);
    }
    for side in [f32::NAN, f32::INFINITY, -5.0, 1e-30, 1e30] {
        let place = PixelRect { x: side, y: 100.0, width: side, height: side };
        assert_eq!(detector.follow(frame().view(), &place).unwrap(), None, "{side}");
    }
}

#[test]
fn two_faces_come_best_first() {
    let mut frame = gray(640, 480);
    draw_face(&mut frame, 170.0, 220.0, 150.0);
    draw_face(&mut frame, 470.0, 240.0, 190.0);
    // Softened a little: edges as hard as drawn ones are in no photograph.
    let frame = box_blur(frame.view(), 4.0);
    let faces = RustfaceDetector::new().unwrap().detect(frame.view()).unwrap();
    assert_eq!(faces.len(), 2, "{faces:?}");
    assert!(faces[0].score >= faces[1].score);
}

#[test]
fn the_smallest_face_is_the_one_asked_for() {
    let mut frame = gray(640, 480);
    draw_face(&mut frame, 300.0, 220.0, 64.0);
    let find = |detector: RustfaceDetector| {
        let mut detector = detector;
        detector.detect(frame.view()).unwrap().len()
    };
    assert_eq!(find(RustfaceDetector::new().unwrap()), 0);
    assert_eq!(find(RustfaceDetector::new().unwrap().with_min_face_px(40.0)), 1);
}

#[test]
fn a_face_that_fills_a_small_picture_is_found() {
    let mut cut = gray(48, 48);
    draw_face(&mut cut, 24.0, 24.0, 46.0);
    let faces = RustfaceDetector::new().unwrap().detect(cut.view()).unwrap();
    assert_eq!(faces.len(), 1);
    let whole = PixelRect { x: 0.0, y: 0.0, width: 48.0, height: 48.0 };
    assert!(faces[0].rect.iou(&whole) > 0.6, "{faces:?}");
    let crop = Alignment::default().crop(cut.view(), &faces[0], 48);
    assert_eq!((crop.width(), crop.height()), (48, 48));
}

#[test]
fn the_stride_of_the_picture_does_not_matter() {
    let mut wide = noise(651, 480, 5);
    draw_face(&mut wide, 300.0, 220.0, 150.0);
    let cut = Gray8::new(wide.pixels(), 640, 480, 651).unwrap();
    let mut detector = RustfaceDetector::new().unwrap();
    let faces = detector.detect(cut).unwrap();
    assert_eq!(faces, detector.detect(cut.to_image().view()).unwrap());
}

#[test]
fn there_is_no_face_in_noise_or_nothing() {
    let mut detector = RustfaceDetector::new().unwrap();
    for value in [0, 130, 255] {
        let flat = GrayImage::from_vec(vec![value; 320 * 240], 320, 240).unwrap();
        assert!(detector.detect(flat.view()).unwrap().is_empty());
    }
    for seed in 1..=6 {
        let rough = noise(320, 240, seed);
        // Soft clouds, too, stretched to full contrast: the second look sharpens them.
        let mut soft = box_blur(rough.view(), 5.0);
        let (low, high) = soft.pixels().iter().fold((255, 0), |(l, h), &p| (p.min(l), p.max(h)));
        for pixel in soft.pixels_mut() {
            *pixel = (u32::from(*pixel - low) * 255 / u32::from(high - low)) as u8;
        }
        for picture in [rough, soft, noise(48, 48, seed)] {
            let faces = detector.detect(picture.view()).unwrap();
            assert!(faces.is_empty(), "seed {seed}: {faces:?}");
        }
    }
}

#[test]
fn no_size_of_a_picture_panics() {
    let sizes = [
        (1, 1),
        (1, 5000),
        (5000, 1),
        (2, 2),
        (15, 15),
        (39, 39),
        (40, 40),
        (41, 99),
        (99, 101),
        (100, 100),
        (101, 97),
        (50, 4000),
        (4000, 50),
        (3000, 2100),
    ];
    for min_face_px in [None, Some(1.0), Some(77.7), Some(1e9), Some(f32::NAN)] {
        let mut detector = RustfaceDetector::new().unwrap();
        if let Some(px) = min_face_px {
            detector = detector.with_min_face_px(px);
        }
        for (width, height) in sizes {
            // Empty pictures are quick, and size is all that matters here.
            assert!(detector.detect(gray(width, height).view()).unwrap().is_empty());
        }
    }
}

#[test]
fn any_threshold_is_taken() {
    for threshold in [f32::NAN, -1.0, 0.0, 0.31, 1.0, 2.0] {
        let mut detector = RustfaceDetector::new().unwrap().with_threshold(threshold);
        let faces = detector.detect(frame().view()).unwrap();
        assert!(threshold.is_nan() || faces.iter().all(|f| f.score > threshold - 1e-4), "{threshold}: {faces:?}");
    }
}
