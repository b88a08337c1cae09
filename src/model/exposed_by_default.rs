//! Traefik's setting `exposedByDefault`.

/// The rule for containers without the label `traefik.enable`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExposedByDefault {
    /// Such a container is routed to: Traefik's default.
    Yes,
    /// Such a container is not routed to: `exposedByDefault=false`.
    No,
}
