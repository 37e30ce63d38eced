//! The order of texts in the language that the environment names (`LC_ALL`, `LC_COLLATE`, `LANG`), for SORT ALPHA.
#![allow(
    unsafe_code,
    reason = "the C library alone knows the orders of the installed languages"
)]

/// Takes the order from the environment; without this, and without a language there, it is that of bytes. To be called
/// before there are threads.
pub(crate) fn follow_environment() {
    // SAFETY: the text ends with NUL, and no other thread runs yet that could use the locale.
    unsafe { libc::setlocale(libc::LC_COLLATE, c"".as_ptr()) };
}

/// Bytes that compare as the text compares in that language: the text itself if none is set. What is behind a NUL byte
/// does not count.
pub(crate) fn key(text: &[u8]) -> Vec<u8> {
    let mut text: Vec<u8> = text
        .split(|&byte| byte == 0)
        .next()
        .unwrap_or_default()
        .to_vec();
    text.push(0);
    let mut key = vec![0u8; 2 * text.len()];
    let transform = |key: &mut [u8]| {
        // SAFETY: `text` ends with NUL, and the function writes no more than the length given.
        unsafe { libc::strxfrm(key.as_mut_ptr().cast(), text.as_ptr().cast(), key.len()) }
    };
    let len = transform(&mut key);
    if len >= key.len() {
        key.resize(len + 1, 0);
        transform(&mut key);
    }
    key.truncate(len);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_language_texts_compare_as_bytes_up_to_a_nul() {
        let texts: [&[u8]; 7] = [b"", b"B", b"a", b"a\xff", b"ab", b"b", &[0xff; 5000]];
        for text in texts {
            assert_eq!(key(text), text);
        }
        assert_eq!(key(b"a\0b"), b"a");
    }
}
