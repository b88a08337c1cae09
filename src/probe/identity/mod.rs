//! Identity: names the instance that sent a reply.
//!
//! ```text
//! recogniser         names the instance of each reply: by the value of --identity, or by learning
//!   learning           compares replies, until one feature is known to distinguish instances
//!   name_reader        reads that feature from later replies
//! request            the request that a reply answers
//! identity_flag      the value of --identity: a header, a JSON field or a pattern
//! known_names        headers, fields and patterns in which servers commonly give their names
//!   known_name_choice  chooses the one that varies as instances do
//! discover/          finds another feature that distinguishes instances; one function
//! choice             the result of comparing replies: a feature, or the reasons against all of them
//!   refusal            these reasons in words
//! locator            reads the chosen value from a reply, and describes its place in words
//! feature/           the values of a reply that may distinguish instances, and their partitions of the replies
//! vocabulary/        the meanings that names and values suggest
//! gateway_error      errors of gateways, which name no instance
//! json               single fields of a JSON body
//! body_cache         bodies that need not be read again
//! ```
//!
//! Only the features of the first replies are stored, and only until one of them is chosen for good.

mod body_cache;
mod choice;
mod discover;
mod feature;
mod gateway_error;
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
