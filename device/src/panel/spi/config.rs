//! `[panel-spi]` of the configuration: how a colour panel on SPI is wired.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::de::{IntoDeserializer, value};
use serde::{Deserialize, Deserializer};

use crate::panel::wiring::Rotation;

/// Wiring and kind of a panel. The defaults are the usual wiring of small ST7789 panels
/// on a Raspberry Pi.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SpiConfig {
    /// The controller of the panel.
    pub model: SpiModel,
    /// Width in px of the panel as it is not turned; without it that of the controller's
    /// memory.
    pub width: Option<u16>,
    /// Height in px, likewise.
    pub height: Option<u16>,
    /// Columns of the memory left of the visible part, as it is not turned.
    pub x_offset: u16,
    /// Rows of the memory above the visible part, likewise.
    pub y_offset: u16,
    /// How the panel is turned.
    pub rotation: Rotation,
    /// The panel shows colours inverted unless told otherwise, as IPS panels do.
    pub invert: bool,
    /// The panel has blue where others have red.
    pub bgr: bool,
    /// The kernel's SPI device; bus and chip select.
    pub device: PathBuf,
    /// Most clock cycles a second; the kernel takes the next lower rate that it can make.
    #[serde(deserialize_with = "crate::config::check::at_least_one")]
    pub clock_hz: u32,
    /// The SPI mode, 0..=3: panels without a chip select pin want 3.
    #[serde(deserialize_with = "spi_mode")]
    pub spi_mode: u8,
    /// The chip of all pins.
    pub gpio_chip: PathBuf,
    /// Line of the data/command pin.
    pub dc_pin: u32,
    /// Line of the reset pin; without it the panel is reset by a command.
    pub reset_pin: Option<u32>,
    /// Line that switches the light on, if it hangs on one.
    pub backlight_pin: Option<u32>,
}

impl Default for SpiConfig {
    fn default() -> Self {
        Self {
            model: SpiModel::St7789,
            width: None,
            height: None,
            x_offset: 0,
            y_offset: 0,
            rotation: Rotation::None,
            invert: false,
            bgr: false,
            device: "/dev/spidev0.0".into(),
            clock_hz: 32_000_000,
            spi_mode: 0,
            gpio_chip: "/dev/gpiochip0".into(),
            dc_pin: 25,
            reset_pin: None,
            backlight_pin: None,
        }
    }
}

/// The controllers that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "they are names of chips")]
pub enum SpiModel {
    Gc9107,
    Gc9a01,
    Ili9225,
    Ili9341,
    Ili9342c,
    Ili9486,
    Ili9488,
    St7735s,
    St7789,
    St7796,
}

impl FromStr for SpiModel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::deserialize(text.into_deserializer()).map_err(|error: value::Error| error.to_string())
    }
}

impl fmt::Display for SpiModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_lowercase())
    }
}

fn spi_mode<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    match u8::deserialize(from)? {
        mode @ 0..=3 => Ok(mode),
        mode => Err(serde::de::Error::custom(format!("must be 0 to 3, not {mode}"))),
    }
}
