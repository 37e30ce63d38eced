//! HyperLogLog values of PFADD, PFCOUNT and PFMERGE, byte for byte those of Redis 7.0: clients read
//! and write them with GET and SET, and they travel in snapshots and to other servers.
//!
//! ```text
//! "HYLL" | encoding: 0 dense, 1 sparse | 3 unused | cached count, u64 LE, top bit set when outdated
//! dense    16384 registers of 6 bits, lowest bits first
//! sparse   runs:  00llllll             ZERO   l+1 registers of 0
//!                 01llllll llllllll    XZERO  l+1 registers of 0
//!                 1vvvvvll             VAL    l+1 registers of v+1
//! ```
//!
//! Counting is by O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017).

/// Registers of every HyperLogLog: 2 to the power of 14 bits of the hash choose one.
pub const REGISTERS: usize = 1 << INDEX_BITS;

const INDEX_BITS: u32 = 14;
const HEADER: usize = 16;
const DENSE_SIZE: usize = HEADER + REGISTERS * 6 / 8;
const MAGIC: &[u8] = b"HYLL";
const ENCODING_AT: usize = 4;
const CACHED_COUNT: std::ops::Range<usize> = 8..16;
const OUTDATED: u64 = 1 << 63;

/// Bits of the hash that a register counts leading zeros in; a register is at most one more.
const VALUE_BITS: usize = (u64::BITS - INDEX_BITS) as usize;

const ZERO_MAX_LEN: usize = 64;
const VAL_MAX: u8 = 32;
const VAL_MAX_LEN: usize = 4;

/// How far behind a changed run Redis looks for equal neighbours to join: part of the byte format.
const JOIN_SCAN: usize = 5;

/// Values of all registers, one byte each.
pub type Registers = [u8; REGISTERS];

/// How registers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// 6 bits per register.
    Dense,
    /// Runs of equal registers.
    Sparse,
}

/// Why bytes cannot be used as a HyperLogLog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HllError {
    /// Another kind of string: Redis answers WRONGTYPE.
    NotHyperLogLog,
    /// The sparse runs do not add up to all registers: Redis answers INVALIDOBJ.
    Corrupted,
}

/// An empty HyperLogLog. Its cached count, 0, is up to date.
pub fn new_sparse() -> Vec<u8> {
    let mut hll = vec![0; HEADER];
    hll[..MAGIC.len()].copy_from_slice(MAGIC);
    hll[ENCODING_AT] = 1;
    push_run(&mut hll, 0, REGISTERS);
    hll
}

/// How the registers are stored, if header and size are those of a HyperLogLog.
pub fn encoding(hll: &[u8]) -> Result<Encoding, HllError> {
    match hll.get(ENCODING_AT) {
        Some(0) if hll.starts_with(MAGIC) && hll.len() == DENSE_SIZE => Ok(Encoding::Dense),
        Some(1) if hll.starts_with(MAGIC) && hll.len() >= HEADER => Ok(Encoding::Sparse),
        _ => Err(HllError::NotHyperLogLog),
    }
}

/// Counts an element in; whether that changed a register. A sparse value that would grow beyond
/// `sparse_max` bytes (`hll-sparse-max-bytes`) becomes dense.
pub fn add(hll: &mut Vec<u8>, element: &[u8], sparse_max: usize) -> Result<bool, HllError> {
    let (index, value) = register_of(element);
    let changed = raise(hll, index, value, sparse_max)?;
    if changed {
        mark_outdated(hll);
    }
    Ok(changed)
}

/// The estimated number of distinct elements, and whether the cached count had to be renewed
/// (which changes the value's bytes, so the write must be seen by replicas and the AOF).
pub fn count(hll: &mut [u8]) -> Result<(u64, bool), HllError> {
    encoding(hll)?;
    let cached = hll[CACHED_COUNT].try_into().expect("8 bytes");
    let cached = u64::from_le_bytes(cached);
    if cached & OUTDATED == 0 {
        return Ok((cached, false));
    }
    let count = estimate(&histogram(hll)?);
    hll[CACHED_COUNT].copy_from_slice(&count.to_le_bytes());
    Ok((count, true))
}

/// What several HyperLogLogs counted together.
pub struct Union {
    registers: Registers,
    any_dense: bool,
}

