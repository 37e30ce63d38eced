//! `math.random` as scripts know it: the 48-bit generator of drand48(3), the same numbers on every machine.

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rand48(u64);

/// drand48's multiplier, increment and the low half of a seeded state.
const MULTIPLIER: u64 = 0x5_deec_e66d;
const INCREMENT: u64 = 0xb;
const SEED_LOW: u64 = 0x330e;
const MASK: u64 = (1 << 48) - 1;
/// Numbers are in 0..MAX.
const MAX: i64 = i32::MAX as i64;

/// Where the sequence begins in a process that never seeds it.
const FIRST: u64 = 0x1234_abcd_330e;

impl Default for Rand48 {
    fn default() -> Rand48 {
        Rand48(FIRST)
    }
}

impl Rand48 {
    pub(super) fn new(seed: i32) -> Rand48 {
        Rand48(u64::from(seed as u32) << 16 | SEED_LOW)
    }

    /// A number in 0..1.
    pub(super) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT) & MASK;
        let number = (self.0 >> 17) as i64;
        (number % MAX) as f64 / MAX as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_scripts_have_always_seen() {
        // As redis-server 7.0.15 answers after math.randomseed(123456789).
        let mut random = Rand48::new(123_456_789);
        let seen: Vec<String> = (0..3).map(|_| format!("{:.12}", random.next())).collect();
        assert_eq!(seen, ["0.052468466597", "0.025444216572", "0.099272008566"]);
    }
}
