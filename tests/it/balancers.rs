//! One suite of proxy behaviour, held against the bundled proxy and the real Traefik: the same containers with the
//! same labels, and both proxies in front of them.
//!
//! Where the two differ on purpose, the case says so ([`case::Case::but`]). What is left open everywhere, because no
//! program may rely on it: how header names are capitalised, in which order headers of different names come, and that
//! Traefik's client asks servers for gzip by itself (and unpacks it) where its own client said nothing of it.

mod bodies;
mod case;
mod errors;
mod headers;
mod middlewares;
mod order;
mod paths;
mod routes;
mod scaling;
mod stage;
mod sticky;
mod wire;

use case::hold;
use stage::Stage;

#[test]
fn both_proxies_answer_alike() {
    let Some(mut stage) = Stage::new() else { return };
    let servers = stage.start(&[&routes::SERVERS[..], &[middlewares::SERVER]].concat());
    stage.open(&[], "many.test");
    hold(&stage, &[routes::cases(), paths::cases(), headers::cases(), bodies::cases(), errors::cases()].concat());
    hold(&stage, &middlewares::cases());
    bodies::half_an_answer_is_passed_on_before_its_end(&stage);
    bodies::a_client_that_waits_for_100_continue_gets_the_servers_word(&stage);
    bodies::an_upgraded_connection_belongs_to_its_two_ends(&stage);
    bodies::a_large_answer_passes_whole(&stage);
    order::containers_of_different_services_share_one(&stage);
    order::a_round_asks_each_server_once(&stage, &servers);
    sticky::a_cookie_names_the_same_server_to_both(&stage, &servers);
    sticky::attributes_come_from_labels(&stage, &servers);
}

#[test]
fn nothing_is_lost_while_containers_come_and_go() {
    let Some(mut stage) = Stage::new() else { return };
    let servers = scaling::open(&mut stage);
    let last = scaling::every_request_is_answered_while_containers_come_and_go(&mut stage, &servers);
    scaling::an_ill_container_is_left_alone_until_it_is_well(&stage, &servers);
    scaling::a_service_goes_with_its_last_container(&stage, &last);
}
