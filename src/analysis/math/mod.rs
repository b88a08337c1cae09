pub mod independent;
pub mod log_prob;
pub mod weights;
