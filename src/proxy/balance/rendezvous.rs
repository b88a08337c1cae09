//! Rendezvous hashing, also called highest random weight (Thaler and Ravishankar 1998), on the client's address: a
//! replica that comes or goes moves only the clients that it wins or loses.

use std::net::IpAddr;

use crate::proxy::upstream::WeightedUpstream;

/// Picks the replica with the highest score for this client, the first of equals.
pub fn pick(candidates: &[WeightedUpstream], client: IpAddr) -> usize {
    let client = client.to_string();
    let mut best = (0, f64::NEG_INFINITY);
    for (index, candidate) in candidates.iter().enumerate() {
        let score = score(&client, candidate);
        if score > best.1 {
            best = (index, score);
        }
    }
    best.0
}

/// Traefik's score: 1 / -ln(hash / 2^64) * weight.
fn score(client: &str, candidate: &WeightedUpstream) -> f64 {
    let hash = fnv1a_64(client.bytes().chain(candidate.url().bytes()));
    -1.0 / (hash as f64 / 2f64.powi(64)).ln() * candidate.weight as f64
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo).
fn fnv1a_64(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fnv1a_is_the_published_one() {
        assert_eq!(fnv1a_64("foobar".bytes()), 0x8594_4171_f739_67e8);
    }
}
