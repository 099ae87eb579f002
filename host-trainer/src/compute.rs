//! Which processor the tensors live on.

use burn::tensor::Device;
use clap::ValueEnum;
use serde::Serialize;

use crate::failure::bad_input;

/// A processor for training. The GPU ones are cargo features of the trainer.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Compute {
    /// All cores of this machine.
    #[default]
    Cpu,
    /// All cores of this machine, through PyTorch's C++ library (`--features libtorch`).
    Libtorch,
    /// The first NVIDIA GPU (`--features cuda`).
    Cuda,
    /// The first GPU with a Vulkan driver (`--features vulkan`).
    Vulkan,
}

impl Compute {
    /// Opens the device.
    ///
    /// # Errors
    /// The trainer was built without this device, or the machine has none: burn itself would
    /// only panic in a worker thread, later.
    pub fn open(self) -> anyhow::Result<Device> {
        match self {
            Self::Cpu => Ok(Device::flex()),
            Self::Libtorch => open_libtorch(),
            Self::Cuda => open_cuda(),
            Self::Vulkan => open_vulkan(),
        }
    }
}

#[cfg(feature = "libtorch")]
fn open_libtorch() -> anyhow::Result<Device> {
    Ok(Device::libtorch())
}

#[cfg(not(feature = "libtorch"))]
fn open_libtorch() -> anyhow::Result<Device> {
    Err(not_built_in("libtorch"))
}

#[cfg(feature = "cuda")]
fn open_cuda() -> anyhow::Result<Device> {
    use burn::tensor::DeviceType;
    if Device::enumerate(DeviceType::Cuda).into_vec().is_empty() {
        return Err(bad_input(
            "--device cuda: no NVIDIA GPU answers\n  `nvidia-smi` should list one; otherwise install the driver, or use --device cpu",
        ));
    }
    Ok(Device::cuda(0))
}

#[cfg(not(feature = "cuda"))]
fn open_cuda() -> anyhow::Result<Device> {
    Err(not_built_in("cuda"))
}

#[cfg(feature = "vulkan")]
fn open_vulkan() -> anyhow::Result<Device> {
    use burn::tensor::{DeviceKind, DeviceType};
    if Device::enumerate(DeviceType::Vulkan).into_vec().is_empty() {
        return Err(bad_input(
            "--device vulkan: no GPU with a Vulkan driver answers\n  `vulkaninfo --summary` should list one; otherwise install the driver and libvulkan1, or use --device cpu",
        ));
    }
    Ok(Device::vulkan(DeviceKind::DefaultDevice))
}

#[cfg(not(feature = "vulkan"))]
fn open_vulkan() -> anyhow::Result<Device> {
    Err(not_built_in("vulkan"))
}

#[cfg(not(all(feature = "libtorch", feature = "cuda", feature = "vulkan")))]
fn not_built_in(feature: &str) -> anyhow::Error {
    bad_input(format!(
        "--device {feature}: this mien-trainer was built without it\n  build it with `cargo build --release -p host-trainer --features {feature}`, or use --device cpu"
    ))
}
