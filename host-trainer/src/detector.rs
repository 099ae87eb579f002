//! A face detector of Mien's own: scenes composed of labelled pictures, a network of the YuNet form, its training, its
//! ONNX files and its figures.

mod annotation;
mod batches;
mod config;
pub mod evaluate;
mod export;
mod faces;
mod form;
mod loss;
mod network;
mod picture;
mod scene;
mod targets;
pub mod train;

pub use self::network::DetectorNet;

/// Names of the shipped trial files of detectors, which lie beside trials of another kind.
pub const TRIALS: [&str; 3] = ["detector.toml", "detector-continued.toml", "detector-hazy.toml"];
