//! The faces set: `faces.csv` with a line a face, and its pictures in `images.tar`, in `images/` or beside the table.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use models::{PixelPoint, PixelRect};
use rayon::prelude::*;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::annotation::Face;
use super::picture::Pyramid;
use crate::failure::bad_input;
use crate::reader::{decode, unreadable};
use crate::sample::hex;
use crate::split::{draw, subject_hash};

const TABLE: &str = "faces.csv";
const ARCHIVE: &str = "images.tar";
const FOLDER: &str = "images";
/// No picture of an archive may be larger; a damaged header must not ask for all memory.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// A picture with its faces.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Whom it shows.
    pub subject: String,
    /// The picture at several sizes.
    pub pyramid: Pyramid,
    /// At least one.
    pub faces: Vec<Face>,
}

/// All pictures, in the order of the table.
pub struct FaceSet {
    /// SHA-256 of the table and of every picture in its order.
    pub sha256: String,
    /// The pictures.
    pub pictures: Vec<Picture>,
}

/// Pictures of disjoint subjects.
pub struct FaceSplit {
    /// To learn from.
    pub train: Vec<Picture>,
    /// To measure on.
    pub held_out: Vec<Picture>,
}

/// A line of the table; other columns are passed over.
#[derive(Deserialize)]
struct Row {
    file: String,
    x: f32,
    y: f32,
    width: f32,
    height: f32,
    right_eye_x: f32,
    right_eye_y: f32,
    left_eye_x: f32,
    left_eye_y: f32,
    nose_x: f32,
    nose_y: f32,
    right_mouth_x: f32,
    right_mouth_y: f32,
    left_mouth_x: f32,
    left_mouth_y: f32,
}

impl Row {
    /// None if it is no face: not finite, or without extent.
    fn face(&self) -> Option<Face> {
        let point = |x, y| PixelPoint { x, y };
        let face = Face {
            rect: PixelRect { x: self.x, y: self.y, width: self.width, height: self.height },
            points: [
                point(self.right_eye_x, self.right_eye_y),
                point(self.left_eye_x, self.left_eye_y),
                point(self.nose_x, self.nose_y),
                point(self.right_mouth_x, self.right_mouth_y),
                point(self.left_mouth_x, self.left_mouth_y),
            ],
        };
        let finite = [self.x, self.y].iter().all(|v| v.is_finite())
            && face.points.iter().all(|p| p.x.is_finite() && p.y.is_finite());
        let has_extent = face.side().is_finite() && face.rect.width >= 1.0 && face.rect.height >= 1.0;
        (finite && has_extent && face.eye_distance() > 0.0).then_some(face)
    }
}

