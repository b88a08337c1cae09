//! The copies in `completions/` are what `lbctl completions` prints.

use std::path::Path;

use crate::support::Place;

const COPIES: [(&str, &str); 5] = [
    ("bash", "lbctl.bash"),
    ("zsh", "_lbctl"),
    ("fish", "lbctl.fish"),
    ("powershell", "_lbctl.ps1"),
    ("elvish", "lbctl.elv"),
];

#[test]
fn the_copies_are_fresh() {
    for (shell, name) in COPIES {
        let printed = Place::new().lbctl(["completions", shell]).ok().stdout.clone();
        let copy = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(name));
        assert!(
            copy.is_ok_and(|copy| copy == printed),
            "completions/{name} is stale; renew all with: cargo run -q -- completions bash > completions/lbctl.bash; \
             {}",
            "cargo run -q -- completions zsh > completions/_lbctl; cargo run -q -- completions fish > \
             completions/lbctl.fish; cargo run -q -- completions powershell > completions/_lbctl.ps1; cargo run -q -- \
             completions elvish > completions/lbctl.elv"
        );
    }
}

#[test]
fn completions_offer_what_the_help_shows_and_nothing_else() {
    for (shell, _) in COPIES {
        let printed = Place::new().lbctl(["completions", shell]).ok().stdout.clone();
        for shown in ["session-test", "web-static", "sticky", "completions"] {
            assert!(printed.contains(shown), "{shown} is missing for {shell}");
        }
        // the command of that name and its flags, but not the word `replicas`
        for hidden in
            ["--background", "-l background", "--app", "lbctl__replica", "\"replica\"", "'replica'", "(replica)"]
        {
            assert!(!printed.contains(hidden), "{hidden} is shown to {shell}");
        }
    }
}
