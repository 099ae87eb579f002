//! A face detector of Mien's own: scenes composed of labelled pictures, a network of the YuNet form, its training, its
//! ONNX files and its figures.

mod annotation;
mod batches;
mod config;
pub mod evaluate;
mod export;
mod faces;
mod loss;
mod network;
mod picture;
mod scene;
mod targets;
pub mod train;

pub use self::network::DetectorNet;

/// Name of the shipped detector's trial file, which lies beside trials of another kind.
pub const TRIAL: &str = "detector.toml";
