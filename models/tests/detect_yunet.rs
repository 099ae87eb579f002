//! Networks of the YuNet form: decoding, and what is said about files that are none.
#![allow(clippy::unwrap_used)]

#[path = "support/yunet_net.rs"]
mod yunet_net;

use std::path::Path;

use models::onnx::value;
use models::{DetectedFace, FaceDetector, Gray8, GrayImage, PixelRect, YunetDetector};
use yunet_net::{constant, white_block_finder};

/// A black picture with white rectangles (x, y, width, height).
fn blocks(width: usize, height: usize, rects: &[(usize, usize, usize, usize)]) -> GrayImage {
    let mut picture = GrayImage::new(width, height);
    for &(x, y, w, h) in rects {
        for row in picture.pixels_mut().chunks_exact_mut(width).skip(y).take(h) {
            row[x..x + w].fill(255);
        }
    }
    picture
}

fn finder(width: usize, height: usize) -> YunetDetector {
    YunetDetector::from_bytes(&white_block_finder(width, height, |_| ()), "blocks.onnx").unwrap()
}

#[track_caller]
fn assert_face(face: &DetectedFace, rect: [f32; 4], right_eye: (f32, f32), left_mouth: (f32, f32)) {
    let near = |a: f32, b: f32| (a - b).abs() < 0.01;
    let found = [face.rect.x, face.rect.y, face.rect.width, face.rect.height];
    assert!(found.iter().zip(rect).all(|(a, b)| near(*a, b)), "{found:?}, expected {rect:?}");
    let marks = face.landmarks.unwrap();
    for (point, expected) in [(marks.right_eye, right_eye), (marks.left_mouth, left_mouth)] {
        let fits = near(point.x, expected.0) && near(point.y, expected.1);
        assert!(fits, "{point:?}, expected {expected:?}");
    }
}

#[test]
fn boxes_and_points_are_decoded_as_opencv_does() {
    // Cell (2, 3) of stride 16: middle at (40, 56), box 32x48, points about (32, 48).
    let faces = finder(128, 128).detect(blocks(128, 128, &[(32, 48, 16, 16)]).view()).unwrap();
    assert_eq!(faces.len(), 1);
    assert!((faces[0].score - 1.0).abs() < 1e-3);
    assert_face(&faces[0], [24.0, 32.0, 32.0, 48.0], (36.0, 48.0), (44.0, 64.0));
}

#[test]
fn a_frame_is_shrunk_and_the_faces_scaled_back() {
    // 640x480 into 320x256: halved, with a black strip below.
    let mut detector = finder(320, 256);
    assert_eq!((detector.name(), detector.input_size()), ("yunet", (320, 256)));
    let faces = detector.detect(blocks(640, 480, &[(64, 96, 32, 32)]).view()).unwrap();
    assert_eq!(faces.len(), 1);
    assert_face(&faces[0], [48.0, 64.0, 64.0, 96.0], (72.0, 96.0), (88.0, 128.0));
}

#[test]
fn small_faces_are_left_out() {
    // The block's box has 32x48 px, a side of 39 px.
    let found = |detector: YunetDetector| {
        let mut detector = detector;
        detector.detect(blocks(640, 320, &[(32, 48, 16, 16)]).view()).unwrap().len()
    };
    assert_eq!(found(finder(640, 320)), 0, "an eighth of the shorter side is 40 px");
    assert_eq!(found(finder(640, 320).with_min_face_px(39.0)), 1);
    assert_eq!(found(finder(640, 320).with_min_face_px(39.5)), 0);
}

#[test]
fn a_tall_picture_is_fitted_in() {
    // 128x256 into 128x128: halved, with a black strip at the right.
    let faces = finder(128, 128).detect(blocks(128, 256, &[(64, 64, 32, 32)]).view()).unwrap();
    assert_eq!(faces.len(), 1);
    assert_face(&faces[0], [48.0, 32.0, 64.0, 96.0], (72.0, 64.0), (88.0, 96.0));
}

#[test]
fn a_face_cut_out_gets_a_border() {
    // 72x64 with 16 px of gray around: 104x96, as it is.
    let faces = finder(128, 96).detect(blocks(72, 64, &[(16, 16, 16, 16)]).view()).unwrap();
    assert_eq!(faces.len(), 1);
    assert_face(&faces[0], [8.0, 0.0, 32.0, 48.0], (20.0, 16.0), (28.0, 32.0));
}

