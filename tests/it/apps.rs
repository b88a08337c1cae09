//! What only the built-in apps have: their end, and what is lost with it. Their answers are in `contract.rs`.

use lbctl::{
    app::serve,
    model::{App, Sessions},
};
use reqwest::Method;
use tokio::net::{TcpListener, TcpStream};

use crate::contract::{BuiltIn, json_of};

#[tokio::test]
async fn a_health_check_is_not_part_of_what_is_lost() {
    for app in [App::Page, App::Api] {
        let replica = BuiltIn::start(app, "replica").await;
        assert_eq!(replica.server.get("/health").await.status(), 200);
        assert_eq!(replica.stop().await, Sessions { sessions: 0, logged_in: 0 });
    }
}

#[tokio::test]
async fn a_server_that_stops_answers_what_it_has_begun_and_says_what_is_lost() {
    let replica = BuiltIn::start(App::Page, "web_static-3").await;
    let server = &replica.server;
    server.login("one", "user=alice").send().await.unwrap();
    server.get("/").await;
    // an idle connection that never sends anything must not hold the server up
    let _silent = TcpStream::connect(&server.address).await.unwrap();
    let slow = server.request(Method::GET, "/session?delay=1000").header("cookie", "PHPSESSID=slow");
    let slow = tokio::spawn(slow.send());
    // it counts before it waits: once the session has seen more than was asked here, the slow request is under way
    for asked in 1.. {
        if server.session("slow").await["visits"].as_u64() > Some(asked) {
            break;
        }
    }
    assert!(!slow.is_finished(), "nobody else waits for it");
    let address = server.address.clone();
    assert_eq!(replica.stop().await, Sessions { sessions: 3, logged_in: 1 });
    let answer = slow.await.unwrap().unwrap();
    assert_eq!(json_of(answer).await["session"]["id"], "slow");
    assert!(TcpStream::connect(&address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_hostname_that_fits_no_header_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = serve(App::Api, "two\nlines".into(), listener, std::future::pending()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}
