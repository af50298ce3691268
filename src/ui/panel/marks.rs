//! Records as marks: one hue and one shape for each key (ui.md §3), drawn as few paths.

use std::fmt::Write;

use playground::view::{Level, MarkKind, RecordMark};

/// Keys that have marks of their own; later ones are grey rings.
pub const DISTINCT: u16 = 36;

/// The hue's class number, 0 for a record without a key.
pub fn hue(key: u16) -> usize {
    if key == 0 || key > DISTINCT { 0 } else { usize::from((key - 1) % 6) + 1 }
}

/// 0 circle, 1 square, 2 triangle, 3 diamond, 4 inverted triangle, 5 plus.
pub fn shape(key: u16) -> u16 {
    match key {
        0 => 0,
        1..=6 => key - 1,
        7..=DISTINCT => (key - 1 + (key - 1) / 6) % 6,
        _ => 0,
    }
}

/// Adds one mark's outline to a path; `r` is the circle's radius, other shapes look as large.
pub fn outline(path: &mut String, key: u16, x: f64, y: f64, r: f64) {
    let s = r / 2.7;
    let _ = match shape(key) {
        0 => write!(
            path,
            "M{:.1} {y:.1}a{r:.2} {r:.2} 0 1 0 {:.2} 0a{r:.2} {r:.2} 0 1 0 {:.2} 0",
            x - r,
            2.0 * r,
            -2.0 * r
        ),
        1 => {
            let side = 4.8 * s;
            write!(
                path,
                "M{:.1} {:.1}h{side:.2}v{side:.2}h{:.2}z",
                x - side / 2.0,
                y - side / 2.0,
                -side
            )
        }
        2 => write!(
            path,
            "M{x:.1} {:.1}l{:.2} {:.2}h{:.2}z",
            y - 3.0 * s,
            3.0 * s,
            5.3 * s,
            -6.0 * s
        ),
        3 => {
            let (w, h) = (3.0 * s, 3.3 * s);
            write!(path, "M{x:.1} {:.1}l{w:.2} {h:.2}l{:.2} {h:.2}l{:.2} {:.2}z", y - h, -w, -w, -h)
        }
        4 => write!(
            path,
            "M{x:.1} {:.1}l{:.2} {:.2}h{:.2}z",
            y + 3.0 * s,
            3.0 * s,
            -5.3 * s,
            -6.0 * s
        ),
        _ => {
            let (a, b) = (2.3 * s, 1.9 * s);
            write!(
                path,
                "M{:.1} {:.1}h{a:.2}v{b:.2}h{b:.2}v{a:.2}h{nb:.2}v{b:.2}h{na:.2}v{nb:.2}h{nb:.2}v{na:.2}h{b:.2}z",
                x - a / 2.0,
                y - a / 2.0 - b,
                na = -a,
                nb = -b
            )
        }
    };
}

/// The corners of a mark for a canvas; `None` is a circle.
pub fn corners(key: u16, x: f64, y: f64, r: f64) -> Option<Vec<(f64, f64)>> {
    let s = r / 2.7;
    let at = |points: &[(f64, f64)]| {
        Some(points.iter().map(|(dx, dy)| (x + dx * s, y + dy * s)).collect())
    };
    match shape(key) {
        0 => None,
        1 => at(&[(-2.4, -2.4), (2.4, -2.4), (2.4, 2.4), (-2.4, 2.4)]),
        2 => at(&[(0.0, -3.0), (3.0, 2.3), (-3.0, 2.3)]),
        3 => at(&[(0.0, -3.3), (3.0, 0.0), (0.0, 3.3), (-3.0, 0.0)]),
        4 => at(&[(0.0, 3.0), (3.0, -2.3), (-3.0, -2.3)]),
        _ => {
            let (a, b) = (1.15, 3.05);
            at(&[
                (-a, -b),
                (a, -b),
                (a, -a),
                (b, -a),
                (b, a),
                (a, a),
                (a, b),
                (-a, b),
                (-a, a),
                (-b, a),
                (-b, -a),
                (-a, -a),
            ])
        }
    }
}

/// Marks in a row, gathered into one path for each hue, and what is drawn over them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// By hue; filled if the holder leads.
    pub filled: [String; 7],
    /// Tombstones are hollow everywhere.
    pub hollow: [String; 7],
    /// The strokes through tombstones.
    pub strikes: String,
    /// Ticks and crosses of control records.
    pub controls: String,
}

impl Row {
    /// Adds one mark.
    pub fn add(&mut self, mark: RecordMark, x: f64, y: f64, r: f64) {
        let _ = match mark.kind {
            MarkKind::Record => {
                outline(&mut self.filled[hue(mark.key)], mark.key, x, y, r);
                Ok(())
            }
            MarkKind::Tombstone => {
                outline(&mut self.hollow[hue(mark.key)], mark.key, x, y, r);
                write!(
                    self.strikes,
                    "M{:.1} {:.1}L{:.1} {:.1}",
                    x - 1.4 * r,
                    y + 1.4 * r,
                    x + 1.4 * r,
                    y - 1.4 * r
                )
            }
            MarkKind::Commit => {
                write!(
                    self.controls,
                    "M{:.1} {y:.1}l{:.1} {:.1}l{:.1} {:.1}",
                    x - r,
                    r * 0.8,
                    r,
                    r * 1.2,
                    -r * 2.0
                )
            }
            MarkKind::Abort => write!(
                self.controls,
                "M{:.1} {:.1}l{w:.1} {w:.1}m0 {n:.1}l{n:.1} {w:.1}",
                x - r,
                y - r,
                w = 2.0 * r,
                n = -2.0 * r
            ),
        };
    }
}

/// The class of words in a drawing by how loud they are.
pub fn level_class(level: Level) -> &'static str {
    match level {
        Level::Plain | Level::Good => "t3",
        Level::Warn => "twarn tb",
        Level::Bad => "tbad tb",
    }
}
