pub mod independent;
pub mod log_prob;