#[test]
fn overlapping_boxes_are_one_face_and_the_best_comes_first() {
    let mut picture = blocks(256, 128, &[(32, 48, 16, 16), (160, 32, 16, 16)]);
    // Beside each a dimmer cell, whose box overlaps by half; and the second face is dimmer.
    for (x, y, gray) in [(48, 48, 150), (176, 32, 140), (160, 32, 200)] {
        for row in picture.pixels_mut().chunks_exact_mut(256).skip(y).take(16) {
            row[x..x + 16].fill(gray);
        }
    }
    let faces = finder(256, 128).detect(picture.view()).unwrap();
    let scores: Vec<_> = faces.iter().map(|f| (f.score * f.score * 255.0).round()).collect();
    assert_eq!(scores, [255.0, 200.0]);
}

#[test]
fn the_threshold_counts_on_the_root_of_the_product() {
    let mut picture = blocks(128, 128, &[]);
    for row in picture.pixels_mut().chunks_exact_mut(128).skip(48).take(16) {
        row[32..48].fill(117); // sqrt(117 / 255) = 0.677
        row[96..112].fill(112); // sqrt(112 / 255) = 0.663
    }
    assert_eq!(finder(128, 128).detect(picture.view()).unwrap().len(), 1);
    let mut lax = finder(128, 128).with_threshold(0.66);
    assert_eq!(lax.detect(picture.view()).unwrap().len(), 2);
    let mut strict = finder(128, 128).with_threshold(0.68);
    assert!(strict.detect(picture.view()).unwrap().is_empty());
}

#[test]
fn a_known_face_may_be_less_sure() {
    let mut picture = blocks(128, 128, &[]);
    for row in picture.pixels_mut().chunks_exact_mut(128).skip(48).take(16) {
        row[32..48].fill(60); // sqrt(60 / 255) = 0.485
        row[96..112].fill(60);
    }
    let mut detector = finder(128, 128);
    assert!(detector.detect(picture.view()).unwrap().is_empty());
    // The boxes have 32x48 px around (40, 56) and (104, 56).
    let beside = PixelRect { x: 20.0, y: 30.0, width: 32.0, height: 48.0 };
    let faces = detector.detect_again(picture.view(), &[beside]).unwrap();
    assert_eq!(faces.len(), 1, "the other face is new");
    assert_face(&faces[0], [24.0, 32.0, 32.0, 48.0], (36.0, 48.0), (44.0, 64.0));
    // Six tenths of the threshold: 0.48 and 0.492.
    assert_eq!(detector.clone().with_threshold(0.8).detect_again(picture.view(), &[beside]).unwrap().len(), 1);
    assert!(detector.with_threshold(0.82).detect_again(picture.view(), &[beside]).unwrap().is_empty());
}

/// Where a face of 48 px was, so that it is followed in a view of 96x96 px from (`left`, `top`) on.
fn place(left: f32, top: f32) -> PixelRect {
    PixelRect { x: left + 24.0, y: top + 24.0, width: 48.0, height: 48.0 }
}

#[test]
fn a_face_is_followed_around_its_place() {
    let mut detector = finder(96, 96);
    assert!(detector.can_follow());
    let picture = blocks(400, 300, &[(132, 108, 16, 16), (300, 100, 16, 16)]);
    let face = detector.follow(picture.view(), &place(100.0, 60.0)).unwrap().unwrap();
    assert_face(&face, [124.0, 92.0, 32.0, 48.0], (136.0, 108.0), (144.0, 124.0));
    assert_eq!(detector.follow(picture.view(), &place(200.0, 200.0)).unwrap(), None, "there is nothing");
    // In the corner, where a part of the view is outside of the picture; what is left of it begins at its corner.
    let corner = blocks(400, 300, &[(0, 0, 16, 16)]);
    let face = detector.follow(corner.view(), &place(-48.0, -48.0)).unwrap().unwrap();
    assert_face(&face, [-8.0, -16.0, 32.0, 48.0], (4.0, 0.0), (12.0, 16.0));
}

/// A block that fills a quarter of a cell when the picture is looked at as a whole (a score of .5), and half as much again of
/// one (.61) in the view around the box that it makes there.
fn doubtful() -> GrayImage {
    blocks(384, 384, &[(224, 224, 32, 32)])
}

