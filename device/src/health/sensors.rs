//! The kernel's files that tell of heat and power. Which ones there are differs from board to
//! board; what is missing is passed over.

use std::fs;
use std::path::{Path, PathBuf};

use crate::numbered::entries;
use crate::reading::BoardState;

/// Bits of the Raspberry Pi firmware's `get_throttled` that speak of now: under-voltage; frequency
/// capped, throttled, and soft temperature limit. The upper half speaks of the time since power-on.
/// <https://www.raspberrypi.com/documentation/computers/os.html#get_throttled>
const PI_UNDER_VOLTAGE: u32 = 0x1;
const PI_THROTTLED: u32 = 0x2 | 0x4 | 0x8;

/// The files of one board.
#[derive(Debug, Default)]
pub struct Sensors {
    /// `temp` of each thermal zone, in thousandths of a °C.
    temperatures: Vec<PathBuf>,
    /// `cur_state` of what slows the processors down when a zone is hot: 0 is not at all. (That
    /// `scaling_max_freq` is below `cpuinfo_max_freq` would not do: a power mode, as a Jetson's
    /// nvpmodel sets it, looks the same.)
    coolers: Vec<PathBuf>,
    /// `get_throttled` of a Raspberry Pi, in hexadecimal.
    pi_firmware: Option<PathBuf>,
    /// `in0_lcrit_alarm` of a Raspberry Pi's voltage monitor: 1 is too low.
    voltage_alarms: Vec<PathBuf>,
}

impl Sensors {
    /// Finds the sensors below `root`, which is `/` but for tests.
    pub fn find(root: &Path) -> Self {
        let thermal = root.join("sys/class/thermal");
        let is_of_cpu = |cooler: &PathBuf| text(&cooler.join("type")).is_some_and(|kind| kind.contains("cpufreq"));
        let is_voltage = |monitor: &PathBuf| text(&monitor.join("name")).is_some_and(|name| name == "rpi_volt");
        // `soc/soc:firmware` up to the Pi 4; later ones have an address in both names.
        let firmware = named(&root.join("sys/devices/platform"), "soc")
            .flat_map(|soc| named(&soc, "soc"))
            .map(|device| device.join("get_throttled"))
            .find(|file| file.is_file());
        Self {
            temperatures: named(&thermal, "thermal_zone").map(|zone| zone.join("temp")).collect(),
            coolers: named(&thermal, "cooling_device").filter(is_of_cpu).map(|of| of.join("cur_state")).collect(),
            pi_firmware: firmware,
            voltage_alarms: named(&root.join("sys/class/hwmon"), "hwmon")
                .filter(is_voltage)
                .map(|monitor| monitor.join("in0_lcrit_alarm"))
                .collect(),
        }
    }

    /// Asks them all; `None` when none of them answers.
    pub fn read(&self) -> Option<BoardState> {
        let celsius = |file: &PathBuf| Some(text(file)?.parse::<f32>().ok()? / 1000.0);
        let hottest =
            self.temperatures.iter().filter_map(celsius).filter(|celsius| celsius.is_finite()).reduce(f32::max);
        let firmware = self.pi_firmware.as_ref().and_then(|file| {
            let text = text(file)?;
            u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()
        });
        let count = |file: &PathBuf| text(file)?.parse::<u32>().ok();
        let cooling = self.coolers.iter().filter_map(count).reduce(u32::max);
        let alarm = self.voltage_alarms.iter().filter_map(count).reduce(u32::max);
        if hottest.is_none() && firmware.is_none() && cooling.is_none() && alarm.is_none() {
            return None;
        }
        let says = |bits: u32| firmware.is_some_and(|state| state & bits != 0);
        Some(BoardState {
            temperature_celsius: hottest,
            throttled: says(PI_THROTTLED) || cooling.is_some_and(|state| state > 0),
            under_voltage: says(PI_UNDER_VOLTAGE) || alarm.is_some_and(|state| state > 0),
        })
    }
}

/// What is in a folder under a name that begins like this.
fn named(folder: &Path, start: &'static str) -> impl Iterator<Item = PathBuf> + use<> {
    let is_named = move |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start));
    entries(folder).filter(is_named)
}

/// The text of a file without the white space around it. A zone whose sensor is off, for one, gives
/// an error.
fn text(file: &Path) -> Option<String> {
    Some(fs::read_to_string(file).ok()?.trim().to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A root with these files below `sys`.
    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join("sys").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn read(files: &[(&str, &str)]) -> Option<BoardState> {
        Sensors::find(root(files).path()).read()
    }

    #[test]
    fn a_board_without_sensors_says_nothing() {
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[("class/thermal/thermal_zone0/temp", "junk\n")]), None);
    }

    #[test]
    fn the_hottest_zone_counts_and_those_without_a_sensor_are_passed_over() {
        let mut files = vec![
            ("class/thermal/thermal_zone0/temp", "47100\n"),
            ("class/thermal/thermal_zone10/temp", "61250\n"),
            ("class/thermal/thermal_zone2/temp", "junk"),
            ("class/thermal/thermal_zone3/temp", "NaN"),
            ("class/thermal/cooling_device0/temp", "99000"),
        ];
        let state = BoardState { temperature_celsius: Some(61.25), throttled: false, under_voltage: false };
        assert_eq!(read(&files), Some(state));
        // A fan that turns and a processor's own limits are no throttling; a capped frequency is.
        files.extend([
            ("class/thermal/cooling_device0/type", "pwm-fan\n"),
            ("class/thermal/cooling_device0/cur_state", "3\n"),
            ("class/thermal/cooling_device1/type", "cpufreq-cpu0\n"),
            ("class/thermal/cooling_device1/cur_state", "0\n"),
        ]);
        assert_eq!(read(&files), Some(state));
        files.push(("class/thermal/cooling_device1/cur_state", "2\n"));
        assert_eq!(read(&files), Some(BoardState { throttled: true, ..state }));
    }

    #[test]
    fn the_raspberry_pi_tells_of_now_and_not_of_what_was() {
        let fine = BoardState::default();
        for platform in ["soc/soc:firmware", "soc@107c000000/soc@107c000000:firmware"] {
            for (said, throttled, under_voltage) in [
                ("0\n", false, false),
                ("50000\n", false, false),
                ("50005\n", true, true),
                ("1\n", false, true),
                ("80008\n", true, false),
                ("0x2", true, false),
            ] {
                let file = format!("devices/platform/{platform}/get_throttled");
                let state = BoardState { throttled, under_voltage, ..fine };
                assert_eq!(read(&[(&file, said)]), Some(state), "{said:?}");
            }
        }
    }

    #[test]
    fn the_voltage_monitor_of_the_kernel_counts_too() {
        let monitor =
            |name, alarm| read(&[("class/hwmon/hwmon1/name", name), ("class/hwmon/hwmon1/in0_lcrit_alarm", alarm)]);
        let low = monitor("rpi_volt\n", "1\n").unwrap();
        assert!(low.under_voltage && !low.throttled);
        assert!(!monitor("rpi_volt\n", "0\n").unwrap().under_voltage);
        assert_eq!(monitor("nvme\n", "1\n"), None);
    }
}
