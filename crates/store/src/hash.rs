//! Keyed hashing. Clients choose keys and members, and SCAN shows them hash order, so an unkeyed or weakly keyed
//! hash would let them build collisions: SipHash-1-3 with a random key per process.

use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::sync::OnceLock;

static KEY: OnceLock<(u64, u64)> = OnceLock::new();

/// Sets the process's hash key. The first call wins; tests and tools may leave it out and get a fixed key.
pub fn seed(key: (u64, u64)) {
    let _ = KEY.set(key);
}

/// The hash of a key or a member.
#[inline]
pub fn hash(bytes: &[u8]) -> u64 {
    let &(k0, k1) = KEY.get_or_init(|| (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908));
    let mut hasher = SipHasher13::new_with_keys(k0, k1);
    hasher.write(bytes);
    hasher.finish()
}
