//! The vocabulary: what a name or a value leads one to expect.
//!
//! How a feature varies decides whether it tells instances apart. The vocabulary only leaves out what may vary in the
//! same way, such as timings, counters and variants of a page, and tells mere numbers from names.

mod names;
mod values;
mod words;

pub use names::{
    Meaning, is_introduced, is_name_field, is_plain_header, meaning_of_context, meaning_of_name, meaning_of_pointer,
};
pub use values::{Shape, are_drawn, are_hosts, is_clock, is_file_etag, shape};
