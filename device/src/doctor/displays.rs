//! Displays: framebuffers and cards of the kernel, and the wires of the panel that the configuration
//! names. Nothing is drawn, and no panel is reset.

use std::path::{Path, PathBuf};

use super::{Report, State};
use crate::config::Config;
use crate::diagnostics::{causes, is_permission_denied};
use crate::numbered;
use crate::panel::framebuffer::FramebufferPanel;
use crate::panel::oled::{self, OledConfig};
use crate::panel::spi::SpiConfig;
use crate::panel::{Panel, PanelChoice, drm, wiring};

/// Looks at all of them.
pub fn look(config: &Config, report: &mut Report) {
    let framebuffers = numbered::paths(Path::new("/dev"), "fb");
    let cards = drm::cards();
    if framebuffers.is_empty() && cards.is_empty() {
        report.add("display", State::Missing, "no framebuffer, no card; --panel png:DIR shows what one would");
    }
    look_at_framebuffers(&framebuffers, report);
    look_at_cards(&cards, report);
    let (what, found) = match config.panel {
        PanelChoice::Spi(_) => ("panel spi", look_at_spi(&config.panel_spi)),
        PanelChoice::Oled => ("panel oled", look_at_oled(&config.panel_oled)),
        _ => return,
    };
    match found {
        Ok(said) => report.add(what, State::Fine, said),
        Err(error) => report.trouble(what, &error),
    }
}

fn look_at_framebuffers(nodes: &[PathBuf], report: &mut Report) {
    for node in nodes {
        let what = format!("display {}", node.display());
        match FramebufferPanel::open(node) {
            Ok(panel) => {
                let size = panel.size();
                let said = format!("{}x{} px; --panel fb:{} uses it", size.width, size.height, node.display());
                report.add(&what, State::Fine, said);
            }
            Err(error) => report.trouble(&what, &error),
        }
    }
}

fn look_at_cards(nodes: &[PathBuf], report: &mut Report) {
    for node in nodes {
        let what = format!("display {}", node.display());
        match drm::look(node) {
            Ok((name, size)) => {
                let said = format!("{name}, {}x{} px; --panel drm:{} uses it", size.width, size.height, node.display());
                report.add(&what, State::Fine, said);
            }
            Err(error) if is_permission_denied(&error) => report.trouble(&what, &error),
            // A card that only computes, or one that nothing is plugged into.
            Err(error) => report.add(&what, State::Missing, causes(&error)),
        }
    }
}

fn look_at_spi(config: &SpiConfig) -> anyhow::Result<String> {
    let bytes = wiring::spi_transfer_bytes();
    wiring::spi(&config.device, config.clock_hz, config.spi_mode)?;
    let lines: Vec<u32> = [Some(config.dc_pin), config.reset_pin, config.backlight_pin].into_iter().flatten().collect();
    for line in &lines {
        wiring::look_at_line(&config.gpio_chip, *line)?;
    }
    Ok(format!(
        "{} on {}, {bytes} bytes a transfer; lines {lines:?} of {} are free. Whether a panel is there only \
         `mien test-display --panel spi` shows",
        config.model,
        config.device.display(),
        config.gpio_chip.display()
    ))
}

fn look_at_oled(config: &OledConfig) -> anyhow::Result<String> {
    let device = config.device.display();
    let mut lines: Vec<u32> = config.reset_pin.into_iter().collect();
    let said = if config.is_on_spi() {
        lines.push(config.dc_pin);
        wiring::spi(&config.device, config.clock_hz, 0)?;
        format!("{device} is there; whether a panel is, only `mien test-display --panel oled` shows")
    } else {
        oled::greet(config)?;
        format!("answers at {:#04x} of {device}", config.address)
    };
    for line in lines {
        wiring::look_at_line(&config.gpio_chip, line)?;
    }
    Ok(said)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn told(look: impl FnOnce(&mut Report)) -> String {
        let mut report = Report::default();
        look(&mut report);
        report.to_string()
    }

    #[test]
    fn a_framebuffer_that_is_none_is_a_trouble() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("fb0"), "text").unwrap();
        let text = told(|report| look_at_framebuffers(&numbered::paths(folder.path(), "fb"), report));
        assert!(text.contains("TROUBLE display"), "{text}");
    }

    #[test]
    fn a_card_without_a_display_is_none() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("card0"), "text").unwrap();
        let text = told(|report| look_at_cards(&numbered::paths(folder.path(), "card"), report));
        assert!(text.starts_with("none    display") && text.contains("no card that drives displays"), "{text}");
    }

    #[test]
    fn the_configured_panel_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("spidev9.0");
        let mut config = Config { panel: PanelChoice::Spi(None), ..Config::default() };
        config.panel_spi.device.clone_from(&device);
        config.panel_oled.device = folder.path().join("i2c-9");
        let text = told(|report| look(&config, report));
        assert!(text.contains("TROUBLE panel spi: ") && text.contains("dtparam=spi=on"), "{text}");
        config.panel = PanelChoice::Oled;
        let text = told(|report| look(&config, report));
        assert!(text.contains("TROUBLE panel oled: ") && text.contains("dtparam=i2c_arm=on"), "{text}");
        config.panel = PanelChoice::None;
        let text = told(|report| look(&config, report));
        assert!(!text.contains("panel spi:") && !text.contains("panel oled:"), "{text}");
    }
}
