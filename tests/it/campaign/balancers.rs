//! Simulated balancers that see whole requests: cookies, addresses, paths, and the load of their instances.

use std::collections::HashMap;

use super::target::{Asked, Balancer, Placed};
use crate::simulation::balancers::{Balancer as Picks, Chance, Heap, cycle, draws};

/// Any order of picks, whatever the request.
pub fn blind(mut picks: impl Picks + 'static) -> Balancer {
    Box::new(move |_| picks.pick().into())
}

pub fn round_robin(k: usize) -> Balancer {
    blind(cycle((0..k).collect(), 0))
}

/// Traefik's order, which differs from round to round.
pub fn shuffled_rounds(k: usize) -> Balancer {
    blind(Heap::new(&vec![1; k], &mut Chance(k as u64)))
}

pub fn random(k: usize, seed: u64) -> Balancer {
    blind(draws(vec![1; k], Chance(seed)))
}

pub fn single() -> Balancer {
    blind(|| 0)
}

/// A round robin that picks once per connection.
pub fn per_connection(k: usize) -> Balancer {
    let mut turn = cycle((0..k).collect(), 0);
    let mut connections: HashMap<u16, usize> = HashMap::new();
    Box::new(move |asked| (*connections.entry(asked.connection).or_insert_with(|| turn.pick())).into())
}

/// FNV-1a, mixed once more so that neighbours part.
pub fn hash(text: &str, k: usize) -> usize {
    let fnv = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    Chance(fnv).below(k)
}

/// A hash of what `key` takes from a request.
pub fn hashing(k: usize, key: fn(&Asked) -> String) -> Balancer {
    Box::new(move |asked| hash(&key(asked), k).into())
}

/// A round robin over those that have the fewest requests under way.
pub fn least_connections(k: usize) -> Balancer {
    let mut turn = 0;
    Box::new(move |asked| {
        let load = |one: usize| asked.busy.iter().filter(|busy| **busy == one).count();
        let fewest = (0..k).map(load).min().unwrap();
        loop {
            turn += 1;
            if load(turn % k) == fewest {
                return (turn % k).into();
            }
        }
    })
}

/// The first that has fewer requests under way than `limit`.
pub fn first_available(k: usize, limit: usize) -> Balancer {
    Box::new(move |asked| {
        let load = |one: usize| asked.busy.iter().filter(|busy| **busy == one).count();
        (0..k).find(|one| load(*one) < limit).unwrap_or(0).into()
    })
}

/// How a cookie keeps a client.
#[derive(Clone, Copy, PartialEq)]
pub enum Keeps {
    Inserted,
    Hashed,
    Learned,
}

/// A round robin for clients without a cookie; others stay where their cookie says.
pub fn sticky(k: usize, keeps: Keeps) -> Balancer {
    let mut turn = cycle((0..k).collect(), 0);
    let mut table: HashMap<String, usize> = HashMap::new();
    let mut sessions = 0;
    Box::new(move |asked| {
        let value = asked.cookie("id");
        let kept = value.and_then(|value| match keeps {
            Keeps::Inserted => value.strip_prefix("web-").map(|number| number.parse::<usize>().unwrap()),
            Keeps::Hashed => Some(hash(value, k)),
            Keeps::Learned => table.get(value).copied(),
        });
        let instance = kept.unwrap_or_else(|| turn.pick());
        if keeps == Keeps::Learned
            && let Some(value) = value
        {
            table.insert(value.to_owned(), instance);
        }
        let set = if keeps == Keeps::Inserted && kept.is_none() {
            Some(format!("web-{instance}"))
        } else if keeps != Keeps::Inserted && value.is_none() {
            sessions += 1;
            let session = format!("session {sessions}");
            table.insert(session.clone(), instance);
            Some(session)
        } else {
            None
        };
        Placed { instance, set: set.map(|value| ("id".to_owned(), value)).into_iter().collect() }
    })
}
