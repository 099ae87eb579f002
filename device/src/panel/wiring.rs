//! The kernel's SPI, I2C and GPIO, opened for a panel; what goes wrong is said with what
//! cures it.

use std::io;
use std::path::Path;

use anyhow::Context;
use linux_embedded_hal::gpio_cdev::{Chip, LineRequestFlags};
use linux_embedded_hal::spidev::{SpiModeFlags, Spidev, SpidevOptions};
use linux_embedded_hal::{CdevPin, I2cdev, SpidevDevice};
use serde::Deserialize;

use crate::diagnostics::Problem;

/// The name under which the kernel lists our lines (`gpioinfo`).
const CONSUMER: &str = "mien";
/// Most bytes of one SPI transfer where the kernel does not say.
const USUAL_TRANSFER_BYTES: usize = 4096;

/// How a panel is turned, clockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub enum Rotation {
    /// Not at all.
    #[default]
    None,
    /// By 90 degrees.
    Quarter,
    /// By 180 degrees.
    Half,
    /// By 270 degrees.
    ThreeQuarters,
}

impl TryFrom<u32> for Rotation {
    type Error = String;

    fn try_from(degrees: u32) -> Result<Self, String> {
        match degrees {
            0 => Ok(Self::None),
            90 => Ok(Self::Quarter),
            180 => Ok(Self::Half),
            270 => Ok(Self::ThreeQuarters),
            _ => Err(format!("must be 0, 90, 180 or 270 degrees, not {degrees}")),
        }
    }
}

/// Opens an SPI device; `mode` is the SPI mode, 0 to 3.
///
/// # Errors
/// It is not there, may not be opened, or does not take clock and mode.
pub fn spi(node: &Path, clock_hz: u32, mode: u8) -> anyhow::Result<SpidevDevice> {
    let options = SpidevOptions::new()
        .bits_per_word(8)
        .max_speed_hz(clock_hz)
        .mode(SpiModeFlags::from_bits_truncate(mode.into()))
        .build();
    let open = || {
        let mut device = Spidev::open(node)?;
        device.configure(&options)?;
        Ok(SpidevDevice(device))
    };
    open().map_err(|error| bus_problem(node, error, "spi", "dtparam=spi=on"))
}

/// Opens an I2C bus.
///
/// # Errors
/// It is not there or may not be opened.
pub fn i2c(node: &Path) -> anyhow::Result<I2cdev> {
    I2cdev::new(node).map_err(|error| bus_problem(node, error.into(), "i2c", "dtparam=i2c_arm=on"))
}

/// Takes a GPIO line as an output that starts at `high`.
///
/// # Errors
/// The chip is not there, may not be opened, has no such line, or the line is taken.
pub fn output(chip: &Path, line: u32, high: bool) -> anyhow::Result<CdevPin> {
    let take = || -> anyhow::Result<CdevPin> {
        let line = Chip::new(chip)?.get_line(line)?;
        Ok(CdevPin::new(line.request(LineRequestFlags::OUTPUT, u8::from(high), CONSUMER)?)?)
    };
    take().with_context(|| line_problem(chip, line))
}

/// Finds out whether a GPIO line is there and free, and leaves it as it is.
///
/// # Errors
/// The chip is not there, may not be opened, has no such line, or the line is taken.
pub fn look_at_line(chip: &Path, line: u32) -> anyhow::Result<()> {
    let look = || {
        let info = Chip::new(chip)?.get_line(line)?.info()?;
        let user = info.consumer().unwrap_or("somebody").to_owned();
        anyhow::ensure!(!info.is_used(), "{user} uses it");
        Ok(())
    };
    look().with_context(|| line_problem(chip, line))
}

/// Most bytes that the kernel takes in one SPI transfer.
pub fn spi_transfer_bytes() -> usize {
    std::fs::read_to_string("/sys/module/spidev/parameters/bufsiz")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .filter(|bytes| *bytes > 0)
        .unwrap_or(USUAL_TRANSFER_BYTES)
}

fn line_problem(chip: &Path, line: u32) -> Problem {
    Problem::failure(format!("panel: line {line} of {} cannot be used", chip.display())).next_step(
        "`gpioinfo` (package gpiod) lists chips and lines and who uses them; you must be in the group gpio \
         (sudo usermod -aG gpio $USER). `gpio-chip` and the pins are set in the configuration.",
    )
}

/// What cures a bus that cannot be opened; `name` is that of its devices and its group, `switch`
/// what a Raspberry Pi switches it on with.
fn bus_problem(node: &Path, error: io::Error, name: &str, switch: &str) -> anyhow::Error {
    let step = match error.kind() {
        io::ErrorKind::NotFound => format!(
            "Is it switched on? On a Raspberry Pi: {switch} in /boot/firmware/config.txt, or `sudo raspi-config`, \
             Interface Options; then restart. `ls /dev/{name}*` lists what there is, `device` of the configuration \
             names it."
        ),
        io::ErrorKind::PermissionDenied => {
            format!("You must be in the group {name}: sudo usermod -aG {name} $USER, then log in again.")
        }
        _ => format!("`device` of the configuration must name an {name} device of the kernel."),
    };
    let problem = Problem::failure(format!("panel: {} cannot be used", node.display())).next_step(step);
    anyhow::Error::new(error).context(problem)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::diagnostics::message;

    #[test]
    fn what_is_not_there_is_named_with_its_cure() {
        let folder = tempfile::tempdir().unwrap();
        let none = folder.path().join("spidev7.0");
        let text = message(&spi(&none, 1_000_000, 0).err().unwrap());
        assert!(text.contains("spidev7.0 cannot be used") && text.contains("dtparam=spi=on"), "{text}");
        let text = message(&i2c(&folder.path().join("i2c-7")).err().unwrap());
        assert!(text.contains("i2c-7 cannot be used") && text.contains("dtparam=i2c_arm=on"), "{text}");
        let text = message(&output(&folder.path().join("gpiochip7"), 25, true).err().unwrap());
        assert!(text.contains("line 25 of") && text.contains("gpioinfo"), "{text}");
    }

    #[test]
    fn what_is_something_else_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = message(&spi(file.path(), 1_000_000, 0).err().unwrap());
        assert!(text.contains("must name an spi device"), "{text}");
        assert!(i2c(file.path()).is_err());
    }
}
