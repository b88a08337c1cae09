//! Values of flags: their parsers, with the message for a wrong value.

use std::{net::SocketAddr, time::Duration};

use clap::{ValueEnum, builder::PossibleValue};
use strum::VariantArray;

use crate::model::{Format, Strategy};

/// A strategy goes by its own name and by Traefik's.
impl ValueEnum for Strategy {
    fn value_variants<'a>() -> &'a [Strategy] {
        Strategy::VARIANTS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let name: &str = self.into();
        let traefiks = self.traefik_name().filter(|traefiks| *traefiks != name);
        Some(PossibleValue::new(name).help(self.summary()).aliases(traefiks))
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Format] {
        Format::VARIANTS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let name: &str = self.into();
        Some(PossibleValue::new(name).help(self.summary()))
    }
}

/// Parses `SERVICE=N`.
pub fn service_count(text: &str) -> Result<(String, u32), String> {
    let (service, count) = text.split_once('=').ok_or("expected SERVICE=N, for example web_static=3")?;
    let count = count.parse().map_err(|_| format!("`{count}` is not a number of replicas"))?;
    Ok((service.to_owned(), count))
}

/// Parses `[NAME=]ADDR:PORT`.
pub fn upstream(text: &str) -> Result<(Option<String>, SocketAddr), String> {
    let (name, address) = match text.split_once('=') {
        Some((name, address)) => (Some(name.to_owned()), address),
        None => (None, text),
    };
    let address = address.parse().map_err(|_| format!("`{address}` is not ADDR:PORT, for example 127.0.0.1:8081"))?;
    Ok((name, address))
}

/// Parses a number of requests a second, at least 0.01.
pub fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| format!("`{text}` is not a number of requests a second"))?;
    if rate >= 0.01 && rate.is_finite() {
        Ok(rate)
    } else {
        Err("it must be at least 0.01 requests a second".to_owned())
    }
}

/// Parses the name of a header.
pub fn header_name(text: &str) -> Result<String, String> {
    match text.parse::<http::HeaderName>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("it is not the name of a header".to_owned()),
    }
}

/// Parses the accepted chance of a false verdict, from 1e-12 to 0.05: a larger one would prove nothing.
pub fn alpha(text: &str) -> Result<f64, String> {
    let alpha: f64 = text.parse().map_err(|_| format!("`{text}` is not a probability, for example 1e-9"))?;
    if (1e-12..=0.05).contains(&alpha) { Ok(alpha) } else { Err("it must be between 1e-12 and 0.05".to_owned()) }
}

/// Parses a duration of more than 0 and at most 3600 seconds.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("`{text}` is not a number of seconds"))?;
    if seconds > 0.0 && seconds <= 3600.0 {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("it must be more than 0 and at most 3600 seconds".to_owned())
    }
}

/// Parses an absolute path.
pub fn path(text: &str) -> Result<String, String> {
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err("it must start with `/`".to_owned()) }
}
