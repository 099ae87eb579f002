//! A colour panel's controller after the MIPI Display Command Set: ST7789, ILI9341 and their like.

use super::Controller;

const SET_COLUMNS: u8 = 0x2a;
const SET_ROWS: u8 = 0x2b;
const WRITE_MEMORY: u8 = 0x2c;
const SET_ADDRESS_MODE: u8 = 0x36;
const SET_PIXEL_FORMAT: u8 = 0x3a;
const INVERSION_OFF: u8 = 0x20;
const INVERSION_ON: u8 = 0x21;
const DISPLAY_ON: u8 = 0x29;

/// Bits of the address mode (ST7789V data sheet, 9.1.28).
const ROWS_REVERSED: u8 = 0x80;
const COLUMNS_REVERSED: u8 = 0x40;
const SWAPPED: u8 = 0x20;
const BGR: u8 = 0x08;

/// The frame memory of a panel and the window that is being written.
#[derive(Clone, Debug)]
pub struct MipiDisplay {
    columns: usize,
    rows: usize,
    /// Red, green and blue as they were sent, in the order of the wire; rows from the top of the glass.
    memory: Vec<[u8; 3]>,
    address_mode: u8,
    pixel_bytes: usize,
    /// First and last of the window, in the host's coordinates.
    window: [(usize, usize); 2],
    next: (usize, usize),
    command: u8,
    /// Arguments, or the beginning of a pixel.
    pending: Vec<u8>,
    /// Whether the colours are inverted, and whether the panel is lit.
    pub inverted: bool,
    /// Whether the display was switched on.
    pub on: bool,
    /// Pixels written so far.
    pub pixels_written: usize,
}

impl MipiDisplay {
    /// A panel with a frame memory of so many columns and rows.
    pub fn new(columns: usize, rows: usize) -> Self {
        Self {
            columns,
            rows,
            memory: vec![[0; 3]; columns * rows],
            address_mode: 0,
            pixel_bytes: 2,
            window: [(0, columns - 1), (0, rows - 1)],
            next: (0, 0),
            command: 0,
            pending: Vec::new(),
            inverted: false,
            on: false,
            pixels_written: 0,
        }
    }

    /// The colour at a place of the glass, not rotated: red, green and blue as the panel's own order has them, in the
    /// upper bits of each byte.
    ///
    /// # Panics
    /// Outside of the frame memory.
    pub fn at(&self, column: usize, row: usize) -> [u8; 3] {
        assert!(column < self.columns && row < self.rows, "({column}, {row})");
        self.memory[row * self.columns + column]
    }

    /// Whether the host asked for blue first.
    pub fn is_bgr(&self) -> bool {
        self.address_mode & BGR != 0
    }

    /// Where the host's `(x, y)` lies on the glass.
    fn place(&self, (x, y): (usize, usize)) -> Option<usize> {
        let mode = |bit| self.address_mode & bit != 0;
        let (mut column, mut row) = if mode(SWAPPED) { (y, x) } else { (x, y) };
        if column >= self.columns || row >= self.rows {
            return None;
        }
        if mode(COLUMNS_REVERSED) {
            column = self.columns - 1 - column;
        }
        if mode(ROWS_REVERSED) {
            row = self.rows - 1 - row;
        }
        Some(row * self.columns + column)
    }

    fn pixel(&mut self) {
        let colour = match *self.pending {
            [high, low] => {
                let value = u16::from_be_bytes([high, low]);
                [(value >> 8) as u8 & 0xf8, (value >> 3) as u8 & 0xfc, (value << 3) as u8]
            }
            [red, green, blue] => [red & 0xfc, green & 0xfc, blue & 0xfc],
            _ => unreachable!("a pixel has {} bytes", self.pixel_bytes),
        };
        self.pending.clear();
        if let Some(place) = self.place(self.next) {
            self.memory[place] = colour;
        }
        self.pixels_written += 1;
        let [columns, rows] = self.window;
        self.next.0 += 1;
        if self.next.0 > columns.1 {
            self.next = (columns.0, self.next.1 + 1);
        }
        if self.next.1 > rows.1 {
            self.next.1 = rows.0;
        }
    }

    fn argument(&mut self) {
        match (self.command, &*self.pending) {
            (SET_COLUMNS | SET_ROWS, &[a, b, c, d]) => {
                let ends = (u16::from_be_bytes([a, b]).into(), u16::from_be_bytes([c, d]).into());
                self.window[usize::from(self.command == SET_ROWS)] = ends;
            }
            (SET_ADDRESS_MODE, &[mode]) => self.address_mode = mode,
            (SET_PIXEL_FORMAT, &[format]) => self.pixel_bytes = if format & 7 == 5 { 2 } else { 3 },
            _ => {}
        }
    }
}

impl Controller for MipiDisplay {
    fn command(&mut self, bytes: &[u8]) {
        for &command in bytes {
            assert!(
                self.command != WRITE_MEMORY || self.pending.is_empty(),
                "a command in the middle of a pixel: {:?}",
                self.pending
            );
            self.command = command;
            self.pending.clear();
            match command {
                WRITE_MEMORY => self.next = (self.window[0].0, self.window[1].0),
                INVERSION_OFF | INVERSION_ON => self.inverted = command == INVERSION_ON,
                DISPLAY_ON => self.on = true,
                _ => {}
            }
        }
    }

    fn data(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.pending.push(byte);
            if self.command != WRITE_MEMORY {
                self.argument();
            } else if self.pending.len() == self.pixel_bytes {
                self.pixel();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_filled_from_its_corner_however_the_bytes_are_cut() {
        let mut display = MipiDisplay::new(4, 3);
        display.command(&[SET_COLUMNS]);
        display.data(&[0, 1, 0, 2]);
        display.command(&[SET_ROWS]);
        display.data(&[0, 1, 0, 2]);
        display.command(&[WRITE_MEMORY]);
        display.data(&[0xf8]);
        display.data(&[0x00, 0x07, 0xe0, 0x00]);
        display.data(&[0x1f, 0xff, 0xff]);
        assert_eq!(display.at(1, 1), [0xf8, 0, 0]);
        assert_eq!(display.at(2, 1), [0, 0xfc, 0]);
        assert_eq!(display.at(1, 2), [0, 0, 0xf8]);
        assert_eq!(display.at(2, 2), [0xf8, 0xfc, 0xf8]);
        assert_eq!(display.at(0, 0), [0; 3]);
        assert_eq!(display.pixels_written, 4);
    }

    #[test]
    fn the_address_mode_turns_the_picture() {
        let mut display = MipiDisplay::new(4, 3);
        for (mode, place) in [(0, (0, 0)), (COLUMNS_REVERSED, (3, 0)), (SWAPPED | ROWS_REVERSED, (0, 2))] {
            display.command(&[SET_ADDRESS_MODE]);
            display.data(&[mode]);
            display.command(&[WRITE_MEMORY]);
            display.data(&[0xff, 0xff]);
            assert_eq!(display.at(place.0, place.1), [0xf8, 0xfc, 0xf8], "{mode:#x}");
        }
    }
}
