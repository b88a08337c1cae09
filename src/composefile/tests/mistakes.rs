//! Every way to be wrong: where, why, and what to do about it.

use super::read;

#[test]
fn every_mistake_says_where_and_what_to_do() {
    for (text, expected, hint) in [
        // not a compose file
        ("", "lab.yml: the file is empty", "services"),
        ("\u{feff}---\n# nothing\n\n", "lab.yml: the file is empty", "services"),
        ("null", "lab.yml:1: the file: expected a map with `services:`, found nothing", "services"),
        ("- a", "lab.yml:1: the file: expected a map with `services:`, found a list", "services"),
        ("version: '3'", "lab.yml: no `services`", "services"),
        ("version: '3'\nservices:\n", "lab.yml:2: services: there is none", "services"),
        ("services: {}", "lab.yml:1: services: there is none", "services"),
        ("service:\n  a: {image: x}", "lab.yml:1: unknown field `service`", "did you mean `services`?"),
        ("web:\n  image: x", "lab.yml:1: unknown field `web`", "under `services:`"),
        ("services:\n  a: {image: x}\nnetwork: {}", "lab.yml:3: unknown field `network`", "did you mean `networks`?"),
        ("services:\n- a", "lab.yml:2: services: expected a map (`name: value`), found a list", ""),
        ("services:\n  web:\n", "lab.yml:2: services.web: expected a map (`name: value`), found nothing", ""),
        ("services:\n  web: x\n", "lab.yml:2: services.web: expected a map (`name: value`), found `x`", ""),
        ("services:\n  we b: {}\n", "lab.yml:2: services: `we b` is not the name of a service", "letters"),
        ("services:\n  a:\n    lables: {}", "lab.yml:3: services.a: unknown field `lables`", "did you mean `labels`?"),
        ("include: [a.yml]", "lab.yml:1: `include` is not supported", "docker compose config"),
        ("services: {a: {extends: b}}", "lab.yml:1: services.a: `extends` is not supported", "docker compose config"),
        // YAML
        ("services:\n\ta: {}", "lab.yml:2:2: a tab indents this line", "spaces"),
        ("services:\n  a:\n\timage: x", "lab.yml:3:2: a tab indents this line", "spaces"),
        ("services:\n  a: {image: x\n", "lab.yml:2:6: unclosed bracket '{'", "close"),
        ("services:\n  a: {image: \"x}\n", "lab.yml:2:14: unclosed quote", "close"),
        ("services:\n  a: {image: x}\n  a: {}", "lab.yml:3:3: `a` stands here twice", "one of the two"),
        ("services:\n  a: b: c", "lab.yml:2:7: a second `: ` in one line", "quotes"),
        ("services:\n  a: `b`", "lab.yml:2:6: a value may not begin with a backtick", "quotes"),
        ("services:\n  a: @b", "lab.yml:2:6: a value may not begin with `@`", "quotes"),
        ("services: {a: *nope}", "lab.yml:1:15: `*nope` has no anchor above it", "&name"),
        ("x-a: &a\n  b: *a", "lab.yml:2:6: recursive reference not allowed here", "check"),
        ("a: 1\n---\nb: 1", "lab.yml:3:1: more than one YAML document", "---"),
        ("services: {a: {ports: !reset []}}", "lab.yml:1:30: unsupported tag `!reset`", "docker compose config"),
        (
            "services:\n  a:\n    image: x\n   labels: y",
            "lab.yml:4:4: this line is indented neither as the one above nor as its parent",
            "indentation",
        ),
        ("services: \0", "lab.yml:1:11: unexpected character: `\\u{0}'", "check"),
        // variables
        ("services:\n  a: {image: 'ä${A'}", "lab.yml:2:16: `${A` is not a variable", "$$"),
        ("services:\n  a: {image: \"$$ \\u00e4 $1\"}", "lab.yml:2:25: `$1` is not a variable", "$$"),
        ("services:\n  a:\n    image: |\n      $$a\n      $A $", "lab.yml:5:10: `$` is not a variable", "$$"),
        ("x-a: &a ${\nservices: {a: *a}", "lab.yml:1:9: `${` is not a variable", "$$"),
        ("services: {a: {image: '${TAG:?which one}'}}", "lab.yml:1:24: variable TAG is required: which one", "set TAG"),
    ] {
        let error = read(text).expect_err(text);
        assert_eq!(error.to_string(), expected, "{text}");
        let said = error.hint().unwrap_or_default();
        assert!(said.contains(hint) && said.is_empty() == hint.is_empty(), "{text}: hint: {said}");
    }
}

#[test]
fn what_multiplies_or_nests_without_end_is_refused() {
    let mut bomb = "x-0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
    let mut chain = "x-0: &a0 1\n".to_owned();
    for n in 1..200 {
        let before = n - 1;
        bomb.push_str(&format!("x-{n}: &a{n} [{}]\n", vec![format!("*a{before}"); 10].join(", ")));
        chain.push_str(&format!("x-{n}: &a{n} [[[[*a{before}]]]]\n"));
    }
    let steps: String = (0..3000).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    for text in [bomb, chain, "[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000), steps] {
        let error = read(&format!("{text}\nservices: {{a: {{image: x}}}}\n")).unwrap_err().to_string();
        let known = error.contains("too much for a compose file") || error.contains("nested too deeply");
        assert!(known, "{error}");
    }
}

#[test]
fn what_a_file_says_cannot_reach_the_terminal() {
    for text in
        ["services: {\"a\\e[2J\\nb\": {}}", "services: {a: {\"\\e[2J\": 1}}", "services: {a: {scale: \"\\e\\n\"}}"]
    {
        let error = read(text).unwrap_err();
        let all = format!("{error}{}", error.hint().unwrap_or_default());
        assert!(!all.chars().any(char::is_control), "{all:?}");
    }
}
