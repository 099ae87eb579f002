//! The two ways to an OLED's controller.

use std::fmt::Display;
use std::path::Path;

use embedded_hal::digital::OutputPin;
use embedded_hal::i2c::I2c;
use embedded_hal::spi::SpiDevice;

use crate::diagnostics::Problem;

/// Control bytes in front of an I2C message (SSD1306 data sheet, 8.1.5.2).
const COMMANDS: u8 = 0x00;
const PIXELS: u8 = 0x40;

/// Takes commands and pixels.
pub trait Bus {
    /// Sends commands, or pixels if `is_data`: at most a page of 128 bytes.
    ///
    /// # Errors
    /// They did not arrive; the error names the panel.
    fn send(&mut self, is_data: bool, bytes: &[u8]) -> anyhow::Result<()>;
}

/// I2C, where a byte in front says what follows.
pub struct I2cBus<I> {
    i2c: I,
    address: u8,
    name: String,
    message: Vec<u8>,
}

impl<I> I2cBus<I> {
    /// The controller at `address` of the bus, whose node gives it its name.
    pub fn new(i2c: I, address: u8, node: &Path) -> Self {
        Self { i2c, address, name: node.display().to_string(), message: Vec::new() }
    }
}

impl<I: I2c<Error: Display>> Bus for I2cBus<I> {
    fn send(&mut self, is_data: bool, bytes: &[u8]) -> anyhow::Result<()> {
        self.message.clear();
        self.message.push(if is_data { PIXELS } else { COMMANDS });
        self.message.extend_from_slice(bytes);
        self.i2c.write(self.address, &self.message).map_err(|error| {
            let Self { address, name, .. } = self;
            let number = name.rsplit_once('-').map_or("1", |(_, number)| number);
            let problem = Problem::failure(format!("panel: no OLED answers at address {address:#04x} of {name}"));
            anyhow::anyhow!("{error}").context(problem.next_step(format!(
                "Check its power and wires; `i2cdetect -y {number}` (package i2c-tools) shows the addresses that \
                 answer, as a rule 3c or 3d: `address` of [panel-oled]."
            )))
        })
    }
}

/// SPI with a pin that says what follows.
pub struct SpiBus<S, P> {
    spi: S,
    dc: P,
    name: String,
}

impl<S, P> SpiBus<S, P> {
    /// The controller at the end of an SPI device, whose node gives it its name.
    pub fn new(spi: S, dc: P, node: &Path) -> Self {
        Self { spi, dc, name: node.display().to_string() }
    }
}

impl<S: SpiDevice<Error: Display>, P: OutputPin<Error: Display>> Bus for SpiBus<S, P> {
    fn send(&mut self, is_data: bool, bytes: &[u8]) -> anyhow::Result<()> {
        let failed = |cause: &dyn Display| {
            let problem = Problem::failure(format!("panel: the OLED on {} cannot be reached", self.name));
            anyhow::anyhow!("{cause}").context(problem)
        };
        let level = if is_data { self.dc.set_high() } else { self.dc.set_low() };
        level.map_err(|error| failed(&error))?;
        self.spi.write(bytes).map_err(|error| failed(&error))
    }
}
