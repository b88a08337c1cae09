//! Listeners: the addresses and the port of the lab's proxy.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
};

/// The addresses and the port on which the lab is to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenRequest {
    /// The address to listen on; `None` stands for both loopback addresses.
    pub bind: Option<IpAddr>,
    pub port: PortChoice,
}

/// The port to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortChoice {
    /// This port alone; 0 stands for any free one.
    Required(u16),
    /// This port, else 8080, else any free one.
    Preferred(u16),
}

/// The port of a lab where nothing names another.
const LAB_PORT: u16 = 80;
/// The port of a lab where the preferred one is taken.
pub const SECOND_PORT: u16 = 8080;

impl PortChoice {
    /// The port of a lab: the one that the user asks for, else preferably the one that its configuration names.
    pub fn of_lab(asked: Option<u16>, configured: Option<u16>) -> PortChoice {
        match asked {
            Some(port) => PortChoice::Required(port),
            None => PortChoice::Preferred(configured.unwrap_or(LAB_PORT)),
        }
    }
}

/// The error of an address and port that cannot be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {}", reason(.cause))]
pub struct ListenError {
    pub address: SocketAddr,
    /// The system's error.
    pub cause: io::Error,
}

impl ListenError {
    /// The advice to the user, where there is one.
    pub fn hint(&self) -> Option<String> {
        match self.cause.kind() {
            io::ErrorKind::AddrInUse => {
                Some(format!("stop what listens there, or leave --port {} out", self.address.port()))
            }
            io::ErrorKind::PermissionDenied => Some("ports from 1024 up need no privileges".to_owned()),
            io::ErrorKind::AddrNotAvailable => Some("give --bind an address that this machine has".to_owned()),
            _ => None,
        }
    }
}

/// The bound listeners of a lab.
#[derive(Debug)]
pub struct BoundListeners {
    /// One for each address.
    pub listeners: Vec<TcpListener>,
    /// The address that users see.
    pub address: SocketAddr,
    /// The error of the port that was tried first, if the lab got another one.
    pub instead_of: Option<ListenError>,
}

impl BoundListeners {
    /// A sentence on the port that was tried first, if the lab got another one.
    pub fn note(&self) -> Option<String> {
        self.instead_of.as_ref().map(|error| format!("{error}: it is port {} instead", self.address.port()))
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the port is taken".to_owned(),
        io::ErrorKind::PermissionDenied => "not allowed to this user".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have the address".to_owned(),
        _ => error.to_string(),
    }
}

/// Binds the requested addresses, all at the same port.
///
/// # Errors
/// When none of the ports that the request allows can be bound.
pub fn bind(wanted: ListenRequest) -> Result<BoundListeners, ListenError> {
    let (candidates, first) = match wanted.port {
        PortChoice::Required(port) => (vec![port], port),
        PortChoice::Preferred(port) => (vec![port, SECOND_PORT, 0], port),
    };
    let mut failed: Option<ListenError> = None;
    for port in candidates {
        let bound = match wanted.bind {
            Some(ip) => listen(SocketAddr::new(ip, port)).and_then(|listener| {
                Ok((
                    listener.local_addr().map_err(|cause| ListenError { address: (ip, port).into(), cause })?,
                    vec![listener],
                ))
            }),
            None => loopback(port),
        };
        match bound {
            Ok((address, listeners)) => {
                let instead_of = failed.filter(|_| address.port() != first);
                return Ok(BoundListeners { listeners, address, instead_of });
            }
            Err(error) => _ = failed.get_or_insert(error),
        }
    }
    Err(failed.unwrap_or_else(|| ListenError {
        address: (Ipv4Addr::LOCALHOST, first).into(),
        cause: io::ErrorKind::AddrInUse.into(),
    }))
}

/// Both loopback addresses at one port, or the only one that the machine has. A browser tries `[::1]` first, so a port
/// that is bound on one of them only could show it the page of another program.
fn loopback(port: u16) -> Result<(SocketAddr, Vec<TcpListener>), ListenError> {
    const TRIES: u32 = 16;
    let mut tries = 0;
    loop {
        tries += 1;
        let v4 = listen((Ipv4Addr::LOCALHOST, port).into())?;
        let address =
            v4.local_addr().map_err(|cause| ListenError { address: (Ipv4Addr::LOCALHOST, port).into(), cause })?;
        match listen((Ipv6Addr::LOCALHOST, address.port()).into()) {
            Ok(v6) => return Ok((address, vec![v4, v6])),
            Err(error) if error.cause.kind() == io::ErrorKind::AddrInUse => {
                // a port that was free on one address only: the next one
                if port != 0 || tries == TRIES {
                    return Err(error);
                }
            }
            Err(_) => return Ok((address, vec![v4])),
        }
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).map_err(|cause| ListenError { address, cause })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn any_free_port_is_the_same_on_both_loopback_addresses() {
        let bound = bind(ListenRequest { bind: None, port: PortChoice::Required(0) }).unwrap();
        assert_ne!(bound.address.port(), 0);
        for listener in &bound.listeners {
            assert_eq!(listener.local_addr().unwrap().port(), bound.address.port());
        }
        assert!(bound.instead_of.is_none());
    }

    #[test]
    fn a_taken_port_is_an_error_or_leads_to_another() {
        let taken = bind(ListenRequest { bind: None, port: PortChoice::Required(0) }).unwrap();
        let port = taken.address.port();
        let error = bind(ListenRequest { bind: None, port: PortChoice::Required(port) }).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on 127.0.0.1:{port}: the port is taken"));
        let other = bind(ListenRequest { bind: None, port: PortChoice::Preferred(port) }).unwrap();
        assert_ne!(other.address.port(), port);
        assert!(other.instead_of.is_some());
    }
}
