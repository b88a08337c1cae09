//! Docker Engines and their containers, and Compose as a program.

mod compose;
mod connect;
mod containers;
mod routed;
