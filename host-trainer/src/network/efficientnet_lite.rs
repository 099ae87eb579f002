//! EfficientNet-Lite0 (Liu 2020, "Higher accuracy on vision models with EfficientNet-Lite"): EfficientNet-B0 for edge devices, with
//! ReLU6 and without squeeze-and-excitation.
//!
//! Convolutions of stride 2 pad evenly here, where TensorFlow's pad below and at the right only: half a pixel's shift, which
//! fine-tuning takes up.

use burn::tensor::Device;

use super::efficientnet::STAGES;
use super::inverted_residual::Kind;
use super::mobilenet_v2::MobileNetV2;
use crate::config::HeadConfig;

/// What the names of Melas-Kyriazi's EfficientNet-PyTorch become, under which weights for PyTorch are published.
pub const TORCH_NAMES: &[(&str, &str)] = &[
    (r"^_conv_stem\.", "stem.conv."),
    (r"^_bn0\.", "stem.norm."),
    (r"^_conv_head\.", "last.conv."),
    (r"^_bn1\.", "last.norm."),
    (r"^_blocks\.(\d+)\._expand_conv\.", "blocks.$1.expand.conv."),
    (r"^_blocks\.(\d+)\._bn0\.", "blocks.$1.expand.norm."),
    (r"^_blocks\.(\d+)\._depthwise_conv\.", "blocks.$1.depthwise.conv."),
    (r"^_blocks\.(\d+)\._bn1\.", "blocks.$1.depthwise.norm."),
    (r"^_blocks\.(\d+)\._project_conv\.", "blocks.$1.project.conv."),
    (r"^_blocks\.(\d+)\._bn2\.", "blocks.$1.project.norm."),
    (r"^_fc\.", "head.output."),
];

/// EfficientNet-B0's stages in MobileNetV2's form.
pub fn lite0(head: &HeadConfig, channels: usize, classes: usize, device: &Device) -> MobileNetV2 {
    MobileNetV2::of(STAGES, Kind::EfficientNetLite, head, [channels, classes], device)
}