#[test]
fn a_doubtful_face_is_looked_at_again_from_near() {
    let found = |threshold| finder(96, 96).with_threshold(threshold).detect(doubtful().view()).unwrap();
    let [face] = found(0.55)[..] else { panic!("{:?}", found(0.55)) };
    assert!((0.555..0.58).contains(&face.score), "the mean of both looks: {face:?}");
    assert!(found(0.59).is_empty(), "not sure enough from near either");
    let mut one_size = finder(384, 384).with_threshold(0.55);
    let quarter = blocks(384, 384, &[(224, 224, 8, 8)]);
    assert!(one_size.detect(quarter.view()).unwrap().is_empty(), "it cannot look from near");
}

#[test]
fn what_seemed_to_be_a_face_may_be_none_from_near() {
    // A block in the middle of the picture lies in four cells from near, a quarter in each.
    let mut picture = blocks(384, 384, &[(208, 208, 32, 32)]);
    assert!(finder(96, 96).with_threshold(0.45).detect(picture.view()).unwrap().is_empty());
    // Brighter than the limit for a second look, it is believed at once.
    picture = blocks(384, 384, &[(192, 192, 64, 64)]);
    assert_eq!(finder(96, 96).detect(picture.view()).unwrap().len(), 1);
}

#[test]
fn a_known_face_that_is_not_found_again_is_looked_for_where_it_was() {
    let mut detector = finder(96, 96).with_threshold(1.0);
    let place = PixelRect { x: 160.0, y: 128.0, width: 128.0, height: 192.0 };
    assert!(detector.detect(doubtful().view()).unwrap().is_empty());
    let faces = detector.detect_again(doubtful().view(), &[place]).unwrap();
    assert_eq!(faces.len(), 1, "six tenths of the threshold are enough for it");
    let elsewhere = PixelRect { x: 0.0, ..place };
    assert!(detector.detect_again(doubtful().view(), &[elsewhere]).unwrap().is_empty());
}

#[test]
fn no_place_panics() {
    let mut detector = finder(96, 96);
    let picture = blocks(64, 48, &[]);
    for side in [0.0, 1e-3, 1.0, 1e3, 1e9, f32::INFINITY, f32::NAN, -5.0] {
        for x in [0.0, 63.0, -1e9, f32::NAN] {
            let place = PixelRect { x, y: 3.0, width: side, height: side };
            assert_eq!(detector.follow(picture.view(), &place).unwrap(), None);
        }
    }
}

#[test]
fn a_file_of_one_size_cannot_follow() {
    // Its constant outputs have as many cells as 128x128 px.
    let mut detector = finder(128, 128);
    assert!(!detector.can_follow());
    let picture = blocks(256, 256, &[(64, 96, 32, 32)]);
    let place = PixelRect { x: 48.0, y: 64.0, width: 64.0, height: 96.0 };
    let face = detector.follow(picture.view(), &place).unwrap().unwrap();
    assert_face(&face, [48.0, 64.0, 64.0, 96.0], (72.0, 96.0), (88.0, 128.0));
}

#[test]
fn no_size_and_no_stride_of_a_picture_panics() {
    let mut detector: Box<dyn FaceDetector> = Box::new(finder(96, 96));
    for (width, height) in [(1, 1), (1, 3000), (3000, 1), (63, 65)] {
        detector.detect(GrayImage::new(width, height).view()).unwrap();
    }
    let wide = blocks(107, 64, &[(32, 16, 16, 16)]);
    let cut = Gray8::new(wide.pixels(), 64, 64, 107).unwrap();
    let faces = detector.detect(cut).unwrap();
    assert_eq!(faces, detector.detect(cut.to_image().view()).unwrap());
    assert_eq!(faces.len(), 1);
}

#[test]
fn boxes_that_are_no_numbers_are_dropped() {
    for bad in [f32::NAN, f32::INFINITY, 1e4] {
        let bytes = white_block_finder(64, 64, |graph| {
            graph.node.retain(|n| n.output != ["bbox_16"]);
            graph.initializer.retain(|i| i.name != "bbox_16_table");
            constant(graph, "bbox_16", 16, &[0.5, 0.5, bad, 0.0]);
        });
        let mut detector = YunetDetector::from_bytes(&bytes, "bad.onnx").unwrap();
        assert!(detector.detect(blocks(64, 64, &[(0, 0, 64, 64)]).view()).unwrap().is_empty());
    }
}

