pub mod connection_reuse;
pub mod picks;
pub mod sequence;
