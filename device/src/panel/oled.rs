//! Monochrome OLEDs with an SSD1306 or SH1106 on I2C or SPI, driven by `ssd1306`.
//!
//! Both controllers know the SSD1306's page mode, in which a page of eight rows is written
//! from a column on; the SH1106 knows no other.

mod bus;
mod config;

use anyhow::Context;
use display_interface::{DataFormat, DisplayError, WriteOnlyDataCommand};
use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::primitives::Rectangle;
use embedded_hal::delay::DelayNs;
use embedded_hal::digital::OutputPin;
use linux_embedded_hal::{CdevPin, Delay};
use ssd1306::Ssd1306;
use ssd1306::command::{AddrMode, Command, Page};
use ssd1306::prelude::{DisplayRotation, DisplaySize128x32, DisplaySize128x64};

use self::bus::{Bus, I2cBus, SpiBus};
pub use self::config::{OledConfig, OledModel};
use super::{Panel, wiring};
use crate::screen::canvas::Canvas;

/// Columns of every OLED that is known.
const WIDTH: u32 = 128;
/// Rows of a page.
const PAGE: u32 = 8;
/// Pixels of this brightness and above are lit, 0..=255.
const LIT_FROM: u32 = 128;
/// How long the reset pin is held low, and how long the controller then takes, in µs.
const RESET_US: u32 = 10;

/// A command that does nothing.
const NOTHING: u8 = 0xe3;

/// Asks whether an OLED answers on I2C, and changes nothing about it.
///
/// # Errors
/// The bus cannot be used, or nobody answers.
pub fn greet(config: &OledConfig) -> anyhow::Result<()> {
    I2cBus::new(wiring::i2c(&config.device)?, config.address, &config.device).send(false, &[NOTHING])
}

/// An OLED on a bus.
pub struct OledPanel {
    link: Link,
    /// Held: a line that is let go may fall, and keep the controller reset.
    _reset: Option<CdevPin>,
    height: u32,
    upside_down: bool,
    /// First column of the memory that is seen.
    first_column: u8,
    /// It was set up, and nothing went wrong since: one that lost power forgets it all.
    is_ready: bool,
}

impl OledPanel {
    /// Opens bus and pins and sets the OLED up.
    ///
    /// # Errors
    /// Bus or pins cannot be used, or nobody answers.
    pub fn open(config: &OledConfig) -> anyhow::Result<Self> {
        let pin = |line, high| wiring::output(&config.gpio_chip, line, high);
        let mut reset_pin = config.reset_pin.map(|line| pin(line, true)).transpose()?;
        if let Some(pin) = &mut reset_pin {
            reset(pin, &mut Delay).context("panel: reset pin")?;
        }
        let bus: Box<dyn Bus + Send> = if config.is_on_spi() {
            let spi = wiring::spi(&config.device, config.clock_hz, 0)?;
            Box::new(SpiBus::new(spi, pin(config.dc_pin, false)?, &config.device))
        } else {
            Box::new(I2cBus::new(wiring::i2c(&config.device)?, config.address, &config.device))
        };
        let mut panel = Self { _reset: reset_pin, ..Self::new(config, bus) };
        panel.set_up()?;
        Ok(panel)
    }

    fn new(config: &OledConfig, bus: Box<dyn Bus + Send>) -> Self {
        let first_column = match config.model {
            OledModel::Ssd1306 => 0,
            OledModel::Sh1106 => 2,
        };
        Self {
            link: Link { bus, trouble: None },
            _reset: None,
            height: config.height,
            upside_down: config.upside_down,
            first_column,
            is_ready: false,
        }
    }

