pub mod budget;
pub mod sizes;
pub mod stop;
