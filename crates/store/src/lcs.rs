//! The longest common subsequence of two byte strings, the one Redis finds among several of equal length.

/// Equal bytes that are neighbours in both strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where it starts in the first string.
    pub in_first: usize,
    /// Where it starts in the second string.
    pub in_second: usize,
    pub len: usize,
}

/// A longest common subsequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
    /// In order.
    pub runs: Vec<Run>,
}

/// Lengths of the longest common subsequences of all pairs of beginnings, row by row.
struct Table {
    cells: Vec<u32>,
    width: usize,
}

impl Table {
    fn of(a: &[u8], b: &[u8]) -> Table {
        let width = b.len() + 1;
        let mut cells = vec![0u32; (a.len() + 1) * width];
        for (i, byte) in a.iter().enumerate() {
            let (above, row) = cells[i * width..].split_at_mut(width);
            next_row(*byte, b, above, &mut row[..width]);
        }
        Table { cells, width }
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.cells[i * self.width + j]
    }
}

/// The row of the table that one more byte of the first string makes.
fn next_row(byte: u8, b: &[u8], above: &[u32], row: &mut [u32]) {
    for (j, other) in b.iter().enumerate() {
        row[j + 1] = if byte == *other {
            above[j] + 1
        } else {
            above[j + 1].max(row[j])
        };
    }
}

/// The length of the longest common subsequence, in memory for one string.
pub fn length(a: &[u8], b: &[u8]) -> usize {
    let mut above = vec![0u32; b.len() + 1];
    let mut row = above.clone();
    for byte in a {
        next_row(*byte, b, &above, &mut row);
        std::mem::swap(&mut above, &mut row);
    }
    above[b.len()] as usize
}

impl Common {
    /// Bytes of memory that [`Common::of`] needs for strings of these lengths.
    pub fn table_bytes(a: &[u8], b: &[u8]) -> u64 {
        let cells = (a.len() as u64 + 1).saturating_mul(b.len() as u64 + 1);
        cells.saturating_mul(size_of::<u32>() as u64)
    }

    /// Finds it, from the ends of both strings backwards; where both ways are equally long, the second string is the one
    /// to step back in.
    pub fn of(a: &[u8], b: &[u8]) -> Common {
        let table = Table::of(a, b);
        let mut runs: Vec<Run> = Vec::new();
        let (mut i, mut j) = (a.len(), b.len());
        while i > 0 && j > 0 {
            if a[i - 1] != b[j - 1] {
                if table.at(i - 1, j) > table.at(i, j - 1) {
                    i -= 1;
                } else {
                    j -= 1;
                }
                continue;
            }
            match runs.last_mut() {
                Some(run) if (run.in_first, run.in_second) == (i, j) => {
                    (run.in_first, run.in_second) = (i - 1, j - 1);
                    run.len += 1;
                }
                _ => runs.push(Run {
                    in_first: i - 1,
                    in_second: j - 1,
                    len: 1,
                }),
            }
            i -= 1;
            j -= 1;
        }
        runs.reverse();
        Common { runs }
    }

    /// Its bytes, given the first string.
    pub fn text(&self, a: &[u8]) -> Vec<u8> {
        let parts = self.runs.iter();
        parts
            .flat_map(|run| &a[run.in_first..run.in_first + run.len])
            .copied()
            .collect()
    }

    /// How many bytes it has.
    #[expect(
        clippy::len_without_is_empty,
        reason = "nobody asks whether two strings have nothing in common"
    )]
    pub fn len(&self) -> usize {
        self.runs.iter().map(|run| run.len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_subsequence(part: &[u8], whole: &[u8]) -> bool {
        let mut whole = whole.iter();
        part.iter().all(|byte| whole.any(|other| other == byte))
    }

    proptest! {
        #[test]
        fn what_is_common_is_in_both_and_as_long_as_can_be(a in "[a-c]{0,9}", b in "[a-c]{0,9}") {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            let common = Common::of(a, b);
            let text = common.text(a);
            prop_assert_eq!(text.len(), common.len());
            prop_assert!(is_subsequence(&text, a) && is_subsequence(&text, b));
            let longest = (0..1u32 << a.len())
                .map(|chosen| {
                    let part = (0..a.len()).filter(|at| chosen & 1 << at != 0);
                    part.map(|at| a[at]).collect::<Vec<_>>()
                })
                .filter(|part| is_subsequence(part, b))
                .map(|part| part.len())
                .max();
            prop_assert_eq!(Some(text.len()), longest);
            prop_assert_eq!(length(a, b), text.len());
            for run in &common.runs {
                prop_assert_eq!(&a[run.in_first..run.in_first + run.len], &b[run.in_second..run.in_second + run.len]);
            }
        }
    }
}
