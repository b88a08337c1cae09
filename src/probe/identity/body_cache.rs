//! A cache of bodies, with the value that was read in each. Where replies differ in nothing but the instance, each body
//! is read once.

use std::collections::HashMap;

use bytes::Bytes;

/// The greatest number of bodies in the cache.
const MAX_BODIES: usize = 64;
/// The length of the longest body in the cache, in bytes.
const MAX_LENGTH: usize = 4096;
/// The number of look-ups after which a full cache has to prove useful: to look in vain costs nearly as much as to
/// read.
const TRIAL_LOOKUPS: u64 = 100;

#[derive(Debug, Default)]
pub struct BodyCache {
    entries: HashMap<Box<[u8]>, Option<String>>,
    /// The number of look-ups since the cache has been full.
    lookups: u64,
    /// The number of these look-ups that found their body.
    hits: u64,
}

impl BodyCache {
    /// Returns the result of `read` for a body, from the cache where it has the body. `read` must depend on nothing but
    /// the body.
    pub fn get_or_read(&mut self, body: &Bytes, read: impl FnOnce() -> Option<String>) -> Option<String> {
        let full = self.entries.len() >= MAX_BODIES;
        let is_useful = self.lookups < TRIAL_LOOKUPS || self.hits * 2 > self.lookups;
        if body.len() > MAX_LENGTH || !is_useful {
            return read();
        }
        self.lookups += u64::from(full);
        if let Some(value) = self.entries.get(&**body) {
            self.hits += u64::from(full);
            return value.clone();
        }
        let value = read();
        if !full {
            self.entries.insert(Box::from(&**body), value.clone());
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_comes_again_is_not_read_again() {
        let (mut cache, mut reads) = (BodyCache::default(), 0);
        for body in [&b"a"[..], b"b", b"a", b"", b"", b"a"] {
            let value = cache.get_or_read(&Bytes::from_static(body), || {
                reads += 1;
                std::str::from_utf8(body).ok().filter(|body| !body.is_empty()).map(str::to_owned)
            });
            assert_eq!(value.unwrap_or_default().as_bytes(), body);
        }
        assert_eq!(reads, 3);
    }

    #[test]
    fn bodies_that_never_come_again_are_not_hoarded() {
        let mut cache = BodyCache::default();
        for n in 0..1000 {
            let body = Bytes::from(format!("{n}"));
            assert_eq!(cache.get_or_read(&body, || Some(n.to_string())), Some(n.to_string()));
        }
        assert_eq!(cache.entries.len(), MAX_BODIES);
        let long = Bytes::from(vec![b'x'; MAX_LENGTH + 1]);
        assert_eq!(BodyCache::default().get_or_read(&long, || None), None);
    }
}
