//! The canonical crop, on pictures whose every pixel is known.
#![allow(clippy::unwrap_used)]

use models::{Alignment, DetectedFace, Gray8, GrayImage, Landmarks, PixelPoint, PixelRect};

/// Box and square are the same; eyes at a quarter and three quarters of the side.
const PLAIN: Alignment =
    Alignment { box_scale: 1.0, box_shift_x: 0.0, box_shift_y: 0.0, eye_y: 0.4, eye_distance: 0.5 };

fn picture(width: usize, height: usize, value: impl Fn(usize, usize) -> u8) -> GrayImage {
    let pixels = (0..width * height).map(|i| value(i % width, i / width)).collect();
    GrayImage::from_vec(pixels, width, height).unwrap()
}

/// Not the same in any two directions, so that a turned or mirrored crop shows.
fn texture(x: usize, y: usize) -> u8 {
    (x * 7 + y * 13 + (x * y) % 31) as u8
}

fn boxed(x: f32, y: f32, width: f32, height: f32) -> DetectedFace {
    DetectedFace { rect: PixelRect { x, y, width, height }, score: 1.0, landmarks: None }
}

fn with_eyes(right_eye: (f32, f32), left_eye: (f32, f32)) -> DetectedFace {
    let point = |(x, y)| PixelPoint { x, y };
    let nose = point((0.0, 0.0));
    let landmarks =
        Landmarks { right_eye: point(right_eye), left_eye: point(left_eye), nose, right_mouth: nose, left_mouth: nose };
    DetectedFace { landmarks: Some(landmarks), ..boxed(0.0, 0.0, 10.0, 10.0) }
}

#[test]
fn a_square_of_the_wanted_size_is_cut_out_unchanged() {
    let source = picture(100, 80, texture);
    let crop = PLAIN.crop(source.view(), &boxed(20.0, 10.0, 48.0, 48.0), 48);
    assert_eq!(crop, picture(48, 48, |x, y| texture(x + 20, y + 10)));
}

#[test]
fn the_stride_of_the_picture_does_not_matter() {
    let wide = picture(107, 80, texture);
    let cut = Gray8::new(wide.pixels(), 100, 80, 107).unwrap();
    let face = boxed(31.3, 12.9, 40.0, 40.0);
    assert_eq!(PLAIN.crop(cut, &face, 48), PLAIN.crop(cut.to_image().view(), &face, 48));
}

#[test]
fn shrinking_by_a_whole_number_averages_exactly() {
    let source = picture(96, 96, texture);
    let crop = PLAIN.crop(source.view(), &boxed(0.0, 0.0, 96.0, 96.0), 32);
    let block = |x: usize, y: usize| {
        let sum: u32 = (0..9).map(|i| u32::from(texture(3 * x + i % 3, 3 * y + i / 3))).sum();
        ((f64::from(sum) / 9.0) + 0.5) as u8
    };
    assert_eq!(crop, picture(32, 32, block));
}

#[test]
fn fine_stripes_do_not_alias() {
    // Stripes 1 px wide: picked pixels would give black and white, averages give gray.
    let source = picture(400, 400, |x, _| if x % 2 == 0 { 0 } else { 255 });
    for side in [300.0, 211.0, 97.0] {
        let crop = PLAIN.crop(source.view(), &boxed(50.3, 50.7, side, side), 24);
        let (low, high) = (crop.pixels().iter().min().unwrap(), crop.pixels().iter().max().unwrap());
        assert!(*low > 90 && *high < 165, "side {side}: {low}..{high}");
    }
}

#[test]
fn a_pixel_is_the_mean_of_points_between_pixels() {
    let source = picture(90, 70, texture);
    let side = 24;
    for (x, y, size) in [(3.7, -9.2, 61.3), (-20.0, 15.5, 118.0), (30.25, 22.75, 24.0), (40.1, 31.9, 9.4)] {
        let crop = PLAIN.crop(source.view(), &boxed(x, y, size, size), side);
        let samples = (size / side as f32).ceil().max(1.0) as usize;
        let step = size / (side * samples) as f32;
        let place = |corner: f32, index: usize, length: usize| {
            let at = (corner + (index as f32 + 0.5) * step - 0.5).clamp(0.0, length as f32 - 1.0);
            (at as usize, (at as usize + 1).min(length - 1), at.fract())
        };
        let point = |column: usize, row: usize| {
            let ((left, right, across), (upper, lower, down)) = (place(x, column, 90), place(y, row, 70));
            let at = |x: usize, y: usize| f32::from(texture(x, y));
            let line = |y: usize| at(left, y) + across * (at(right, y) - at(left, y));
            line(upper) + down * (line(lower) - line(upper))
        };
        for (index, &pixel) in crop.pixels().iter().enumerate() {
            let (column, row) = (index % side * samples, index / side * samples);
            let all = (0..samples * samples).map(|i| point(column + i % samples, row + i / samples));
            let mean = all.sum::<f32>() / (samples * samples) as f32;
            assert!((f32::from(pixel) - mean).abs() < 0.51, "{x}, {y}, {size} px: {pixel} at {index}, not {mean}");
        }
    }
}

#[test]
fn enlarging_interpolates() {
    let source = picture(20, 20, |x, _| (x * 10) as u8);
    let crop = PLAIN.crop(source.view(), &boxed(5.0, 5.0, 8.0, 8.0), 64);
    for x in 0..63 {
        let step = crop.view().get(x + 1, 30) - crop.view().get(x, 30);
        assert!(step <= 2, "a step of {step} at {x}");
    }
    assert!(crop.view().get(0, 0).abs_diff(46) <= 1 && crop.view().get(63, 0).abs_diff(124) <= 1);
}

