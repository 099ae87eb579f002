//! `[panel-oled]` of the configuration: how a monochrome OLED is wired.

use std::path::PathBuf;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::config::check::at_least_one;

/// Wiring and kind of an OLED. The defaults are those of the common modules with four pins
/// on a Raspberry Pi.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct OledConfig {
    /// The controller.
    pub model: OledModel,
    /// Rows in px: 32 or 64.
    #[serde(deserialize_with = "height")]
    pub height: u32,
    /// The picture is turned by 180 degrees.
    pub upside_down: bool,
    /// The kernel's I2C bus, or its SPI device.
    pub device: PathBuf,
    /// Address on the I2C bus, 7 bits.
    #[serde(deserialize_with = "address")]
    pub address: u8,
    /// For SPI: most clock cycles a second.
    #[serde(deserialize_with = "at_least_one")]
    pub clock_hz: u32,
    /// For SPI: line of the data/command pin.
    pub dc_pin: u32,
    /// The chip of all pins.
    pub gpio_chip: PathBuf,
    /// Line of the reset pin; without it the module resets itself.
    pub reset_pin: Option<u32>,
}

impl Default for OledConfig {
    fn default() -> Self {
        Self {
            model: OledModel::Ssd1306,
            height: 64,
            upside_down: false,
            device: "/dev/i2c-1".into(),
            address: 0x3c,
            clock_hz: 8_000_000,
            dc_pin: 25,
            gpio_chip: "/dev/gpiochip0".into(),
            reset_pin: None,
        }
    }
}

impl OledConfig {
    /// Whether `device` is on SPI: the kernel calls such devices `spidev0.0`.
    pub fn is_on_spi(&self) -> bool {
        self.device.file_name().is_some_and(|name| name.to_string_lossy().starts_with("spidev"))
    }
}

/// The controllers that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OledModel {
    /// That of most modules with 0.91 and 0.96 inches.
    Ssd1306,
    /// That of most modules with 1.3 inches: it has two columns more at either side.
    Sh1106,
}

fn height<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        height @ (32 | 64) => Ok(height),
        height => Err(D::Error::custom(format!("must be 32 or 64, not {height}"))),
    }
}

fn address<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    match u8::deserialize(from)? {
        address @ 0x08..=0x77 => Ok(address),
        address => Err(D::Error::custom(format!("must be 0x08 to 0x77, as a rule 0x3c or 0x3d, not {address:#x}"))),
    }
}
