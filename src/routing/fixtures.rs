//! Replicas for tests.
use std::sync::Arc;

use crate::model::{Port, Replica, State, replica_name};

/// A replica that has bound a port itself.
pub fn replica(service: &str, number: u32, state: State, labels: &[(&str, &str)]) -> Replica {
    Replica {
        name: replica_name(service, number).into(),
        service: service.into(),
        base: format!("{service}-lab").into(),
        number,
        hostname: format!("{service}-{number}"),
        address: Some(([127, 0, 0, 1], 1000 + number as u16).into()),
        port: Port::Bound,
        state,
        restarts: 0,
        ended: None,
        labels: Arc::new(labels.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect()),
    }
}

/// A container, whose labels name the port at which it answers.
pub fn container(service: &str, number: u32, state: State, exposed: u16, labels: &[(&str, &str)]) -> Replica {
    let address = Some(([10, 0, 0, number as u8], exposed).into());
    Replica { address, port: Port::Labelled, ..replica(service, number, state, labels) }
}
