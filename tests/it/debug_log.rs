//! `--debug` and `LBCTL_LOG`: each step on standard error, and nothing else on standard output than without them.

use crate::support::{Ended, Lab, Place};

#[test]
fn each_step_is_shown_and_data_stays_alone() {
    let lab = Lab::up(&["--web-static", "2", "--web-dynamic", "0"]);
    let probe = ["probe", "demo.api.ch", "-n", "4", "--experiments", "order", "--format", "json"];
    let quiet = lab.lbctl(&probe);
    assert!(!quiet.stderr.contains("DEBUG"), "{}", quiet.stderr);
    let flag = lab.lbctl(&[&["--debug"], &probe[..]].concat());
    let variable: Ended = lab.place.command(probe).env("LBCTL_LOG", "debug").output().unwrap().into();
    for verbose in [flag, variable] {
        assert_eq!(verbose.json()["series"][0]["requests"].as_array().map(Vec::len), Some(4));
        for step in ["control API", "connection server=", "request method=GET path=\"/\" status=200"] {
            assert!(verbose.stderr.contains(step), "`{step}` in {}", verbose.stderr);
        }
        assert!(!verbose.stderr.contains('\u{1b}'), "no colours where standard error is no terminal");
        // the libraries' own steps are not shown
        assert!(verbose.stderr.lines().all(|line| line.contains("lbctl::")), "{}", verbose.stderr);
    }
}

#[test]
fn a_filter_that_is_none_is_refused() {
    let place = Place::new();
    for filter in ["lbctl=loud", "verbose", "lbctl"] {
        let refused: Ended = place.command(["ps"]).env("LBCTL_LOG", filter).output().unwrap().into();
        refused.fails(2, &format!("LBCTL_LOG: `{filter}` is no level"));
        assert!(refused.stderr.contains("hint: LBCTL_LOG=debug"), "{}", refused.stderr);
    }
}

#[test]
fn the_start_of_a_lab_in_the_background_is_shown_too() {
    let place = Place::new();
    let up = place.lbctl(["up", "-d", "--debug", "--port", "0", "--web-static", "1", "--web-dynamic", "0"]);
    assert!(up.ok().stderr.contains("replica started replica=\"web_static-1\""), "{}", up.stderr);
    place.lbctl(["down"]).ok();
}
