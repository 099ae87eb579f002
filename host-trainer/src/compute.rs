//! Which processor the tensors live on.

use burn::tensor::Device;
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::failure::bad_input;

/// Where a training computes.
#[derive(Args)]
pub struct Processors {
    /// Processor to train on.
    #[arg(long, value_enum, default_value_t)]
    pub device: Compute,
    /// How many of them share every batch, each with a copy of the network: the first N GPUs. With the CPU they are N parts of
    /// the same one, which is no faster.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub replicas: u16,
}

impl Processors {
    /// Opens all of them.
    ///
    /// # Errors
    /// As [`Compute::open`], or fewer GPUs than asked for.
    pub fn open(&self) -> anyhow::Result<Vec<Device>> {
        (0..usize::from(self.replicas)).map(|index| self.device.open(index)).collect()
    }

    /// Opens the only one, for a training that cannot be shared.
    ///
    /// # Errors
    /// As [`Compute::open`], or several are asked for.
    pub fn open_one(&self) -> anyhow::Result<Device> {
        if self.replicas > 1 {
            return Err(bad_input("--replicas: this training works on one processor only\n  leave the option out"));
        }
        self.device.open(0)
    }
}

/// A processor for training. The GPU ones are cargo features of the trainer.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Compute {
    /// All cores of this machine.
    #[default]
    Cpu,
    /// All cores of this machine, through PyTorch's C++ library (`--features libtorch`).
    Libtorch,
    /// The first NVIDIA GPU, through PyTorch's C++ library (`--features libtorch`).
    LibtorchCuda,
    /// The first NVIDIA GPU (`--features cuda`).
    Cuda,
    /// The first GPU with a Vulkan driver (`--features vulkan`).
    Vulkan,
}

impl Compute {
    /// Opens the GPU with this number, from 0, or the CPU, whatever the number.
    ///
    /// # Errors
    /// The trainer was built without this device, or the machine has none, or not so many: burn itself would
    /// only panic in a worker thread, later.
    fn open(self, index: usize) -> anyhow::Result<Device> {
        match self {
            Self::Cpu => Ok(Device::flex()),
            Self::Libtorch => open_libtorch(),
            Self::LibtorchCuda => open_libtorch_cuda(index),
            Self::Cuda => open_cuda(index),
            Self::Vulkan => open_vulkan(index),
        }
    }
}

#[cfg(feature = "libtorch")]
// Deprecated there for slower ones of their own.
#[allow(deprecated)]
fn open_libtorch() -> anyhow::Result<Device> {
    Ok(Device::libtorch())
}

#[cfg(not(feature = "libtorch"))]
fn open_libtorch() -> anyhow::Result<Device> {
    Err(not_built_in("libtorch", "libtorch"))
}

#[cfg(feature = "libtorch")]
#[allow(deprecated)]
fn open_libtorch_cuda(index: usize) -> anyhow::Result<Device> {
    use burn::tensor::DeviceType;
    let device = Device::libtorch_cuda(index);
    if Device::enumerate(DeviceType::LibTorch).into_vec().contains(&device) {
        return Ok(device);
    }
    Err(bad_input(format!(
        "--device libtorch-cuda: libtorch sees no NVIDIA GPU number {index}\n  `nvidia-smi` should list it, and the lib folder of \
         libtorch should have libtorch_cuda.so; otherwise use --device libtorch"
    )))
}

#[cfg(not(feature = "libtorch"))]
fn open_libtorch_cuda(_index: usize) -> anyhow::Result<Device> {
    Err(not_built_in("libtorch-cuda", "libtorch"))
}

#[cfg(feature = "cuda")]
fn open_cuda(index: usize) -> anyhow::Result<Device> {
    use burn::tensor::DeviceType;
    if Device::enumerate(DeviceType::Cuda).into_vec().len() <= index {
        return Err(bad_input(format!(
            "--device cuda: no NVIDIA GPU number {index} answers\n  `nvidia-smi` should list it; otherwise install the driver, ask for \
             fewer --replicas, or use --device cpu"
        )));
    }
    Ok(Device::cuda(index))
}

#[cfg(not(feature = "cuda"))]
fn open_cuda(_index: usize) -> anyhow::Result<Device> {
    Err(not_built_in("cuda", "cuda"))
}

#[cfg(feature = "vulkan")]
fn open_vulkan(index: usize) -> anyhow::Result<Device> {
    use burn::tensor::{DeviceKind, DeviceType};
    if Device::enumerate(DeviceType::Vulkan).into_vec().len() <= index {
        return Err(bad_input(format!(
            "--device vulkan: no GPU number {index} with a Vulkan driver answers\n  `vulkaninfo --summary` should list it; otherwise \
             install the driver and libvulkan1, ask for fewer --replicas, or use --device cpu"
        )));
    }
    Ok(Device::vulkan(if index == 0 { DeviceKind::DefaultDevice } else { DeviceKind::DiscreteGpu(index) }))
}

#[cfg(not(feature = "vulkan"))]
fn open_vulkan(_index: usize) -> anyhow::Result<Device> {
    Err(not_built_in("vulkan", "vulkan"))
}

#[cfg(not(all(feature = "libtorch", feature = "cuda", feature = "vulkan")))]
fn not_built_in(device: &str, feature: &str) -> anyhow::Error {
    bad_input(format!(
        "--device {device}: this mien-trainer was built without it\n  build it with `cargo build --release -p host-trainer --features {feature}`, or use --device cpu"
    ))
}
