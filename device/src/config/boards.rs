//! The files of `deploy/boards` hold to their form, and their settings are settings of `mien`.

use std::path::Path;

use serde::Deserialize;

use super::Config;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Board {
    name: String,
    cpu: String,
    target: String,
    system: String,
    glibc: String,
    camera: String,
    panel: String,
    settings: String,
}

#[test]
fn every_board_says_what_it_is_and_how_it_is_set_up() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/boards");
    let mut boards = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let board: Board = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let said = [&board.name, &board.cpu, &board.system, &board.camera, &board.panel];
        assert!(said.iter().all(|text| !text.is_empty()), "{}", path.display());
        assert_eq!(board.target, "aarch64-unknown-linux-gnu");
        let (major, minor) = board.glibc.split_once('.').unwrap();
        assert!(major == "2" && minor.parse::<u32>().is_ok(), "{}", path.display());
        Config::parse(&board.settings, &path).unwrap();
        boards += 1;
    }
    assert!(boards >= 5, "{boards} boards");
}
