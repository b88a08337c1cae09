//! The facets of a verdict besides its algorithm: the order of rounds, stickiness, and what is balanced. Their names in
//! JSON are those of the variants in lower case.

/// The way in which the order of a round changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Order {
    /// Every round is the same.
    Fixed,
    /// Each round has an order of its own.
    Changing,
    /// Several counters go round the same ring and take turns.
    Interleaved,
}

/// The mechanism that keeps a client on its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Stickiness {
    Cookie,
    None,
    /// The client's address keeps the client.
    Source,
    Undetermined,
}

/// The way in which a cookie keeps a client on its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum StickyBy {
    /// The balancer inserts the cookie, and its value names the instance.
    Inserted,
    /// The balancer takes a hash of the value, whichever instance set it.
    Hash,
    /// The balancer remembers the instance of each value.
    Learned,
}

/// The unit for which the balancer picks an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum BalancesPer {
    Request,
    Connection,
    Undetermined,
}

impl Order {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Stickiness {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl StickyBy {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl BalancesPer {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
