//! The built-in apps: the page (`web_static`) and the JSON service (`web_dynamic`), as one replica serves them.
//!
//! They stand in for the lab's images where there is no Docker, and answer as those do: `lab/web_static/` and
//! `lab/web_dynamic/` and this module keep one contract, the design's table of what the lab's apps answer.
//!
//! ```text
//! server     one replica on one socket: routes, what every response carries, the end
//! page       web_static: the page, its session, login and logout
//! document   the HTML document, put together from lab/web_static/
//! sessions   what this server knows of whom: pure, the clock is passed in
//! cookie     which session a request names, exactly as PHP reads it
//! api        web_dynamic
//! answer     refusals and delays, the same for both
//! ```

mod answer;
mod api;
mod cookie;
mod document;
mod page;
mod server;
mod sessions;

pub use server::{Served, serve};
