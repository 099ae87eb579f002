use super::*;
use crate::augment::stream;
use crate::detector::picture::Pyramid;

/// Pictures of 120 px: dark noise, and one face that is a white disc with black points.
fn pictures() -> Vec<Picture> {
    (0..3).map(picture).collect()
}

fn picture(number: u64) -> Picture {
    let mut rng = stream(9, number, 0, 0);
    let mut image = GrayImage::new(120, 120);
    let point = |x, y| PixelPoint { x, y };
    let face = Face {
        rect: PixelRect { x: 38.0, y: 36.0, width: 40.0, height: 50.0 },
        points: [point(50.0, 55.0), point(66.0, 55.0), point(58.0, 62.0), point(51.0, 73.0), point(65.0, 73.0)],
    };
    for (index, pixel) in image.pixels_mut().iter_mut().enumerate() {
        let (x, y) = ((index % 120) as f32 + 0.5, (index / 120) as f32 + 0.5);
        let inside = ((x - 58.0) / 20.0).powi(2) + ((y - 61.0) / 25.0).powi(2) < 1.0;
        let near = |p: &PixelPoint| (p.x - x).hypot(p.y - y) < 3.0;
        *pixel = match (inside, face.points[..2].iter().any(near)) {
            (true, true) => 0,
            (true, false) => 240,
            (false, _) => rng.random_range(60..120),
        };
    }
    Picture { subject: number.to_string(), pyramid: Pyramid::new(image), faces: vec![face] }
}

/// A scene config with nothing but places.
fn still() -> SceneConfig {
    SceneConfig {
        smallest_face_px: 50.0,
        largest_face_px: 150.0,
        covered: 0.0,
        blurred_scenes: 0.0,
        blurred_faces: 0.0,
        dark: 0.0,
        bright: 0.0,
        hazy: 0.0,
        noisy: 0.0,
        jpeg: 0.0,
        ..SceneConfig::default()
    }
}

#[test]
fn the_same_place_in_the_run_gives_the_same_scene() {
    let pictures = pictures();
    let at = |index| Scene::compose(&pictures, &SceneConfig::default(), &mut stream(3, 0, 1, index));
    for index in 0..20 {
        let (a, b) = (at(index), at(index));
        assert_eq!(a.image, b.image);
        assert_eq!(a.faces, b.faces);
    }
    assert_ne!(at(1).image, at(2).image);
}

#[test]
fn eyes_are_dark_where_the_labels_say() {
    let pictures = pictures();
    let (mut eyes, mut seen) = (0, 0);
    for index in 0..60 {
        let scene = Scene::compose(&pictures, &still(), &mut stream(5, 0, 0, index));
        for face in &scene.faces {
            let gray = |p: PixelPoint| {
                let (x, y) = (p.x.max(0.0) as usize, p.y.max(0.0) as usize);
                let view = scene.image.view();
                (x < view.width() && y < view.height()).then(|| view.get(x, y))
            };
            // Between the eyes it is light.
            let [right, left, ..] = face.points;
            let middle = PixelPoint { x: 0.5 * (right.x + left.x), y: 0.5 * (right.y + left.y) };
            let (Some(a), Some(b), Some(between)) = (gray(right), gray(left), gray(middle)) else { continue };
            eyes += 1;
            seen += usize::from(a.saturating_add(40) < between && b.saturating_add(40) < between);
        }
    }
    assert!(eyes > 60 && seen * 100 >= eyes * 97, "{seen} of {eyes}");
}

#[test]
fn sizes_and_numbers_are_as_asked_for() {
    let pictures = pictures();
    let config = still();
    let scenes: Vec<Scene> =
        (0..200).map(|index| Scene::compose(&pictures, &config, &mut stream(7, 0, 0, index))).collect();
    let empty = scenes.iter().filter(|scene| scene.faces.is_empty() && scene.doubtful.is_empty()).count();
    assert!((5..45).contains(&empty), "{empty} of 200 without a face");
    for face in scenes.iter().flat_map(|scene| &scene.faces) {
        assert!((49.0..151.0).contains(&face.side()), "{}", face.side());
    }
    // None hides another.
    for scene in &scenes {
        for (index, face) in scene.faces.iter().enumerate() {
            assert!(scene.faces[index + 1..].iter().all(|other| other.rect.iou(&face.rect) < 0.1));
        }
    }
}

#[test]
fn haze_leaves_little_contrast_at_any_brightness() {
    let pictures = pictures();
    let config = SceneConfig { hazy: 1.0, ..still() };
    let ranges = (0..40).map(|index| {
        let scene = Scene::compose(&pictures, &config, &mut stream(3, 0, 1, index));
        let mut pixels = scene.image.pixels().to_vec();
        pixels.sort_unstable();
        (pixels[pixels.len() / 50], pixels[pixels.len() - 1 - pixels.len() / 50])
    });
    let ranges: Vec<_> = ranges.collect();
    assert!(ranges.iter().all(|(low, high)| high - low < 200), "{ranges:?}");
    assert!(ranges.iter().any(|(_, high)| *high < 128) && ranges.iter().any(|(low, _)| *low > 128), "{ranges:?}");
}
