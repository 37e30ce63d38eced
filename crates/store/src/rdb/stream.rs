//! Streams in the format.

use super::save::Encoder;
use crate::value::Stream;

/// Appends a stream in the form STREAM_LISTPACKS_2.
pub(super) fn save(out: &mut Encoder, _stream: &Stream) {
    // No entries; last id, first id and greatest deleted id 0-0; none ever added; no groups.
    for _ in 0..10 {
        out.length(0);
    }
}
