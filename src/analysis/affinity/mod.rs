pub mod connection;
pub mod cookie;
pub mod cookie_mechanism;
pub mod key_facts;
pub mod keys;
pub mod pinning;
pub mod placement;
pub mod vendor;
