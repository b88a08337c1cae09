//! The data that the wings share: one wing makes it and another reads it. Nothing here acts.
//!
//! - [`Replica`]: one copy of a service. Engines publish [`Replicas`] on a `tokio::sync::watch` channel; the proxy builds
//!   its routes from them and the supervisor shows them.
//! - [`LabView`]: a lab as its supervisor shows it, and the effect of a change.
//! - [`Strategy`]: a way to pick the next replica.
//! - [`Access`]: one request as the balancer saw it, from inside.
//! - [`Format`]: a format of printed data.
//! - [`trace`]: requests as a probe saw them, from outside.

mod access;
mod exposed_by_default;
mod format;
mod lab_view;
mod replica;
mod strategy;
pub mod trace;

pub use access::{Access, Entry};
pub use exposed_by_default::ExposedByDefault;
pub use format::Format;
pub use lab_view::{
    DEFAULT_PROJECT, LAB_SCHEMA, LabView, ReplicaView, ScaleView, ServiceScaleView, ServiceStrategy, ServiceView,
};
pub use replica::{App, Engine, Labels, Port, ProxyKind, Replica, Replicas, Sessions, State, replica_name};
pub use strategy::{Strategy, TRAEFIK_ONLY};
