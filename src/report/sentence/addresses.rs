//! The addresses of a target's name, in words: DNS and the client choose one before any balancer picks an instance.

use std::net::IpAddr;

use crate::analysis::{AddressComparison, Agreement};

/// The most addresses that are listed.
const LISTED: usize = 8;

/// The number of addresses and a list of them.
pub fn list_addresses(addresses: &[IpAddr]) -> String {
    let listed: Vec<String> = addresses.iter().take(LISTED).map(IpAddr::to_string).collect();
    let more = addresses.len().saturating_sub(LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let noun = if addresses.len() == 1 { "address" } else { "addresses" };
    format!("{} {noun}: {}{more}", addresses.len(), listed.join(", "))
}

/// The address that was asked, of a name with several; `None` where there is no other.
pub fn asked_address(addresses: &[IpAddr], asked: Option<&str>) -> Option<String> {
    if addresses.len() < 2 {
        return None;
    }
    let asked = asked.unwrap_or("one");
    Some(format!(
        "{}; the verdict is about {asked} alone, and other clients may come to the others (--addresses each)",
        list_addresses(addresses)
    ))
}

/// The comparison of the verdicts on several addresses, one sentence for each respect.
pub fn address_comparison(comparison: &AddressComparison) -> [String; 2] {
    let algorithm = match comparison.algorithm {
        Agreement::Same => "the same algorithm was seen behind each address that answered",
        Agreement::Different => "the addresses do not pick alike: their algorithms exclude one another",
        Agreement::Undetermined => "whether all addresses pick alike is undetermined",
    };
    let instances = match comparison.instances {
        Agreement::Same => "instances of the same names stand behind each address that answered",
        Agreement::Different => "not the same instances stand behind each address that answered",
        Agreement::Undetermined => "whether the same instances stand behind each address is undetermined",
    };
    [algorithm.to_owned(), instances.to_owned()]
}
