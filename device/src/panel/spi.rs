//! Colour panels on SPI: ST7789, ILI9341 and their like, driven by `mipidsi`.

mod config;

use std::fmt;

use embedded_graphics::geometry::Size;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::primitives::Rectangle;
use embedded_hal::delay::DelayNs;
use embedded_hal::digital::OutputPin;
use embedded_hal::spi::SpiDevice;
use linux_embedded_hal::{CdevPin, Delay};
use mipidsi::interface::{InterfacePixelFormat, SpiError, SpiInterface};
use mipidsi::models::{self, Model};
use mipidsi::options::{self, ColorInversion, ColorOrder, Orientation};
use mipidsi::{Builder, Display, InitError};

pub use self::config::{SpiConfig, SpiModel};
use super::Panel;
use super::wiring::{self, Rotation};
use crate::diagnostics::Problem;
use crate::screen::canvas::Canvas;

/// A panel that was started, and the pin that its light hangs on.
pub struct SpiPanel {
    name: String,
    size: Size,
    glass: Box<dyn Glass + Send>,
    /// Held: a line that is let go may fall back.
    _backlight: Option<CdevPin>,
}

/// The wires to a panel.
struct Wires<S, P> {
    spi: S,
    /// Low for commands, high for data.
    dc: P,
    reset: Option<P>,
}

impl SpiPanel {
    /// Opens the bus and the pins and starts the panel, which takes up to half a second.
    ///
    /// # Errors
    /// Bus or pins cannot be used, or the size does not fit the model.
    pub fn open(config: &SpiConfig) -> anyhow::Result<Self> {
        let pin = |line, high| wiring::output(&config.gpio_chip, line, high);
        let wires = Wires {
            spi: wiring::spi(&config.device, config.clock_hz, config.spi_mode)?,
            dc: pin(config.dc_pin, false)?,
            reset: config.reset_pin.map(|line| pin(line, true)).transpose()?,
        };
        let backlight = config.backlight_pin.map(|line| pin(line, true)).transpose()?;
        let panel = Self::start(config, wires, &mut Delay, wiring::spi_transfer_bytes())?;
        Ok(Self { _backlight: backlight, ..panel })
    }

    /// Starts the panel at the end of `wires`, which take `transfer_bytes` at once.
    fn start<S, P>(
        config: &SpiConfig,
        wires: Wires<S, P>,
        delay: &mut impl DelayNs,
        transfer_bytes: usize,
    ) -> anyhow::Result<Self>
    where
        S: SpiDevice<Error: fmt::Display> + Send + 'static,
        P: OutputPin<Error: fmt::Display> + Send + 'static,
    {
        let name = format!("{} on {}", config.model, config.device.display());
        // The library borrows its buffer; a program opens its panel once, so this lives as long as it does.
        let buffer = vec![0; transfer_bytes.max(LEAST_TRANSFER_BYTES)].leak();
        let reset = wires.reset;
        let wire = SpiInterface::new(wires.spi, wires.dc, buffer);
        let glass = match config.model {
            SpiModel::Gc9a01 => glass(models::GC9A01, wire, reset, config, delay),
            SpiModel::Gc9107 => glass(models::GC9107, wire, reset, config, delay),
            SpiModel::Ili9225 => glass(models::ILI9225Rgb565, wire, reset, config, delay),
            SpiModel::Ili9341 => glass(models::ILI9341Rgb565, wire, reset, config, delay),
            SpiModel::Ili9342c => glass(models::ILI9342CRgb565, wire, reset, config, delay),
            // On SPI these two know three bytes a pixel only.
            SpiModel::Ili9486 => glass(models::ILI9486Rgb666, wire, reset, config, delay),
            SpiModel::Ili9488 => glass(models::ILI9488Rgb666, wire, reset, config, delay),
            SpiModel::St7735s => glass(models::ST7735s, wire, reset, config, delay),
            SpiModel::St7789 => glass(models::ST7789, wire, reset, config, delay),
            SpiModel::St7796 => glass(models::ST7796, wire, reset, config, delay),
        }?;
        Ok(Self { name, size: glass.size(), glass, _backlight: None })
    }
}

/// A pixel of the biggest kind.
const LEAST_TRANSFER_BYTES: usize = 3;

impl Panel for SpiPanel {
    fn size(&self) -> Size {
        self.size
    }

    fn is_slow(&self) -> bool {
        true
    }