impl Default for Union {
    fn default() -> Union {
        Union {
            registers: [0; REGISTERS],
            any_dense: false,
        }
    }
}

impl Union {
    /// Adds what one counted.
    pub fn add(&mut self, hll: &[u8]) -> Result<(), HllError> {
        self.any_dense |= encoding(hll)? == Encoding::Dense;
        raise_all(&mut self.registers, hll)
    }

    /// The estimated number of distinct elements.
    pub fn count(&self) -> u64 {
        let mut histogram = [0; 64];
        self.registers
            .iter()
            .for_each(|&value| histogram[usize::from(value)] += 1);
        estimate(&histogram)
    }

    /// Makes a HyperLogLog, itself one of those added if it is not new, the union. It becomes dense if any of them is, or
    /// if it grows beyond `sparse_max` bytes.
    pub fn store(&self, target: &mut Vec<u8>, sparse_max: usize) -> Result<(), HllError> {
        if self.any_dense {
            to_dense(target)?;
        }
        let registers = self.registers.iter().enumerate();
        for (index, &value) in registers.filter(|&(_, &value)| value != 0) {
            raise(target, index, value, sparse_max)?;
        }
        mark_outdated(target);
        Ok(())
    }
}

/// Makes the cached count outdated, as PFADD does also where it creates a value without elements.
pub fn mark_outdated(hll: &mut [u8]) {
    hll[CACHED_COUNT.end - 1] |= 0x80;
}

/// Stores the registers densely; whether they were sparse before.
pub fn to_dense(hll: &mut Vec<u8>) -> Result<bool, HllError> {
    if encoding(hll)? == Encoding::Dense {
        return Ok(false);
    }
    let registers = registers(hll)?;
    hll.truncate(HEADER);
    hll[ENCODING_AT] = 0;
    hll.extend(registers.as_chunks().0.iter().flat_map(|&four| pack(four)));
    Ok(true)
}

/// The values of all registers.
pub fn registers(hll: &[u8]) -> Result<Registers, HllError> {
    let mut registers = [0; REGISTERS];
    raise_all(&mut registers, hll)?;
    Ok(registers)
}

/// The runs of a sparse value as PFDEBUG DECODE shows them, sound or not: `Z:16383 v:1,1`.
/// A dense value has none.
pub fn describe_sparse(hll: &[u8]) -> Result<Option<String>, HllError> {
    if encoding(hll)? == Encoding::Dense {
        return Ok(None);
    }
    let mut rest = &hll[HEADER..];
    let mut runs = Vec::new();
    while let Some(run) = Run::parse(rest) {
        rest = &rest[run.bytes..];
        runs.push(match (run.value, run.bytes) {
            (0, 1) => format!("z:{}", run.len),
            (0, _) => format!("Z:{}", run.len),
            (value, _) => format!("v:{value},{}", run.len),
        });
    }
    Ok(Some(runs.join(" ")))
}

/// Checks the arithmetic on this machine: every register keeps every value, and estimates are within six standard
/// errors. What failed, if anything.
pub fn self_test() -> Result<(), String> {
    let mut dense = new_sparse();
    to_dense(&mut dense).map_err(|error| format!("dense: {error:?}"))?;
    for shift in 0..64u8 {
        let expected: Registers =
            std::array::from_fn(|index| (index as u8).wrapping_add(shift) % 64);
        let blocks = expected.as_chunks().0.iter().flat_map(|&four| pack(four));
        dense.truncate(HEADER);
        dense.extend(blocks);
        if registers(&dense).map_err(|error| format!("registers: {error:?}"))? != expected {
            return Err(format!(
                "registers do not keep their values, shifted by {shift}"
            ));
        }
    }
    const SPARSE_MAX: usize = 3000;
    /// 1.04 divided by the square root of the number of registers.
    const STANDARD_ERROR: f64 = 0.008_125;
    let mut hll = new_sparse();
    let mut next_check = 10u64;
    for number in 1..=100_000u64 {
        add(&mut hll, &number.to_le_bytes(), SPARSE_MAX)
            .map_err(|error| format!("add: {error:?}"))?;
        if number == next_check {
            next_check *= 10;
            let (estimate, _) = count(&mut hll).map_err(|error| format!("count: {error:?}"))?;
            let most = (number as f64 * STANDARD_ERROR * 6.0).ceil() as u64;
            if estimate.abs_diff(number) > most {
                return Err(format!("{number} elements are counted as {estimate}"));
            }
        }
    }
    Ok(())
}

