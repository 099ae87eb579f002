//! The panels there are, by the names that the command line and the configuration use.

use std::path::PathBuf;
use std::str::FromStr;

use embedded_graphics::geometry::Size;

use super::oled::{self, OledConfig};
use super::spi::{self, SpiConfig, SpiModel};
use super::{Panel, drm, framebuffer, null, png, window};

/// Size of panels that do not state one.
const DEFAULT_SIZE: Size = Size::new(800, 480);
/// Least and most px along a side of a panel that is not made of glass.
const SIDES: std::ops::RangeInclusive<u32> = 16..=8192;
/// Where the kernel puts the first framebuffer.
const FIRST_FRAMEBUFFER: &str = "/dev/fb0";

/// A panel as it is asked for: `none`, `fb[:DEVICE]`, `drm[:DEVICE]`, `spi[:MODEL]`, `oled`,
/// `window[:WIDTHxHEIGHT]`, `null[:WIDTHxHEIGHT]`, `png:DIR[:WIDTHxHEIGHT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PanelChoice {
    /// No screen is drawn.
    None,
    /// The screen is drawn and shown nowhere: to measure what drawing costs.
    Null(Size),
    /// A framebuffer of the kernel, by its node.
    Framebuffer(PathBuf),
    /// A display of a card, by its node, or of the first card that has one.
    Drm(Option<PathBuf>),
    /// A colour panel on SPI, wired as the configuration says; with another model than
    /// that if one is given.
    Spi(Option<SpiModel>),
    /// A monochrome OLED, wired as the configuration says.
    Oled,
    /// A window on the desktop.
    Window(Size),
    /// Numbered pictures in this folder.
    Png(PathBuf, Size),
}

impl PanelChoice {
    /// What most boards with a display have.
    pub fn first_framebuffer() -> Self {
        Self::Framebuffer(FIRST_FRAMEBUFFER.into())
    }

    /// Opens the panel; `None` when no screen is wanted. `spi` and `oled` say how panels
    /// of these kinds are wired.
    ///
    /// # Errors
    /// When the panel is not there or cannot be written.
    pub fn open(&self, spi: &SpiConfig, oled: &OledConfig) -> anyhow::Result<Option<Box<dyn Panel>>> {
        Ok(match self {
            Self::None => None,
            Self::Null(size) => Some(Box::new(null::NullPanel::new(*size))),
            Self::Framebuffer(node) => Some(Box::new(framebuffer::FramebufferPanel::open(node)?)),
            Self::Drm(node) => Some(Box::new(drm::DrmPanel::open(node.as_deref())?)),
            Self::Spi(model) => {
                let wired = SpiConfig { model: model.unwrap_or(spi.model), ..spi.clone() };
                Some(Box::new(spi::SpiPanel::open(&wired)?))
            }
            Self::Oled => Some(Box::new(oled::OledPanel::open(oled)?)),
            Self::Window(size) => Some(Box::new(window::WindowPanel::open(*size)?)),
            Self::Png(folder, size) => Some(Box::new(png::PngPanel::open(folder, *size)?)),
        })
    }
}

impl FromStr for PanelChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        match kind {
            "none" if text == kind => Ok(Self::None),
            "fb" if text == kind => Ok(Self::first_framebuffer()),
            "fb" if !rest.is_empty() => Ok(Self::Framebuffer(rest.into())),
            "drm" if text == kind => Ok(Self::Drm(None)),
            "drm" if !rest.is_empty() => Ok(Self::Drm(Some(rest.into()))),
            "spi" if text == kind => Ok(Self::Spi(None)),
            "spi" => Ok(Self::Spi(Some(rest.parse()?))),
            "oled" if text == kind => Ok(Self::Oled),
            "window" => Ok(Self::Window(parse_size_or_default(text, rest)?)),
            "null" => Ok(Self::Null(parse_size_or_default(text, rest)?)),
            "png" if !rest.is_empty() => {
                // A folder may have colons in its name; a size has digits and an x.
                let end = rest.rsplit_once(':').filter(|(_, end)| looks_like_size(end));
                let (folder, size) = match end {
                    Some((folder, size)) => (folder, parse_size(size)?),
                    None => (rest, DEFAULT_SIZE),
                };
                if folder.is_empty() {
                    return Err(format!("`{text}` names no folder: write png:DIR"));
                }
                Ok(Self::Png(folder.into(), size))
            }
            _ => Err(format!(
                "`{text}` is no panel: write `none`, `fb`, `fb:DEVICE`, `drm`, `drm:DEVICE`, `spi`, `spi:MODEL`, \
                 `oled`, `window`, `null` or `png:DIR`, the last three with `:WIDTHxHEIGHT` behind if it is not \
                 800x480"
            )),
        }
    }
}

