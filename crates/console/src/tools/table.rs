//! Columns as Java's `printf` pads them.

/// One row: each cell is padded to its width (0: not at all), with a blank between two.
pub fn row<'a>(cells: impl IntoIterator<Item = (&'a str, usize)>) -> String {
    let mut text = String::new();
    for (index, (cell, width)) in cells.into_iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        text.push_str(cell);
        let used = cell.encode_utf16().count();
        text.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
    }
    text
}

/// The width of a column: `least`, or what its longest cell needs.
pub fn width<'a>(least: usize, cells: impl IntoIterator<Item = &'a str>) -> usize {
    cells.into_iter().map(|cell| cell.encode_utf16().count()).fold(least, usize::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_padded_like_printf() {
        assert_eq!(row([("a", 3), ("bcdef", 3), ("g", 0)]), "a   bcdef g");
        assert_eq!(row([("a", 2), ("b", 2)]), "a  b ");
        assert_eq!(width(3, ["a", "bcdef"]), 5);
        assert_eq!(width(3, []), 3);
    }
}