#[test]
fn scale_and_shifts_count_in_box_heights() {
    let source = picture(200, 200, texture);
    let moved = Alignment { box_scale: 1.2, box_shift_x: 0.1, box_shift_y: -0.2, ..PLAIN };
    // A box of 40 around (100, 100): a square of 48 around (104, 92).
    let crop = moved.crop(source.view(), &boxed(80.0, 80.0, 40.0, 40.0), 48);
    assert_eq!(crop, picture(48, 48, |x, y| texture(x + 80, y + 68)));
}

#[test]
fn the_middle_of_a_tilted_face_is_that_of_the_square() {
    // Two dark spots, 60 px apart, turned by 25 degrees.
    let (middle, angle) = ((160.0f32, 120.0f32), 25.0f32.to_radians());
    let half = (30.0 * angle.cos(), 30.0 * angle.sin());
    let right_eye = (middle.0 - half.0, middle.1 - half.1);
    let left_eye = (middle.0 + half.0, middle.1 + half.1);
    let near = |x: usize, y: usize, eye: (f32, f32)| (x as f32 + 0.5 - eye.0).hypot(y as f32 + 0.5 - eye.1) < 6.0;
    let source = picture(320, 240, |x, y| if near(x, y, right_eye) || near(x, y, left_eye) { 20 } else { 200 });
    let crop = PLAIN.crop(source.view(), &with_eyes(right_eye, left_eye), 48);
    // A tenth of the side above the middle, and a quarter to either side, turned as the face is.
    let eye =
        |along: f32| (24.0 + along * angle.cos() + 4.8 * angle.sin(), 24.0 + along * angle.sin() - 4.8 * angle.cos());
    for (low, high, expected) in [(0, 26, eye(-12.0)), (26, 48, eye(12.0))] {
        let (mut weight, mut x_sum, mut y_sum) = (0.0, 0.0, 0.0);
        for y in 0..48 {
            for x in low..high {
                let dark = 200.0 - f32::from(crop.view().get(x, y));
                weight += dark;
                x_sum += dark * (x as f32 + 0.5);
                y_sum += dark * (y as f32 + 0.5);
            }
        }
        let (x, y) = (x_sum / weight, y_sum / weight);
        assert!((x - expected.0).abs() < 0.2 && (y - expected.1).abs() < 0.2, "eye at {x}, {y}, expected {expected:?}");
    }
}

#[test]
fn level_eyes_give_the_same_as_the_box_around_them() {
    let source = picture(120, 120, texture);
    // Eyes 24 px apart at y 49.2: a square of 48 from (30, 30).
    let from_eyes = PLAIN.crop(source.view(), &with_eyes((42.0, 49.2), (66.0, 49.2)), 48);
    let from_box = PLAIN.crop(source.view(), &boxed(30.0, 30.0, 48.0, 48.0), 48);
    let worst = from_eyes.pixels().iter().zip(from_box.pixels()).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(worst.unwrap() <= 1, "{worst:?}");
}

#[test]
fn a_face_upside_down_stays_so_and_keeps_its_middle() {
    let upright = picture(64, 64, texture);
    let mut turned = upright.clone();
    turned.pixels_mut().reverse();
    let a = PLAIN.crop(upright.view(), &with_eyes((20.0, 28.0), (44.0, 28.0)), 32);
    let b = PLAIN.crop(turned.view(), &with_eyes((44.0, 36.0), (20.0, 36.0)), 32);
    let worst = a.pixels().iter().zip(b.pixels().iter().rev()).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(worst.unwrap() <= 1, "{worst:?}");
}

#[test]
fn beyond_the_picture_its_edges_go_on() {
    let source = picture(40, 40, |x, _| if x < 20 { 10 } else { 240 });
    let left = PLAIN.crop(source.view(), &boxed(-500.0, 0.0, 40.0, 40.0), 16);
    assert!(left.pixels().iter().all(|&p| p == 10));
    let right = PLAIN.crop(source.view(), &boxed(39.0, -1e9, 40.0, 40.0), 16);
    assert!(right.pixels().iter().all(|&p| p == 240));
}

#[test]
fn a_face_without_a_usable_place_gives_the_middle_of_the_picture() {
    let source = picture(80, 48, texture);
    let middle = picture(48, 48, |x, y| texture(x + 16, y));
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    for face in [
        boxed(3.0, 3.0, 0.0, 0.0),
        boxed(3.0, 3.0, -20.0, -20.0),
        boxed(nan, 3.0, 20.0, 20.0),
        boxed(3.0, 3.0, 20.0, nan),
        boxed(-inf, 3.0, 20.0, 20.0),
        boxed(3.0, 3.0, inf, inf),
    ] {
        assert_eq!(PLAIN.crop(source.view(), &face, 48), middle, "{face:?}");
    }
}

#[test]
fn eyes_that_cannot_be_used_give_way_to_the_box() {
    let source = picture(80, 80, texture);
    let from_box = PLAIN.crop(source.view(), &boxed(0.0, 0.0, 10.0, 10.0), 24);
    for eyes in [((30.0, 30.0), (30.0, 30.0)), ((f32::NAN, 30.0), (50.0, 30.0))] {
        assert_eq!(PLAIN.crop(source.view(), &with_eyes(eyes.0, eyes.1), 24), from_box);
    }
}

#[test]
fn no_picture_and_no_side_is_too_small() {
    let dot = picture(1, 1, |_, _| 77);
    for side in [0, 1, 2, 48] {
        for face in [boxed(-3.0, 9.0, 500.0, 2.0), boxed(3.0, 3.0, 1e38, f32::MAX)] {
            let crop = Alignment::default().crop(dot.view(), &face, side);
            assert_eq!(crop.width(), side.max(1));
            assert!(crop.pixels().iter().all(|&p| p == 77));
        }
    }
}
