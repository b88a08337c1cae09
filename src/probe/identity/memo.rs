//! The memo: bodies that came before, and what was read in them. Where nothing but the instance makes replies differ, each
//! is read once.

use std::collections::HashMap;

use bytes::Bytes;

/// Bodies that are remembered, at most.
const MOST: usize = 64;
/// The longest that is.
const LONGEST: usize = 4096;

/// Bodies after which it is given up if it does not help.
const TRIED: u64 = 100;

/// What was read in bodies.
#[derive(Debug, Default)]
pub struct Memo {
    known: HashMap<Box<[u8]>, Option<String>>,
    /// How often it was asked since it is full,
    asked: u64,
    /// and how often it helped.
    hits: u64,
}

impl Memo {
    /// What `read` says of a body, which must depend on nothing else.
    pub fn read(&mut self, body: &Bytes, read: impl FnOnce() -> Option<String>) -> Option<String> {
        let full = self.known.len() >= MOST;
        // to look in vain costs nearly as much as to read
        let helps = self.asked < TRIED || self.hits * 2 > self.asked;
        if body.len() > LONGEST || !helps {
            return read();
        }
        self.asked += u64::from(full);
        if let Some(value) = self.known.get(&**body) {
            self.hits += u64::from(full);
            return value.clone();
        }
        let value = read();
        if !full {
            self.known.insert(Box::from(&**body), value.clone());
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_comes_again_is_not_read_again() {
        let (mut memo, mut reads) = (Memo::default(), 0);
        for body in [&b"a"[..], b"b", b"a", b"", b"", b"a"] {
            let value = memo.read(&Bytes::from_static(body), || {
                reads += 1;
                std::str::from_utf8(body).ok().filter(|body| !body.is_empty()).map(str::to_owned)
            });
            assert_eq!(value.unwrap_or_default().as_bytes(), body);
        }
        assert_eq!(reads, 3);
    }

    #[test]
    fn bodies_that_never_come_again_are_not_hoarded() {
        let mut memo = Memo::default();
        for n in 0..1000 {
            let body = Bytes::from(format!("{n}"));
            assert_eq!(memo.read(&body, || Some(n.to_string())), Some(n.to_string()));
        }
        assert_eq!(memo.known.len(), MOST);
        let long = Bytes::from(vec![b'x'; LONGEST + 1]);
        assert_eq!(Memo::default().read(&long, || None), None);
    }
}
