//! The bundled proxy over the wire: the built `lbctl proxy` in front of real servers.

mod answers;
mod connections;
mod containers;
mod drain;
mod ends;
mod headers;
mod middlewares;
mod order;
mod sticky;
mod stop;
mod streaming;
