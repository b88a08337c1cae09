//! The vocabulary: the meanings that names and values suggest.
//!
//! The way in which a feature varies decides whether it distinguishes instances. The vocabulary only leaves out
//! features that may vary in the same way, such as timings, counters and variants of a page, and separates numbers from
//! names.

mod names;
mod values;
mod words;

pub use names::{
    NameMeaning, is_field_of_instance, is_introduced, is_name_field, is_plain_header, is_self_introduction,
    meaning_of_context, meaning_of_cookie, meaning_of_name, meaning_of_pointer, meaning_of_route,
};
pub use values::{Shape, are_drawn, are_hosts, is_clock, is_file_etag, shape};
