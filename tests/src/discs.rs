//! Pictures with drawn faces for a face detector: light discs with eyes and a mouth on a dark ground.

use std::fmt::Write as _;

use image::GrayImage;

use crate::place::Place;
use crate::random::Random;

/// Width and height of a picture, px.
const SIDE: u32 = 96;
/// First line of the table.
const HEADER: &str = "file,x,y,width,height,right_eye_x,right_eye_y,left_eye_x,left_eye_y,nose_x,nose_y,right_mouth_x,\
                      right_mouth_y,left_mouth_x,left_mouth_y,score,points_from\n";

/// Writes a faces set into `folder` of a place: two pictures each of so many people.
pub fn faces_set(place: &Place, folder: &str, people: usize) {
    let mut random = Random(11);
    let mut table = HEADER.to_owned();
    for index in 0..2 * people {
        let file = format!("training_Person_{}_{:02}.png", index / 2, index % 2);
        let path = place.write(&format!("{folder}/images/{file}"), "");
        let (x, y) = (40.0 + f32::from(random.byte() % 16), 40.0 + f32::from(random.byte() % 16));
        disc(x, y, &mut random).save(&path).unwrap();
        let points = [(-8.0, -6.0), (8.0, -6.0), (0.0, 2.0), (-6.0, 11.0), (6.0, 11.0)];
        let _ = write!(table, "{file},{},{},36,44", x - 18.0, y - 22.0);
        for (across, down) in points {
            let _ = write!(table, ",{},{}", x + across, y + down);
        }
        table += ",0.9,drawn\n";
    }
    place.write(&format!("{folder}/faces.csv"), table);
}

fn disc(x: f32, y: f32, random: &mut Random) -> GrayImage {
    GrayImage::from_fn(SIDE, SIDE, |column, row| {
        let (across, down) = (column as f32 + 0.5 - x, row as f32 + 0.5 - y);
        let inside = (across / 18.0).powi(2) + (down / 22.0).powi(2) < 1.0;
        let eye = (across.abs() - 8.0).hypot(down + 6.0) < 3.0;
        let mouth = across.abs() < 6.0 && (down - 11.0).abs() < 1.5;
        let gray = match (inside, eye || mouth) {
            (true, true) => 30,
            (true, false) => 190,
            (false, _) => 60,
        };
        image::Luma([gray + random.byte() % 32])
    })
}
