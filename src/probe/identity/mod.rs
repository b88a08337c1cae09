//! Identity: which instance sent a reply.
//!
//! ```text
//! recogniser    names the instance behind each reply: by the explicit identity, or by what it learns
//!   learning      still compares replies
//!   settled       knows what tells instances apart
//! request       the request that a reply answers
//! explicit      the identity that the user gives with --identity: a header, a JSON field or a pattern
//! known         headers, fields and patterns in which servers commonly give their name
//!   known_choice  which of these varies as instances do
//! discover/     which of everything else tells instances apart; one function
//! choice        what the replies let one choose, and why a feature was refused
//!   refusal       the same in words
//! locator       how the chosen value is read from a reply, and described in words
//! feature/      the values of a reply that may tell instances apart, and how they divide the replies
//! vocabulary/   what names and values lead one to expect
//! json          single fields of a JSON body
//! body_cache    bodies that need not be read again
//! ```
//!
//! Only the features of the first replies are kept, and only until it is settled which of them is taken.

mod body_cache;
mod choice;
mod discover;
mod feature;
mod identity_flag;
mod json;
mod known_name_choice;
mod known_names;
mod learning;
mod locator;
mod name_reader;
mod recogniser;
mod refusal;
mod request;
#[cfg(test)]
mod tests;
mod vocabulary;

pub use identity_flag::{Identity, IdentityError};
pub use json::scalar;
pub use recogniser::{Recogniser, Recognition};
pub use request::{NewName, RequestContext};
