//! Channels side by side in place of pixels side by side, and the other way round.

/// Rows and columns that are turned together.
const SQUARE: usize = 4;

/// Columns become rows: of so many `[rows, columns]` in `from`, where a row begins `from_row` numbers behind the one before, as
/// one in `to` does behind `to_row`.
#[inline(always)]
pub fn transpose(from: &[f32], from_row: usize, [rows, columns]: [usize; 2], to: &mut [f32], to_row: usize) {
    let whole = [rows, columns].map(|count| count - count % SQUARE);
    for row in (0..whole[0]).step_by(SQUARE) {
        for column in (0..whole[1]).step_by(SQUARE) {
            let mut square = [[0.0; SQUARE]; SQUARE];
            for (y, line) in square.iter_mut().enumerate() {
                line.copy_from_slice(&from[(row + y) * from_row + column..][..SQUARE]);
            }
            for x in 0..SQUARE {
                let line: [f32; SQUARE] = std::array::from_fn(|y| square[y][x]);
                to[(column + x) * to_row + row..][..SQUARE].copy_from_slice(&line);
            }
        }
    }
    let mut rest = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>| {
        for row in rows {
            for column in columns.clone() {
                to[column * to_row + row] = from[row * from_row + column];
            }
        }
    };
    rest(0..whole[0], whole[1]..columns);
    rest(whole[0]..rows, 0..columns);
}
