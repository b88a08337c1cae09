//! The built-in apps that a replica serves: the page (`web_static`) and the JSON service (`web_dynamic`).
//!
//! They replace the lab's images where there is no Docker, and give the same answers. This module, `lab/web_static/` and
//! `lab/web_dynamic/` keep one contract, which the tests hold: the design's table of what the lab's apps answer.
//!
//! ```text
//! server     one replica on one socket: its routes, the headers of every response, its end
//! page       web_static: the page, its session, login and logout
//! document   the HTML document, built from the files of lab/web_static/
//! sessions   the sessions of one server; pure, the clock is an argument
//! cookie     the session that a request names, read exactly as PHP reads it
//! api        web_dynamic
//! answer     parts of both apps: error responses, delays, the health check
//! ```

mod answer;
mod api;
mod cookie;
mod document;
mod page;
mod server;
mod sessions;

pub use server::serve;
