//! Requests on the wire: a message is looked at from outside before it is read, so that nothing longer than a
//! request may be is waited for, and nothing that is no request reaches the codec.

use std::io;

use bytes::BytesMut;
use ldap3_proto::LdapCodec;
use ldap3_proto::proto::LdapMsg;
use tokio_util::codec::{Decoder, Encoder};

/// What one request may be long, in bytes, and how deep.
const LONGEST: usize = 64 * 1024;
const DEEPEST: usize = 64;

/// The kinds of requests (RFC 4511 §4): bind, unbind, search, modify, add, delete, modify DN, compare, abandon,
/// extended.
const REQUESTS: [u8; 10] = [0, 2, 3, 6, 8, 10, 12, 14, 16, 23];

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

/// Reads requests and writes answers.
pub struct Requests(LdapCodec);

impl Default for Requests {
    fn default() -> Self {
        Self(LdapCodec::new(Some(LONGEST), Some(DEEPEST)))
    }
}

impl Decoder for Requests {
    type Item = LdapMsg;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<LdapMsg>> {
        let Some(length) = length(buffer)? else { return Ok(None) };
        if buffer.len() < length {
            return Ok(None);
        }
        let mut frame = buffer.split_to(length);
        if !is_request(&frame) {
            return Err(no_request());
        }
        match self.0.decode(&mut frame)? {
            Some(message) if frame.is_empty() => Ok(Some(message)),
            _ => Err(no_request()),
        }
    }
}

impl Encoder<LdapMsg> for Requests {
    type Error = io::Error;

    fn encode(&mut self, message: LdapMsg, buffer: &mut BytesMut) -> io::Result<()> {
        self.0.encode(message, buffer)
    }
}

fn no_request() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "no request")
}

/// How long the message at the beginning is, head and all (X.690 §8.1.3); `None` while that is not said yet.
fn length(bytes: &[u8]) -> io::Result<Option<usize>> {
    let Some((first, rest)) = bytes.split_first() else { return Ok(None) };
    if *first != SEQUENCE {
        return Err(no_request());
    }
    let Some((body, head)) = definite(rest)? else { return Ok(None) };
    let whole = body.saturating_add(head).saturating_add(1);
    if whole > LONGEST { Err(no_request()) } else { Ok(Some(whole)) }
}

/// A length, and in how many bytes it is said. LDAP has definite ones alone (RFC 4511 §5.1).
fn definite(bytes: &[u8]) -> io::Result<Option<(usize, usize)>> {
    let Some((first, rest)) = bytes.split_first() else { return Ok(None) };
    match first {
        0..=0x7f => Ok(Some((usize::from(*first), 1))),
        0x81..=0x84 => {
            let count = usize::from(first & 0x7f);
            let Some(said) = rest.get(..count) else { return Ok(None) };
            let length = said.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
            Ok(Some((length, count.saturating_add(1))))
        }
        _ => Err(no_request()),
    }
}

/// Whether a message holds a number and then a request.
fn is_request(frame: &[u8]) -> bool {
    let operation = || {
        let (_, head) = definite(frame.get(1..)?).ok()??;
        let inner = frame.get(1 + head..)?;
        let (kind, rest) = inner.split_first()?;
        let (length, head) = definite(rest).ok()??;
        let numbered = *kind == INTEGER && (1..=5).contains(&length);
        rest.get(head.checked_add(length)?).copied().filter(|_| numbered)
    };
    // An application tag in one byte.
    operation().is_some_and(|tag| tag & 0xc0 == 0x40 && REQUESTS.contains(&(tag & 0x1f)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> io::Result<Option<LdapMsg>> {
        Requests::default().decode(&mut BytesMut::from(bytes))
    }

    const UNBIND: &[u8] = &[0x30, 0x05, 0x02, 0x01, 0x01, 0x42, 0x00];

    #[test]
    fn a_request_is_read_and_a_part_of_one_is_waited_for() {
        assert!(matches!(decoded(UNBIND), Ok(Some(_))));
        for end in 0..UNBIND.len() {
            assert!(matches!(decoded(&UNBIND[..end]), Ok(None)), "{end}");
        }
        let mut two = BytesMut::from(&[UNBIND, UNBIND].concat()[..]);
        let mut codec = Requests::default();
        assert!(matches!(codec.decode(&mut two), Ok(Some(_))));
        assert!(matches!(codec.decode(&mut two), Ok(Some(_))));
        assert!(matches!(codec.decode(&mut two), Ok(None)));
    }

    #[test]
    fn what_is_none_is_refused_by_its_head() {
        for bytes in [
            &[0x16, 0x03][..],
            &[0x30, 0x80],
            &[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff],
            &[0x30, 0x83, 0x01, 0x00, 0x00],
            &[0x30, 0x85, 0, 0, 0, 0, 1],
            // Tags that are no requests: an answer, and one that nothing is.
            &[0x30, 0x05, 0x02, 0x01, 0x01, 0x61, 0x00],
            &[0x30, 0x05, 0x02, 0x01, 0x01, 0x7e, 0x00],
            &[0x30, 0x05, 0x02, 0x01, 0x01, 0x04, 0x00],
            &[0x30, 0x03, 0x42, 0x01, 0x00],
            &[0x30, 0x00],
        ] {
            assert!(decoded(bytes).is_err(), "{bytes:02x?}");
        }
    }

    #[test]
    fn nothing_that_comes_breaks_it() {
        proptest::proptest!(|(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200))| {
            let _ = decoded(&bytes);
            let _ = decoded(&[UNBIND, &bytes[..]].concat());
            let head = [0x30, u8::try_from(bytes.len().min(127)).unwrap_or(127), 0x02, 0x01, 0x07, 0x63];
            let _ = decoded(&[&head[..], &bytes[..]].concat());
        });
    }
}