/// Reads the set in `folder`.
///
/// # Errors
/// Bad input: a file that is missing or damaged, a line that is no face, no faces at all.
pub fn read(folder: &Path) -> anyhow::Result<FaceSet> {
    let table = folder.join(TABLE);
    let text = fs::read(&table).map_err(|error| unreadable(&table, &error))?;
    let rows = rows(&table, &text)?;
    let mut contents = contents(folder, &rows)?;
    let mut hash = Sha256::new();
    hash.update(&text);
    let mut files = Vec::with_capacity(rows.len());
    for (file, faces) in rows {
        let bytes = contents.remove(&file).ok_or_else(|| {
            bad_input(format!(
                "{}: the picture {file} is neither in {ARCHIVE} nor in {FOLDER}/ beside it",
                table.display()
            ))
        })?;
        hash.update(&bytes);
        files.push((file, faces, bytes));
    }
    let pictures = files
        .into_par_iter()
        .map(|(file, faces, bytes)| {
            let pyramid = Pyramid::new(decode(&folder.join(&file), &bytes)?);
            Ok(Picture { subject: subject(&file).to_owned(), pyramid, faces })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(FaceSet { sha256: hex(&hash.finalize()), pictures })
}

/// Every picture with its faces, in the order in which the table names them first.
fn rows(table: &Path, text: &[u8]) -> anyhow::Result<Vec<(String, Vec<Face>)>> {
    let mut reader = csv::Reader::from_reader(text);
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut pictures: Vec<(String, Vec<Face>)> = Vec::new();
    for (index, row) in reader.deserialize::<Row>().enumerate() {
        let line = index + 2;
        let refuse = |what: String| bad_input(format!("{}, line {line}: {what}", table.display()));
        let row = row.map_err(|error| refuse(error.to_string()))?;
        let face = row.face().ok_or_else(|| refuse("box and points are no face's; remove the line".into()))?;
        let place = *places.entry(row.file.clone()).or_insert_with(|| {
            pictures.push((row.file, Vec::new()));
            pictures.len() - 1
        });
        pictures[place].1.push(face);
    }
    if pictures.is_empty() {
        return Err(bad_input(format!("{}: there is no face in it; check the path", table.display())));
    }
    Ok(pictures)
}

/// The bytes of the pictures, by their names in the table.
fn contents(folder: &Path, rows: &[(String, Vec<Face>)]) -> anyhow::Result<HashMap<String, Vec<u8>>> {
    let archive = folder.join(ARCHIVE);
    if archive.is_file() {
        return from_archive(&archive);
    }
    let inner = folder.join(FOLDER);
    let root = if inner.is_dir() { inner } else { folder.to_path_buf() };
    rows.iter()
        .map(|(file, _)| {
            let path = root.join(file);
            let bytes = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
            Ok((file.clone(), bytes))
        })
        .collect()
}

/// Every file of an archive by its name without folders.
fn from_archive(path: &Path) -> anyhow::Result<HashMap<String, Vec<u8>>> {
    let refuse = |error: std::io::Error| unreadable(path, &error);
    let mut archive = tar::Archive::new(BufReader::new(File::open(path).map_err(refuse)?));
    let mut files = HashMap::new();
    for entry in archive.entries().map_err(refuse)? {
        let entry = entry.map_err(refuse)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name: PathBuf = entry.path().map_err(refuse)?.into_owned();
        let Some(name) = name.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
        let mut bytes = Vec::new();
        entry.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(refuse)?;
        files.insert(name, bytes);
    }
    Ok(files)
}

/// Whom a picture shows: `training_Ann_Lee_00.jpg` and `test_Ann_Lee_07.jpg` show `Ann_Lee`.
fn subject(file: &str) -> &str {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let name = ["training_", "test_", "validation_"].iter().find_map(|part| stem.strip_prefix(part)).unwrap_or(stem);
    match name.rsplit_once('_') {
        Some((name, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => name,
    }
}

impl FaceSet {
    /// Holds out `share` (0..=1) of the pictures, whole subjects, by a seed.
    pub fn split(self, share: f32, seed: u64) -> FaceSplit {
        let members: Vec<_> =
            self.pictures.iter().map(|picture| (subject_hash(&picture.subject, seed), None)).collect();
        let mut split = FaceSplit { train: Vec::new(), held_out: Vec::new() };
        for (picture, drawn) in self.pictures.into_iter().zip(draw(&members, share)) {
            if drawn { split.held_out.push(picture) } else { split.train.push(picture) }
        }
        split
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use models::GrayImage;

    use super::*;
    use crate::failure::is_bad_input;

    const HEADER: &str = "file,x,y,width,height,right_eye_x,right_eye_y,left_eye_x,left_eye_y,nose_x,nose_y,\
                          right_mouth_x,right_mouth_y,left_mouth_x,left_mouth_y,score,points_from\n";
    const NUMBERS: &str = "4,5,16,20,8,11,16,11,12,15,9,20,15,20,0.9,teacher\n";

    fn png() -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::GrayImage::from_pixel(32, 30, image::Luma([90])).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn archives_and_folders_give_the_same() {
        let root = tempfile::tempdir().unwrap();
        let text =
            format!("{HEADER}training_A_B_00.png,{NUMBERS}training_A_B_01.png,{NUMBERS}training_A_B_00.png,{NUMBERS}");
        for name in ["packed", "plain/images"] {
            fs::create_dir_all(root.path().join(name)).unwrap();
        }
        let mut archive = tar::Builder::new(File::create(root.path().join("packed/images.tar")).unwrap());
        for file in ["training_A_B_01.png", "training_A_B_00.png"] {
            let mut header = tar::Header::new_ustar();
            header.set_size(png().len() as u64);
            archive.append_data(&mut header, file, &png()[..]).unwrap();
            fs::write(root.path().join("plain/images").join(file), png()).unwrap();
        }
        archive.finish().unwrap();
        let [packed, plain] = ["packed", "plain"].map(|name| {
            fs::write(root.path().join(name).join(TABLE), &text).unwrap();
            read(&root.path().join(name)).unwrap()
        });
        assert_eq!(packed.sha256, plain.sha256);
        assert_eq!(packed.pictures.len(), 2);
        assert_eq!(packed.pictures[0].faces.len(), 2);
        assert_eq!(packed.pictures[0].faces[0].points[1], PixelPoint { x: 16.0, y: 11.0 });
        assert_eq!(plain.pictures[1].subject, "A_B");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let root = tempfile::tempdir().unwrap();
        let told = |text: &str| {
            fs::write(root.path().join(TABLE), text).unwrap();
            let error = read(root.path()).err().unwrap();
            assert!(is_bad_input(&error), "{error:#}");
            format!("{error:#}")
        };
        assert!(told(HEADER).contains("no face"));
        assert!(told(&format!("{HEADER}a_00.png,{NUMBERS}")).contains("a_00.png"));
        assert!(told(&format!("{HEADER}a_00.png,{NUMBERS}b,4,5,x,1,2\n")).contains("line 3"));
        assert!(told(&format!("{HEADER}a_00.png,{}", NUMBERS.replace(",16,20", ",0,20"))).contains("line 2"));
        fs::write(root.path().join("a_00.png"), b"no picture").unwrap();
        assert!(told(&format!("{HEADER}a_00.png,{NUMBERS}")).contains("a_00.png"));
    }

    #[test]
    fn no_subject_is_on_both_sides() {
        let picture = |index: usize| Picture {
            subject: format!("s{}", index % 23),
            pyramid: Pyramid::new(GrayImage::new(8, 8)),
            faces: Vec::new(),
        };
        for seed in 0..20 {
            let set = FaceSet { sha256: String::new(), pictures: (0..200).map(picture).collect() };
            let split = set.split(0.15, seed);
            let subjects = |side: &[Picture]| side.iter().map(|p| p.subject.clone()).collect::<BTreeSet<_>>();
            assert!(subjects(&split.train).is_disjoint(&subjects(&split.held_out)));
            assert_eq!(split.train.len() + split.held_out.len(), 200);
            assert!((25..=45).contains(&split.held_out.len()), "{}", split.held_out.len());
        }
    }

    #[test]
    fn subjects_are_read_from_names() {
        for (file, name) in [
            ("training_Abdel_Aziz_Al-Hakim_00.jpg", "Abdel_Aziz_Al-Hakim"),
            ("test_Abdel_Aziz_Al-Hakim_12.jpg", "Abdel_Aziz_Al-Hakim"),
            ("anna.png", "anna"),
            ("anna_lee", "anna_lee"),
        ] {
            assert_eq!(subject(file), name);
        }
    }
}