    fn set_up(&mut self) -> anyhow::Result<()> {
        let rotation = if self.upside_down { DisplayRotation::Rotate180 } else { DisplayRotation::Rotate0 };
        let link = &mut self.link;
        let done = if self.height == 32 {
            Ssd1306::new(&mut *link, DisplaySize128x32, rotation).init_with_addr_mode(AddrMode::Page)
        } else {
            Ssd1306::new(&mut *link, DisplaySize128x64, rotation).init_with_addr_mode(AddrMode::Page)
        };
        done.map_err(|error| link.cause_of(error))?;
        self.is_ready = true;
        Ok(())
    }

    fn show(&mut self, canvas: &Canvas, area: Rectangle) -> Result<(), DisplayError> {
        let (top, bottom) = (area.rows().start as u32, area.rows().end as u32);
        for page in top / PAGE..bottom.div_ceil(PAGE) {
            let bytes: Vec<u8> = area.columns().map(|x| column(canvas, x, page)).collect();
            let mut link = &mut self.link;
            Command::PageStart(Page::from((PAGE * page) as u8)).send(&mut link)?;
            Command::ColStart(self.first_column + area.top_left.x as u8).send(&mut link)?;
            link.send_data(DataFormat::U8(&bytes))?;
        }
        Ok(())
    }
}

impl Panel for OledPanel {
    fn size(&self) -> Size {
        Size::new(WIDTH, self.height)
    }

    fn is_slow(&self) -> bool {
        true
    }

    fn flush(&mut self, canvas: &Canvas, changed: &[Rectangle]) -> anyhow::Result<()> {
        if !self.is_ready {
            self.set_up()?;
        }
        let shown = changed.iter().try_for_each(|area| self.show(canvas, *area));
        shown.map_err(|error| {
            self.is_ready = false;
            self.link.cause_of(error)
        })
    }
}

/// Eight pixels below each other as the controller has them, the uppermost in bit 0.
fn column(canvas: &Canvas, x: i32, page: u32) -> u8 {
    let rows = (PAGE * page) as i32..(PAGE * (page + 1)) as i32;
    rows.rev().fold(0, |byte, y| {
        let pixel = canvas.pixels_of(Rectangle::new(Point::new(x, y), Size::new(1, 1)), y).next().unwrap_or(&[]);
        byte << 1 | u8::from(is_lit(pixel))
    })
}

/// Brightness after ITU-R BT.601.
fn is_lit(rgb: &[u8]) -> bool {
    let weighed = rgb.iter().zip([299, 587, 114]).map(|(level, weight)| u32::from(*level) * weight);
    weighed.sum::<u32>() >= 1000 * LIT_FROM
}

fn reset(pin: &mut CdevPin, delay: &mut impl DelayNs) -> anyhow::Result<()> {
    let failed = |error| anyhow::anyhow!("{error}");
    pin.set_low().map_err(failed)?;
    delay.delay_us(RESET_US);
    pin.set_high().map_err(failed)?;
    delay.delay_us(RESET_US);
    Ok(())
}

/// The way to the controller. The library's error says only that there was one; what it was
/// is kept here.
struct Link {
    bus: Box<dyn Bus + Send>,
    trouble: Option<anyhow::Error>,
}

impl Link {
    fn cause_of(&mut self, error: DisplayError) -> anyhow::Error {
        self.trouble.take().unwrap_or_else(|| anyhow::anyhow!("panel: {error:?}"))
    }

    fn send(&mut self, is_data: bool, bytes: DataFormat<'_>) -> Result<(), DisplayError> {
        let DataFormat::U8(bytes) = bytes else { return Err(DisplayError::DataFormatNotImplemented) };
        self.bus.send(is_data, bytes).map_err(|error| {
            self.trouble = Some(error);
            DisplayError::BusWriteError
        })
    }
}

impl WriteOnlyDataCommand for &mut Link {
    fn send_commands(&mut self, bytes: DataFormat<'_>) -> Result<(), DisplayError> {
        self.send(false, bytes)
    }

    fn send_data(&mut self, bytes: DataFormat<'_>) -> Result<(), DisplayError> {
        self.send(true, bytes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
