//! The definition of a lab: the part of a compose file that `lbctl` acts on.

use std::path::PathBuf;

use crate::model::{App, ExposedByDefault, Labels};

/// The label that names the built-in app which a service's image implements, and which stands in for that image in the
/// embedded engine.
pub const APP_LABEL: &str = "lbctl.app";

/// The largest number of replicas of one service. More than a machine can hold is a slip of the finger.
pub const MAX_REPLICAS: u32 = 1000;

/// A lab, as its compose file defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    pub origin: Origin,
    /// The services, in the order of the file.
    pub services: Vec<Service>,
    /// The host port that the proxy's own service publishes for its web entry point, else for port 80, else for its
    /// first port.
    pub port: Option<u16>,
    /// Traefik's `exposedByDefault`, from the flags of the proxy's own service. Traefik's default is yes.
    pub exposed_by_default: ExposedByDefault,
    /// One sentence for each part of the file that `lbctl` does not support and ignores.
    pub notes: Vec<String>,
}

/// The source of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The lab that is compiled into the binary.
    BuiltIn,
    /// A compose file.
    File(PathBuf),
    /// A compose file as Compose resolved it. Compose has checked it already.
    Resolved,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The name, for example `web_static`.
    pub name: String,
    pub role: Role,
    /// The labels, with their variables replaced.
    pub labels: Labels,
    /// The number of replicas that the file asks for: `deploy.replicas`, else `scale`.
    pub replicas: Option<u32>,
}

/// The part that a service plays in the embedded engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A built-in app stands in for the service's image, by the label [`APP_LABEL`].
    App(App),
    /// The service is the proxy, because its image is called `traefik`. The bundled proxy replaces it.
    Proxy,
    /// The embedded engine cannot run the service.
    Other,
}