/// The register an element belongs to and the value it asks for: the place of the lowest set bit in
/// the rest of its hash, from 1.
fn register_of(element: &[u8]) -> (usize, u8) {
    let hash = murmur64a(element, 0xadc8_3b19);
    let rest = hash >> INDEX_BITS | 1 << VALUE_BITS;
    (hash as usize % REGISTERS, rest.trailing_zeros() as u8 + 1)
}

/// Raises a register to at least this value; whether it was lower.
fn raise(hll: &mut Vec<u8>, index: usize, value: u8, sparse_max: usize) -> Result<bool, HllError> {
    match encoding(hll)? {
        Encoding::Dense => Ok(raise_dense(hll, index, value)),
        Encoding::Sparse => raise_sparse(hll, index, value, sparse_max),
    }
}

fn raise_dense(hll: &mut [u8], index: usize, value: u8) -> bool {
    let at = HEADER + index / 4 * 3;
    let block: &mut [u8; 3] = (&mut hll[at..at + 3]).try_into().expect("3 bytes");
    let mut four = unpack(*block);
    let register = &mut four[index % 4];
    let lower = *register < value;
    if lower {
        *register = value;
        *block = pack(four);
    }
    lower
}

fn raise_sparse(
    hll: &mut Vec<u8>,
    index: usize,
    value: u8,
    sparse_max: usize,
) -> Result<bool, HllError> {
    // Find the run with the register, and the run before it.
    let (mut before, mut at, mut first) = (HEADER, HEADER, 0);
    let run = loop {
        let run = Run::parse(&hll[at..]).ok_or(HllError::Corrupted)?;
        if index < first + run.len {
            break run;
        }
        (before, at, first) = (at, at + run.bytes, first + run.len);
    };
    if run.value >= value {
        return Ok(false);
    }

    let mut parts = Vec::with_capacity(5);
    push_run(&mut parts, run.value, index - first);
    push_run(&mut parts, value.min(VAL_MAX), 1);
    push_run(&mut parts, run.value, first + run.len - 1 - index);
    let grows = parts.len() > run.bytes;
    let too_long = grows && hll.len() + parts.len() - run.bytes > sparse_max;
    if value > VAL_MAX || too_long {
        to_dense(hll)?;
        return Ok(raise_dense(hll, index, value));
    }
    hll.splice(at..at + run.bytes, parts);
    join_values(hll, before);
    Ok(true)
}

/// Joins neighbouring runs of the same value from here on, as far as Redis does.
fn join_values(hll: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOIN_SCAN {
        let Some(run) = Run::parse(&hll[at..]) else {
            return;
        };
        let next = Run::parse(&hll[at + run.bytes..]);
        match next.map(|next| (next.value, run.len + next.len)) {
            Some((value, len)) if value == run.value && value != 0 && len <= VAL_MAX_LEN => {
                hll.remove(at);
                hll[at] = value_run(value, len);
            }
            _ => at += run.bytes,
        }
    }
}

/// Raises each register to that of another HyperLogLog.
fn raise_all(registers: &mut Registers, hll: &[u8]) -> Result<(), HllError> {
    match encoding(hll)? {
        Encoding::Dense => {
            let fours: &mut [[u8; 4]] = registers.as_chunks_mut().0;
            for (four, block) in fours.iter_mut().zip(dense_blocks(hll)) {
                let other = unpack(*block);
                *four = std::array::from_fn(|i| four[i].max(other[i]));
            }
            Ok(())
        }
        Encoding::Sparse => {
            let mut first = 0;
            each_run(hll, |run| {
                for register in &mut registers[first..first + run.len] {
                    *register = run.value.max(*register);
                }
                first += run.len;
            })
        }
    }
}

/// How many registers have each value.
fn histogram(hll: &[u8]) -> Result<[u32; 64], HllError> {
    let mut histogram = [0; 64];
    match encoding(hll)? {
        Encoding::Dense => {
            for value in dense_blocks(hll).iter().flat_map(|&block| unpack(block)) {
                histogram[usize::from(value)] += 1;
            }
        }
        Encoding::Sparse => {
            each_run(hll, |run| {
                histogram[usize::from(run.value)] += run.len as u32
            })?;
        }
    }
    Ok(histogram)
}

