//! Whatever is wrong with what the programs are given, or with the disk: one clear message, exit code 2 or 1, nothing
//! half-written, no panic.

#![allow(clippy::unwrap_used)]

mod device;
mod disks;
mod trainer;
