//! Probes of several addresses of one name, and the comparison of their verdicts.

use std::net::SocketAddr;

use serde::Serialize;
use serde_json::{Value, json};

use crate::analysis::{AddressComparison, Outcome};

use super::{
    Paint, ProbeReport, Report,
    sentence::{address_comparison, list_addresses},
    style,
    text::{printable, wrapped},
};

/// The schema of the JSON report.
const SCHEMA: &str = "lbctl.addresses.v1";

/// The probe of one address.
pub struct AddressProbe<'t> {
    pub address: SocketAddr,
    /// The probe, or the reason why there is none.
    pub probe: Result<ProbeReport<'t>, String>,
}

/// The probes of all addresses of a name.
pub struct AddressesReport<'t> {
    pub url: &'t str,
    pub addresses: Vec<AddressProbe<'t>>,
    /// The comparison of the verdicts; `None` where fewer than two addresses answered.
    pub comparison: Option<AddressComparison>,
    /// The outcome of all expectations on all addresses.
    pub outcome: Outcome,
}

#[derive(Serialize)]
struct Document<A> {
    schema: &'static str,
    url: String,
    addresses: A,
    agreement: Option<Value>,
    passed: Option<bool>,
}

#[derive(Serialize)]
struct Entry<'a, P> {
    address: SocketAddr,
    error: Option<&'a str>,
    #[serde(flatten)]
    probe: Option<P>,
}

impl AddressProbe<'_> {
    fn entry(&self) -> Entry<'_, impl Serialize> {
        let AddressProbe { address, probe } = self;
        Entry {
            address: *address,
            error: probe.as_ref().err().map(String::as_str),
            probe: probe.as_ref().ok().map(Report::json),
        }
    }
}

impl Report for AddressesReport<'_> {
    fn table(&self, paint: Paint) -> String {
        let addresses: Vec<_> = self.addresses.iter().map(|probe| probe.address.ip()).collect();
        let of_url = format!("{} has {}; each was asked in turn", printable(self.url), list_addresses(&addresses));
        let mut text = wrapped(&of_url, "", "  ") + "\n";
        for AddressProbe { address, probe } in &self.addresses {
            text += &format!("\n{}\n", style::bold(&format!("at {address}:"), paint));
            text += &match probe {
                Ok(probe) => probe.render_judgement(paint),
                Err(reason) => wrapped(&printable(reason), "  ", "  ") + "\n",
            };
        }
        let compared = self.comparison.iter().flat_map(address_comparison);
        let compared: String = compared.map(|sentence| wrapped(&sentence, "  - ", "    ") + "\n").collect();
        if compared.is_empty() { text } else { format!("{text}\n{}\n{compared}", style::bold("together:", paint)) }
    }

    fn json(&self) -> impl Serialize {
        Document {
            schema: SCHEMA,
            url: self.url.to_owned(),
            addresses: self.addresses.iter().map(AddressProbe::entry).collect::<Vec<_>>(),
            agreement: self.comparison.map(|comparison| {
                json!({
                    "algorithm": comparison.algorithm.as_str(),
                    "instances": comparison.instances.as_str(),
                    "words": address_comparison(&comparison),
                })
            }),
            passed: match self.outcome {
                Outcome::Met => Some(true),
                Outcome::Contradicted => Some(false),
                Outcome::Undetermined => None,
            },
        }
    }
}