#[test]
fn a_network_for_gray_gets_one_plane() {
    let gray = white_block_finder(128, 128, |graph| graph.input = vec![value("input", &[1, 1, 128, 128])]);
    let mut detector = YunetDetector::from_bytes(&gray, "gray.onnx").unwrap();
    let picture = blocks(256, 256, &[(64, 96, 32, 32)]);
    assert_eq!(detector.detect(picture.view()).unwrap(), finder(128, 128).detect(picture.view()).unwrap());
}

#[test]
fn an_open_size_becomes_320x256() {
    let bytes = white_block_finder(320, 256, |graph| graph.input = vec![value("input", &[-1, 3, -1, -1])]);
    let detector = YunetDetector::from_bytes(&bytes, "open.onnx").unwrap();
    assert_eq!(detector.input_size(), (320, 256));
}

#[test]
fn stale_shapes_of_inner_values_do_no_harm() {
    let bytes = white_block_finder(128, 128, |graph| {
        graph.value_info = vec![value("cell_means", &[1, 3, 40, 40]), value("gray", &[1, 1, 40, 40])];
    });
    assert!(YunetDetector::from_bytes(&bytes, "resized.onnx").is_ok());
}

fn refusal(bytes: &[u8]) -> String {
    let error = YunetDetector::from_bytes(bytes, "odd.onnx").err().unwrap().to_string();
    assert!(error.contains("odd.onnx"), "{error}");
    error
}

#[test]
fn networks_of_another_form_are_refused_with_the_reason() {
    let input =
        |dims: &'static [i64]| move |graph: &mut tract_onnx::pb::GraphProto| graph.input = vec![value("input", dims)];
    let told = refusal(&white_block_finder(64, 64, input(&[1, 2, 64, 64])));
    assert!(told.contains("[1, 2, 64, 64], expected [1, 3, H, W] or [1, 1, H, W]"), "{told}");
    let told = refusal(&white_block_finder(64, 64, input(&[1, 3, 64, 100])));
    assert!(told.contains("multiples of 32"), "{told}");
    let told = refusal(&white_block_finder(64, 64, input(&[1, 3, 64, 1 << 40])));
    assert!(told.contains("up to 4096"), "{told}");
    let told = refusal(&white_block_finder(64, 64, input(&[3, 64])));
    assert!(told.contains("[3, 64]"), "{told}");
    let told = refusal(&white_block_finder(64, 64, |g| g.input.clear()));
    assert!(told.contains("0 inputs"), "{told}");
    let told = refusal(&white_block_finder(64, 64, |g| g.output.retain(|o| o.name != "kps_32")));
    assert!(told.contains("`kps_32` is missing"), "{told}");
    let told = refusal(&white_block_finder(64, 64, |g| g.node.retain(|n| n.output != ["obj_8"])));
    assert!(told.contains("no layer makes its output `obj_8`"), "{told}");
    let told = refusal(&white_block_finder(64, 64, |graph| {
        graph.node.retain(|n| n.output != ["bbox_8"]);
        graph.initializer.retain(|i| i.name != "bbox_8_table");
        constant(graph, "bbox_8", 64, &[0.0; 5]);
    }));
    assert!(told.contains("`bbox_8`") && told.contains("expected F32 [1, 64, 4]"), "{told}");
    let told = refusal(&white_block_finder(64, 64, |g| g.node[0].op_type = "Frobnicate".to_owned()));
    assert!(told.contains("Frobnicate"), "{told}");
}

#[test]
fn what_is_no_onnx_file_is_refused() {
    assert!(refusal(b"").contains("it holds no network"));
    assert!(refusal(b"\x89PNG\r\n\x1a\n and so on").contains("must be an ONNX file"));
    let whole = white_block_finder(64, 64, |_| ());
    refusal(&whole[..whole.len() / 2]);

    let error = YunetDetector::from_onnx(Path::new("/no/such/yunet.onnx")).err().unwrap();
    assert!(error.to_string().contains("/no/such/yunet.onnx"), "{error}");
}

#[test]
fn a_damaged_byte_gives_an_error_or_a_network_but_no_panic() {
    let whole = white_block_finder(64, 64, |_| ());
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        if let Ok(mut detector) = YunetDetector::from_bytes(&bytes, "damaged.onnx") {
            // Failing on a picture is fine, too.
            let _ = detector.detect(GrayImage::new(64, 64).view());
        }
    }
}
