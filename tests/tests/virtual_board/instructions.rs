//! What a frame costs on the processor of a board. Its clock counts instructions there, so that a slower program is
//! seen where times would be noise.

use serde_json::Value;

use super::{arm_program, boot, text};

/// Thousands of instructions that a frame of 640x480 may cost in the median, which is one whose faces are followed: a
/// tenth more than it did when this was last set, with Debian 12's Rust.
const LIMITS: [(&str, u64); 2] = [("mjpeg", 61_700), ("yuyv", 34_700)];

#[test]
fn a_frame_costs_no_more_instructions_than_it_did() {
    if arm_program().is_none() {
        return;
    }
    let Some(board) = boot("instructions") else { return };
    for (name, limit) in LIMITS {
        let told = text(&board, &format!("bench-{name}.txt"));
        println!("{told}");
        assert!(told.ends_with("exit 0\n"), "{told}");
        let report: Value = serde_json::from_str(&text(&board, &format!("bench-{name}.json"))).unwrap();
        let stages = report["stages"].as_array().unwrap();
        let total = stages.iter().find(|stage| stage["name"] == "total").unwrap()["median_us"].as_u64().unwrap();
        assert!(total > limit / 2, "{name}: {total} thousand; set the limit of {limit} anew");
        assert!(total <= limit, "{name}: {total} thousand instructions, and no more than {limit} are allowed\n{told}");
    }
}