    fn flush(&mut self, canvas: &Canvas, changed: &[Rectangle]) -> anyhow::Result<()> {
        changed.iter().try_for_each(|area| self.glass.show(canvas, *area)).map_err(|cause| {
            let problem = Problem::failure(format!("panel {} does not take the picture", self.name));
            anyhow::anyhow!(cause).context(problem)
        })
    }
}

/// A panel of any model, behind any wires.
trait Glass {
    /// Its size in px, as it is turned.
    fn size(&self) -> Size;

    /// Sends `area` of `canvas`; the error is the cause in words.
    fn show(&mut self, canvas: &Canvas, area: Rectangle) -> Result<(), String>;
}

impl<S, P, M, R> Glass for Display<SpiInterface<'static, S, P>, M, R>
where
    S: SpiDevice<Error: fmt::Display>,
    P: OutputPin<Error: fmt::Display>,
    M: Model,
    M::ColorFormat: From<Rgb888> + InterfacePixelFormat<u8>,
    R: OutputPin,
{
    fn size(&self) -> Size {
        embedded_graphics::geometry::OriginDimensions::size(self)
    }

    fn show(&mut self, canvas: &Canvas, area: Rectangle) -> Result<(), String> {
        let Some(end) = area.bottom_right() else { return Ok(()) };
        let colours = area.rows().flat_map(|y| canvas.pixels_of(area, y));
        let colours = colours.map(|rgb| M::ColorFormat::from(Rgb888::new(rgb[0], rgb[1], rgb[2])));
        // A panel's sides are far below what 16 bits hold.
        let [left, top, right, bottom] = [area.top_left.x, area.top_left.y, end.x, end.y].map(|place| place as u16);
        self.set_pixels(left, top, right, bottom, colours).map_err(|error| cause_of(&error))
    }
}

/// Resets a panel and sets it up; every model of the library is one type.
fn glass<S, P, M>(
    model: M,
    wire: SpiInterface<'static, S, P>,
    reset: Option<P>,
    config: &SpiConfig,
    delay: &mut impl DelayNs,
) -> anyhow::Result<Box<dyn Glass + Send>>
where
    S: SpiDevice<Error: fmt::Display> + Send + 'static,
    P: OutputPin<Error: fmt::Display> + Send + 'static,
    M: Model + Send + 'static,
    M::ColorFormat: From<Rgb888> + InterfacePixelFormat<u8>,
{
    let (columns, rows) = M::FRAMEBUFFER_SIZE;
    let size = (config.width.unwrap_or(columns), config.height.unwrap_or(rows));
    let rotation = match config.rotation {
        Rotation::None => options::Rotation::Deg0,
        Rotation::Quarter => options::Rotation::Deg90,
        Rotation::Half => options::Rotation::Deg180,
        Rotation::ThreeQuarters => options::Rotation::Deg270,
    };
    let builder = Builder::new(model, wire)
        .display_size(size.0, size.1)
        .display_offset(config.x_offset, config.y_offset)
        .orientation(Orientation::new().rotate(rotation))
        .invert_colors(if config.invert { ColorInversion::Inverted } else { ColorInversion::Normal })
        .color_order(if config.bgr { ColorOrder::Bgr } else { ColorOrder::Rgb });
    match reset {
        Some(pin) => match builder.reset_pin(pin).init(delay) {
            Ok(display) => Ok(Box::new(display)),
            Err(error) => Err(start_error(config, (columns, rows), error)),
        },
        None => match builder.init(delay) {
            Ok(display) => Ok(Box::new(display)),
            Err(error) => Err(start_error(config, (columns, rows), error)),
        },
    }
}

fn start_error<E: fmt::Display, P: fmt::Display, R: fmt::Display>(
    config: &SpiConfig,
    memory: (u16, u16),
    error: InitError<SpiError<E, P>, R>,
) -> anyhow::Error {
    let (model, device) = (config.model, config.device.display());
    let cause = match error {
        InitError::Interface(error) => cause_of(&error),
        InitError::ResetPin(error) => format!("reset pin: {error}"),
        InitError::InvalidConfiguration(_) => {
            let message = format!(
                "panel {model}: width and x-offset must fit in {} px, height and y-offset in {}",
                memory.0, memory.1
            );
            let step = "They are those of the panel as it is not turned; see its data sheet and [panel-spi].";
            return Problem::input(message).next_step(step).into();
        }
    };
    anyhow::anyhow!(cause).context(Problem::failure(format!("panel {model} on {device} cannot be started")))
}

fn cause_of<E: fmt::Display, P: fmt::Display>(error: &SpiError<E, P>) -> String {
    match error {
        SpiError::Spi(error) => error.to_string(),
        SpiError::Dc(error) => format!("data/command pin: {error}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
