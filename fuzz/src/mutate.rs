//! Changes to bytes that formats are sensitive to: flipped bits, numbers at their limits, parts cut, doubled and exchanged.

use tests::Random;

const NUMBERS: &[i64] = &[
    0,
    1,
    -1,
    2,
    7,
    8,
    15,
    16,
    31,
    32,
    63,
    64,
    127,
    128,
    129,
    253,
    254,
    255,
    256,
    4095,
    4096,
    16_383,
    16_384,
    32_767,
    32_768,
    65_535,
    65_536,
    8_388_607,
    8_388_608,
    16_777_215,
    2_147_483_647,
    2_147_483_648,
    -2_147_483_648,
    4_294_967_295,
    4_294_967_296,
    i64::MAX,
    i64::MIN,
    i64::MAX - 1,
    1_000_000,
];
/// What one change may add.
const ADDED_MAX: usize = 300;
/// Inputs do not grow beyond this.
const INPUT_MAX: usize = 200_000;

/// A number that something may be compared with.
pub(crate) fn number(random: &mut Random) -> i64 {
    match random.below(4) {
        0 => random.any() as i64,
        1 => random.between(-20, 300),
        _ => *random.pick(NUMBERS),
    }
}

/// One to eight changes; `words` are parts of the format, `other` another input to take a piece from.
pub(crate) fn mutate(input: &mut Vec<u8>, random: &mut Random, words: &[&[u8]], other: &[u8]) {
    for _ in 0..=random.below(8) {
        change(input, random, words, other);
    }
    input.truncate(INPUT_MAX);
}

fn change(input: &mut Vec<u8>, random: &mut Random, words: &[&[u8]], other: &[u8]) {
    let at = random.below(input.len() + 1);
    let (from, to) = range(random, input.len());
    match random.below(15) {
        0 | 1 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        2 | 3 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = number(random) as u8;
            }
        }
        4 => {
            let bytes = number_bytes(random);
            let end = (at + bytes.len()).min(input.len());
            input[at..end].copy_from_slice(&bytes[..end - at]);
        }
        5 => drop(input.splice(at..at, number_bytes(random))),
        6 => drop(input.drain(from..to)),
        7 => {
            let piece = input[from..to].to_vec();
            input.splice(at..at, piece);
        }
        8 => {
            let (from, to) = range(random, other.len());
            input.splice(at..at, other[from..to].iter().copied());
        }
        9 => {
            let keep = range(random, other.len()).0;
            input.truncate(at);
            input.extend_from_slice(&other[keep..]);
        }
        10 if !words.is_empty() => {
            let word = random.pick(words);
            input.splice(at..at, word.iter().copied());
        }
        11 | 12 => change_digits(input, at, random),
        13 => {
            let byte = random.any() as u8;
            let count = random.below(ADDED_MAX);
            input.splice(at..at, std::iter::repeat_n(byte, count));
        }
        _ if random.one_in(3) => input.truncate(at),
        _ => {
            let count = random.below(20);
            let bytes: Vec<u8> = (0..count).map(|_| random.any() as u8).collect();
            input.splice(at..at, bytes);
        }
    }
}

fn range(random: &mut Random, len: usize) -> (usize, usize) {
    let from = random.below(len + 1);
    let longest = (len - from).min(if random.one_in(4) { len } else { 16 });
    (from, from + random.below(longest + 1))
}

fn number_bytes(random: &mut Random) -> Vec<u8> {
    let number = number(random);
    let size = *random.pick(&[1, 2, 4, 8]);
    match random.one_in(2) {
        true => number.to_le_bytes()[..size].to_vec(),
        false => number.to_be_bytes()[8 - size..].to_vec(),
    }
}

/// Replaces the next number in decimal digits.
fn change_digits(input: &mut Vec<u8>, at: usize, random: &mut Random) {
    let Some(from) = (at..input.len()).find(|&i| input[i].is_ascii_digit()) else {
        return;
    };
    let len = input[from..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let known: i64 = std::str::from_utf8(&input[from..from + len])
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let number = match random.below(3) {
        0 => known.wrapping_add(random.between(-2, 2)),
        _ => number(random),
    };
    input.splice(from..from + len, number.to_string().into_bytes());
}

#[cfg(test)]
mod tests_of_mutations {
    use super::*;

    #[test]
    fn the_same_seed_changes_the_same_bytes_and_nothing_panics_on_the_way() {
        for seed in 0..2000 {
            let changed = |seed| {
                let mut input = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"[..seed as usize % 20].to_vec();
                mutate(&mut input, &mut Random::new(seed), &[b"$-1"], b"abc");
                input
            };
            assert_eq!(changed(seed), changed(seed));
        }
    }
}
