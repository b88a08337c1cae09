//! Traefik's setting `exposedByDefault`.

/// Whether a container that does not say `traefik.enable` is routed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExposedByDefault {
    /// It is: Traefik's default.
    Yes,
    /// It is not: `exposedByDefault=false`.
    No,
}
