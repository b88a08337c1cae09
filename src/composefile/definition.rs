//! The lab definition: what a compose file says, reduced to what `lbctl` runs.

use std::path::PathBuf;

use crate::model::{App, ExposedByDefault, Labels};

/// A lab, as its compose file defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Where it came from.
    pub origin: Origin,
    /// Its services, in the order of the file.
    pub services: Vec<Service>,
    /// The port on which the proxy's own service is published for its entry point on port 80 (or the first port it
    /// publishes), if it says one.
    pub port: Option<u16>,
    /// Traefik's `exposedByDefault`, from the flags of the proxy's own service (Traefik's own default: yes).
    pub exposed_by_default: ExposedByDefault,
    /// One sentence for each thing in the file that `lbctl` does not support and passes over.
    pub notes: Vec<String>,
}

/// Where a definition came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The lab compiled into the binary.
    BuiltIn,
    /// A compose file.
    File(PathBuf),
    /// A compose file as Compose resolved it, which is the judge of what may stand in it.
    Resolved,
}

/// A service of the compose file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name, for example `web_static`.
    pub name: String,
    /// What the embedded engine does with it.
    pub role: Role,
    /// Its labels, interpolated.
    pub labels: Labels,
    /// How many replicas the file asks for (`deploy.replicas`, else `scale`).
    pub replicas: Option<u32>,
}

/// What the embedded engine does with a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A built-in app stands in for its image (label `lbctl.app`).
    App(App),
    /// It is the proxy (an image named `traefik`): the bundled proxy replaces it.
    Proxy,
    /// Neither: the embedded engine cannot run it.
    Other,
}