fn dense_blocks(hll: &[u8]) -> &[[u8; 3]] {
    hll[HEADER..].as_chunks().0
}

/// Four registers share three bytes.
fn unpack([a, b, c]: [u8; 3]) -> [u8; 4] {
    [
        a & 63,
        a >> 6 | (b & 15) << 2,
        b >> 4 | (c & 3) << 4,
        c >> 2,
    ]
}

fn pack([a, b, c, d]: [u8; 4]) -> [u8; 3] {
    [a | b << 6, b >> 2 | c << 4, c >> 4 | d << 2]
}

/// Registers of the same value, in `bytes` bytes.
struct Run {
    value: u8,
    len: usize,
    bytes: usize,
}

impl Run {
    fn parse(text: &[u8]) -> Option<Self> {
        let (value, len, bytes) = match *text {
            [head, ..] if head >= 0x80 => ((head >> 2 & 31) + 1, usize::from(head & 3), 1),
            [head, ..] if head < 0x40 => (0, usize::from(head), 1),
            [head, low, ..] => (0, usize::from(head & 63) << 8 | usize::from(low), 2),
            _ => return None,
        };
        Some(Self {
            value,
            len: len + 1,
            bytes,
        })
    }
}

/// Visits the runs of a sparse value, which must cover each register once.
fn each_run(hll: &[u8], mut visit: impl FnMut(Run)) -> Result<(), HllError> {
    let (mut rest, mut left) = (&hll[HEADER..], REGISTERS);
    while !rest.is_empty() {
        let run = Run::parse(rest)
            .filter(|run| run.len <= left)
            .ok_or(HllError::Corrupted)?;
        rest = &rest[run.bytes..];
        left -= run.len;
        visit(run);
    }
    if left == 0 {
        Ok(())
    } else {
        Err(HllError::Corrupted)
    }
}

fn push_run(out: &mut Vec<u8>, value: u8, len: usize) {
    match (value, len) {
        (_, 0) => {}
        (0, ..=ZERO_MAX_LEN) => out.push((len - 1) as u8),
        (0, _) => out.extend([0x40 | ((len - 1) >> 8) as u8, (len - 1) as u8]),
        _ => out.push(value_run(value, len)),
    }
}

fn value_run(value: u8, len: usize) -> u8 {
    0x80 | (value - 1) << 2 | (len - 1) as u8
}

/// The estimated count for a histogram of register values (Ertl, algorithm 6).
fn estimate(histogram: &[u32; 64]) -> u64 {
    /// 1 / (2 ln 2), the bias of infinitely many registers.
    const ALPHA: f64 = 0.721_347_520_444_481_7;
    let registers = REGISTERS as f64;
    let share = |value: usize| f64::from(histogram[value]) / registers;
    let mut z = registers * tau((registers - f64::from(histogram[VALUE_BITS + 1])) / registers);
    for value in (1..=VALUE_BITS).rev() {
        z = (z + f64::from(histogram[value])) * 0.5;
    }
    z += registers * sigma(share(0));
    (ALPHA * registers * registers / z).round() as u64
}

/// The part of registers at their largest value.
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        y *= 0.5;
        let before = z;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

/// The part of registers still zero.
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