fn looks_like_size(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || c == 'x';
    text.starts_with(|c: char| c.is_ascii_digit()) && text.contains('x') && text.chars().all(is_part)
}

/// The size behind the colon of `text`; the default one where there is no colon.
fn parse_size_or_default(text: &str, rest: &str) -> Result<Size, String> {
    if text.contains(':') { parse_size(rest) } else { Ok(DEFAULT_SIZE) }
}

fn parse_size(text: &str) -> Result<Size, String> {
    let side = |text: &str| text.parse().ok().filter(|side| SIDES.contains(side));
    text.split_once('x').and_then(|(width, height)| Some(Size::new(side(width)?, side(height)?))).ok_or_else(|| {
        let (least, most) = (SIDES.start(), SIDES.end());
        format!("`{text}` is no panel size: write 800x480; sides are {least} to {most} px")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_are_read() {
        let png = |folder: &str, width, height| Ok(PanelChoice::Png(folder.into(), Size::new(width, height)));
        assert_eq!("none".parse(), Ok(PanelChoice::None));
        assert_eq!("fb".parse(), Ok(PanelChoice::Framebuffer("/dev/fb0".into())));
        assert_eq!("fb:/dev/fb1".parse(), Ok(PanelChoice::Framebuffer("/dev/fb1".into())));
        assert_eq!("drm".parse(), Ok(PanelChoice::Drm(None)));
        assert_eq!("drm:/dev/dri/card1".parse(), Ok(PanelChoice::Drm(Some("/dev/dri/card1".into()))));
        assert_eq!("spi".parse(), Ok(PanelChoice::Spi(None)));
        assert_eq!("spi:ili9341".parse(), Ok(PanelChoice::Spi(Some(SpiModel::Ili9341))));
        assert_eq!("oled".parse(), Ok(PanelChoice::Oled));
        assert_eq!("window".parse(), Ok(PanelChoice::Window(DEFAULT_SIZE)));
        assert_eq!("window:1280x800".parse(), Ok(PanelChoice::Window(Size::new(1280, 800))));
        assert_eq!("null".parse(), Ok(PanelChoice::Null(DEFAULT_SIZE)));
        assert_eq!("null:128x64".parse(), Ok(PanelChoice::Null(Size::new(128, 64))));
        assert_eq!("png:shots".parse(), png("shots", 800, 480));
        assert_eq!("png:/a/b:320x240".parse(), png("/a/b", 320, 240));
        assert_eq!("png:a:b".parse(), png("a:b", 800, 480));
    }

    #[test]
    fn what_is_no_panel_is_refused_with_the_right_form() {
        for wrong in [
            "",
            "hdmi",
            "none:x",
            "fb:",
            "drm:",
            "spi:",
            "spi:crt",
            "oled:",
            "png",
            "png:",
            "png::320x240",
            "null:tall",
            "null:",
            "window:",
        ] {
            assert!(wrong.parse::<PanelChoice>().is_err(), "{wrong}");
        }
        for wrong in ["png:a:0x0", "png:a:9x480", "png:a:99999x480", "png:a:800x", "png:a:8x8x8"] {
            let message = wrong.parse::<PanelChoice>().err().unwrap_or_default();
            assert!(message.contains("800x480"), "{wrong}: {message}");
        }
    }
}
