//! Faces of nobody to compare classifiers on.

use models::{BlurLevel, Bundle, GrayImage, box_blur, resize};

use crate::project;
use crate::random::Random;

/// `count` crops for a bundle: its golden ones, the demo's composites at every level of blur, and noise for the rest.
pub fn crops(bundle: &Bundle, count: usize) -> Vec<GrayImage> {
    let side = bundle.manifest.input.side;
    let golden = bundle.golden().pairs.iter().map(|pair| pair.crop.clone());
    let composites = composites();
    let blurred = composites.iter().flat_map(|face| BlurLevel::ALL.map(|level| (face, level))).map(|(face, level)| {
        let face = box_blur(face.view(), level.radius_px(face.width()));
        resize(face.view(), side, side)
    });
    let mut random = Random(1);
    let noise = std::iter::repeat_with(|| {
        let pixels = std::iter::repeat_with(|| random.byte()).take(side * side).collect();
        GrayImage::from_vec(pixels, side, side).unwrap()
    });
    golden.chain(blurred).chain(noise).take(count).collect()
}

/// The composite faces of the demo.
fn composites() -> Vec<GrayImage> {
    let folder = project("device/assets/demo");
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "png"));
    files.sort();
    let open = |file| {
        let picture = image::open(file).unwrap().into_luma8();
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        GrayImage::from_vec(picture.into_raw(), width, height).unwrap()
    };
    files.into_iter().map(open).collect()
}