/// MurmurHash64A of A. Appleby, reading little-endian on every CPU.
fn murmur64a(data: &[u8], seed: u64) -> u64 {
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    const R: u32 = 47;
    let mut hash = seed ^ (data.len() as u64).wrapping_mul(M);
    let (words, tail) = data.as_chunks();
    for word in words {
        let mut word = u64::from_le_bytes(*word).wrapping_mul(M);
        word ^= word >> R;
        hash = (hash ^ word.wrapping_mul(M)).wrapping_mul(M);
    }
    if !tail.is_empty() {
        let mut word = [0; 8];
        word[..tail.len()].copy_from_slice(tail);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(M);
    }
    hash ^= hash >> R;
    hash = hash.wrapping_mul(M);
    hash ^ hash >> R
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPARSE_MAX: usize = 3000;

    fn hll_of<T: AsRef<[u8]>>(elements: impl IntoIterator<Item = T>) -> Vec<u8> {
        let mut hll = new_sparse();
        for element in elements {
            add(&mut hll, element.as_ref(), SPARSE_MAX).expect("sound");
        }
        hll
    }

    fn numbers(range: std::ops::Range<u32>) -> impl Iterator<Item = String> {
        range.map(|number| number.to_string())
    }

    fn described(hll: &[u8]) -> String {
        describe_sparse(hll).expect("sound").expect("sparse")
    }

    fn count_of(hll: &[u8]) -> u64 {
        count(&mut hll.to_vec()).expect("sound").0
    }

    #[test]
    fn a_new_value_is_one_run_of_zeros_with_its_count_at_hand() {
        let mut hll = new_sparse();
        assert_eq!(hll, b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff");
        assert_eq!(described(&hll), "Z:16384");
        assert_eq!(count(&mut hll), Ok((0, false)));
        mark_outdated(&mut hll);
        assert_eq!(count(&mut hll), Ok((0, true)));
    }

    #[test]
    fn elements_land_in_the_registers_redis_gives_them() {
        // PFADD k ... and PFDEBUG DECODE k on redis-server 7.0.15.
        let hll = hll_of(["a", "b", "c", "d", "e", "f", "g"]);
        assert_eq!(
            described(&hll),
            "Z:1646 v:1,1 Z:5645 v:1,1 Z:1085 v:2,1 z:57 v:1,1 Z:4274 v:2,1 Z:2445 v:1,1 Z:622 v:1,1 Z:603"
        );
        assert_eq!(described(&hll_of([""])), "Z:5938 v:2,1 Z:10445");
        let thirty = described(&hll_of(numbers(0..30)));
        assert!(thirty.starts_with(
            "Z:495 v:2,1 Z:1042 v:1,1 Z:1041 v:1,1 Z:1087 v:1,1 Z:227 v:1,1 Z:189 v:4,1"
        ));
        assert!(
            thirty.ends_with("Z:121 v:1,1 Z:531 v:4,1 Z:185 v:1,1 z:22 v:2,1 Z:444 v:1,1 Z:358")
        );
    }

    #[test]
    fn counts_are_those_of_redis() {
        for (elements, counted) in [(1, 1), (100, 100), (1000, 1001), (50_000, 50_354)] {
            assert_eq!(
                count_of(&hll_of(numbers(0..elements))),
                counted,
                "{elements}"
            );
        }
    }

    #[test]
    fn the_count_is_cached_until_a_register_changes() {
        let mut hll = hll_of(["a"]);
        assert_eq!(count(&mut hll), Ok((1, true)));
        assert_eq!(count(&mut hll), Ok((1, false)));
        assert_eq!(add(&mut hll, b"a", SPARSE_MAX), Ok(false));
        assert_eq!(count(&mut hll), Ok((1, false)));
        assert_eq!(add(&mut hll, b"b", SPARSE_MAX), Ok(true));
        assert_eq!(count(&mut hll), Ok((2, true)));
    }

    #[test]
    fn neighbours_of_equal_value_share_a_run_of_up_to_four() {
        let mut hll = new_sparse();
        for index in [5, 3, 4, 6, 7, 8] {
            raise(&mut hll, index, 2, SPARSE_MAX).expect("sound");
        }
        assert_eq!(described(&hll), "z:3 v:2,4 v:2,2 Z:16375");
        raise(&mut hll, 4, 3, SPARSE_MAX).expect("sound");
        assert_eq!(described(&hll), "z:3 v:2,1 v:3,1 v:2,4 Z:16375");
        raise(&mut hll, 16383, 1, SPARSE_MAX).expect("sound");
        raise(&mut hll, 0, 1, SPARSE_MAX).expect("sound");
        assert_eq!(described(&hll), "v:1,1 z:2 v:2,1 v:3,1 v:2,4 Z:16374 v:1,1");
    }

    #[test]
    fn a_value_too_long_or_a_register_too_large_makes_it_dense() {
        let mut hll = new_sparse();
        assert_eq!(raise(&mut hll, 100, 1, 21), Ok(true));
        assert_eq!(
            encoding(&hll),
            Ok(Encoding::Sparse),
            "21 bytes are just allowed"
        );
        assert_eq!(raise(&mut hll, 9, 32, 21), Ok(true));
        assert_eq!(encoding(&hll), Ok(Encoding::Dense));
        assert_eq!(raise(&mut hll, 9, 32, 21), Ok(false));

        let mut hll = new_sparse();
        assert_eq!(raise(&mut hll, 7, 33, SPARSE_MAX), Ok(true));
        assert_eq!(encoding(&hll), Ok(Encoding::Dense));
        assert_eq!(registers(&hll).expect("sound")[6..9], [0, 33, 0]);
    }

    #[test]
    fn a_union_is_dense_if_any_part_is() {
        let dense = hll_of(numbers(0..10_000));
        assert_eq!(encoding(&dense), Ok(Encoding::Dense));
        let mut union = new_sparse();
        merge_into(&mut union, &hll_of(["x"]), SPARSE_MAX).expect("sound");
        assert_eq!(encoding(&union), Ok(Encoding::Sparse));
        merge_into(&mut union, &dense, SPARSE_MAX).expect("sound");
        assert_eq!(encoding(&union), Ok(Encoding::Dense));
        assert_eq!(
            count_of(&union),
            union_of(&[&hll_of(["x"]), &dense]).expect("sound").count()
        );
    }

    fn union_of(hlls: &[&[u8]]) -> Result<Union, HllError> {
        let mut union = Union::default();
        hlls.iter().try_for_each(|hll| union.add(hll))?;
        Ok(union)
    }

    fn merge_into(target: &mut Vec<u8>, other: &[u8], sparse_max: usize) -> Result<(), HllError> {
        union_of(&[target, other])?.store(target, sparse_max)
    }

    #[test]
    fn other_strings_are_refused_and_broken_runs_reported() {
        for other in [
            &b""[..],
            b"HYLL",
            b"HYLL\x02aaaaaaaaaaa",
            b"HYLL\x00aaaaaaaaaaa",
            b"hyll\x01aaaaaaaaaaa",
        ] {
            assert_eq!(count(&mut other.to_vec()), Err(HllError::NotHyperLogLog));
            assert_eq!(
                add(&mut other.to_vec(), b"x", 3000),
                Err(HllError::NotHyperLogLog)
            );
        }
        for runs in [
            &b""[..],
            b"\x00",
            b"\x7f\xff\x00",
            b"\x7f\xfe\x40",
            b"\x7f\xff\x7f\xff",
        ] {
            let mut hll = [b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80", runs].concat();
            assert_eq!(count(&mut hll), Err(HllError::Corrupted), "{runs:?}");
            assert_eq!(to_dense(&mut hll), Err(HllError::Corrupted));
            assert_eq!(union_of(&[&hll]).err(), Some(HllError::Corrupted));
            let mut target = hll_of(["a"]);
            assert_eq!(
                merge_into(&mut target, &hll, 3000),
                Err(HllError::Corrupted)
            );
            assert_eq!(target, hll_of(["a"]));
        }
    }

    proptest! {
        #[test]
        fn sparse_and_dense_count_the_same(elements in prop::collection::vec(any::<u64>(), 0..400)) {
            let mut sparse = hll_of(elements.iter().map(|number| number.to_le_bytes()));
            prop_assert_eq!(encoding(&sparse), Ok(Encoding::Sparse));
            let mut dense = new_sparse();
            to_dense(&mut dense).expect("sound");
            for element in &elements {
                add(&mut dense, &element.to_le_bytes(), 0).expect("sound");
            }
            prop_assert_eq!(count_of(&sparse), count_of(&dense));
            prop_assert_eq!(registers(&sparse), registers(&dense));
            prop_assert_eq!(to_dense(&mut sparse), Ok(true));
            prop_assert_eq!(&sparse[HEADER..], &dense[HEADER..]);
        }

        #[test]
        fn hostile_runs_do_no_harm(
            runs in prop::collection::vec(any::<u8>(), 0..40),
            padding in 0..3usize,
            element: [u8; 3],
        ) {
            // Often the runs are completed, so that elements find their register.
            let mut hll = new_sparse();
            hll.splice(HEADER..HEADER + padding, runs);
            let _ = count(&mut hll.clone());
            let _ = describe_sparse(&hll);
            let _ = merge_into(&mut hll.clone(), &hll, 100);
            let _ = add(&mut hll, &element, 100);
        }
    }
}
