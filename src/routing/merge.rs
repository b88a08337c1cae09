//! Merging: several containers may define one name. As in Traefik, all of them must define it in the same way; if they
//! do not, none of their definitions counts.

use std::collections::{BTreeMap, BTreeSet};

/// Definitions of one kind, by name.
#[derive(Debug)]
pub struct Definitions<T> {
    kind: &'static str,
    first: BTreeMap<String, T>,
    in_two_ways: BTreeSet<String>,
}

impl<T: PartialEq> Definitions<T> {
    /// An empty set of definitions; `kind` is the word for them in problems.
    pub fn new(kind: &'static str) -> Self {
        Definitions { kind, first: BTreeMap::new(), in_two_ways: BTreeSet::new() }
    }

    /// Adds the definition of one more container.
    pub fn add(&mut self, name: String, definition: T) {
        match self.first.get(&name) {
            Some(first) if *first != definition => _ = self.in_two_ways.insert(name),
            Some(_) => {}
            None => _ = self.first.insert(name, definition),
        }
    }

    /// The definitions that count, and a problem for each name whose definitions do not.
    pub fn merge(mut self) -> (BTreeMap<String, T>, Vec<String>) {
        self.first.retain(|name, _| !self.in_two_ways.contains(name));
        let Definitions { kind, first, in_two_ways } = self;
        (first, in_two_ways.into_iter().map(|name| format!("{kind} {name} is defined in two ways")).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_once_is_gone_for_all() {
        let mut definitions = Definitions::new("router");
        for (name, definition) in [("a", 1), ("b", 1), ("a", 2), ("b", 1), ("a", 1), ("c", 3), ("a", 3)] {
            definitions.add(name.to_owned(), definition);
        }
        let (rest, problems) = definitions.merge();
        assert_eq!(rest, BTreeMap::from([("b".to_owned(), 1), ("c".to_owned(), 3)]));
        assert_eq!(problems, ["router a is defined in two ways"]);
    }
}
