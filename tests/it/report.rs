//! What `lbctl probe` prints of long series: strips, counts, sizes of samples, figures.

use lbctl::{
    analysis::{ALPHA, Case, Verdict, judge},
    model::trace::Trace,
    report::{Detail, Paint, ProbeReport, Report},
};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use crate::support::{Lab, Place, server};

fn text(trace: &Trace, verdict: &Verdict, detail: Detail, paint: Paint) -> String {
    ProbeReport { trace, verdict, comparisons: &[], detail }.table(paint)
}

/// Who answers which request: letters, `!` for a failure, `?` for an answer without a name.
fn requests(signs: &[u8]) -> Value {
    let request = |(at, sign): (usize, &u8)| {
        let mut request = json!({ "n": at + 1, "action": "get", "at_us": at * 1000, "us": 500, "cookies_sent": 0 });
        match sign {
            b'!' => request["error"] = json!({ "kind": "timeout", "message": "no answer within 10 s" }),
            b'?' => request["status"] = 200.into(),
            letter => {
                request["status"] = 200.into();
                request["instance"] = (letter - b'a').into();
            }
        }
        request
    };
    signs.iter().enumerate().map(request).collect()
}

fn trace(names: &[String], without: &[u8], with: &[u8]) -> Trace {
    let series = |name: &str, jar: &str, signs: &[u8]| {
        let conditions = json!({ "jar": jar, "connection": "fresh", "path": "/", "concurrency": 1 });
        json!({ "name": name, "conditions": conditions, "requests": requests(signs), "cookies": [] })
    };
    let trace = json!({
        "schema": "lbctl.trace.v1",
        "target": { "url": "http://demo/", "via": "dns" },
        "identified_by": "the header x-served-by",
        "instances": names.iter().map(|name| json!({ "name": name, "hostname": name })).collect::<Vec<_>>(),
        "series": [series("without-jar", "none", without), series("with-jar", "kept", with)],
    });
    Trace::from_json("test", trace.to_string().as_bytes()).unwrap()
}

fn webs(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("web-{n}")).collect()
}

/// Each of so many instances in turn, `count` times altogether.
fn ring(instances: u8, count: usize) -> Vec<u8> {
    (0..instances).map(|n| b'a' + n).cycle().take(count).collect()
}

/// Even draws, the same each time.
fn drawn(instances: u64, count: usize) -> Vec<u8> {
    let mut state: u64 = 11;
    let mut draw = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        b'a' + ((mixed >> 33) % instances) as u8
    };
    (0..count).map(|_| draw()).collect()
}

/// The report, in 80 columns and without a colour.
fn plain(trace: &Trace, detail: Detail) -> String {
    let text = text(trace, &judge(&Case::new(trace, ALPHA)), detail, Paint::Plain);
    assert!(!text.contains('\x1b'), "{text}");
    let wide: Vec<&str> = text.lines().filter(|line| line.width() > 80).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    text
}

#[track_caller]
fn has(text: &str, words: &str) {
    assert!(text.contains(words), "`{words}` is not in\n{text}");
}

#[test]
fn a_short_series_is_a_table_and_a_long_one_a_strip() {
    let short = plain(&trace(&webs(3), &ring(3, 36), &ring(3, 36)), Detail::Sentences);
    has(&short, "\n  36 ");
    assert!(!short.contains("without jar: "), "{short}");
    let long = plain(&trace(&webs(3), &ring(3, 37), &[]), Detail::Sentences);
    has(&long, "… 27 more …");
    has(&long, "\nA web-1  B web-2  C web-3\n");
    has(&long, "\nwithout jar: 37 requests, in rounds of 3\n");
    has(&long, "\n   1  ABC ABC ABC ABC ABC ABC ABC ABC ABC ABC ABC ABC A\n");
    assert!(!long.contains("with jar: "), "an empty series is no strip: {long}");
}

#[test]
fn the_rounds_of_a_strip_begin_where_the_balancers_do() {
    // in the middle of a round, with requests that failed or brought no name
    let mut without = ring(5, 64)[2..].to_vec();
    (without[9], without[10], without[30]) = (b'!', b'!', b'?');
    let shown = plain(&trace(&webs(5), &without, &ring(5, 62)), Detail::Sentences);
    has(&shown, "without jar: 62 requests, in rounds of 5, 2 failed (!), 1 without a name (?)\n");
    has(&shown, "\n   1    CDE ABCDE A!!DE ABCDE ABCDE ABCDE AB?DE ABCDE ABCDE ABCDE\n  49  ABCDE ABCDE ABCD\n");
    has(&shown, "\n   1  ABCDE ABCDE ");
    // rounds that change, of which the first is not whole
    let changing = "ba dcab cabd bcad acdb abdc dcba bdac adcb cbad dabc abcd bdca cadb";
    let letters: Vec<u8> = changing.bytes().filter(|byte| *byte != b' ').collect();
    let shown = plain(&trace(&webs(4), &letters, &[]), Detail::Sentences);
    has(&shown, "54 requests, in rounds of 4\n   1    BA DCAB CABD BCAD ");
    // no order, no rounds
    let shown = plain(&trace(&webs(4), &drawn(4, 250), &[]), Detail::Sentences);
    has(&shown, "without jar: 250 requests, in groups of 10\n");
}

#[test]
fn a_very_long_strip_is_cut_in_the_middle() {
    let shown = plain(&trace(&webs(5), &ring(5, 1002), &[]), Detail::Sentences);
    let round = " ABCDE".repeat(10);
    has(&shown, &format!("\n 351 {round}\n   …  … 550 more …\n 951 {round}\n1001  AB\n"));
    assert!(shown.lines().count() < 60, "{shown}");
}

#[test]
fn many_instances_are_numbers() {
    let letters = |count: u8, times: usize| ring(count, usize::from(count) * times);
    // as many as there are letters
    let shown = plain(&trace(&webs(52), &letters(52, 3), &[]), Detail::Sentences);
    has(&shown, "\nA to Z: web-1 to web-26\na to z: web-27 to web-52\n");
    has(&shown, "\n   1  ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz\n");
    let shown = plain(&trace(&webs(53), &letters(53, 3), &[]), Detail::Figures);
    has(&shown, "\n1 to 53: web-1 to web-53\n");
    has(&shown, "\n   1   1  2  3  4  5   6  7 ");
    // names without numbers of their own
    let names: Vec<String> = (0..60).map(|n| format!("{:x}.example", 7919 * (n + 1))).collect();
    let shown = plain(&trace(&names, &letters(60, 3), &[]), Detail::Figures);
    has(&shown, "\n1 11667.example  ");
    has(&shown, "\n…\n\nwithout jar: 180 requests, in groups of 5\n");
    // wide numbers
    plain(&trace(&webs(5), &ring(5, 100_000), &ring(5, 100_000)), Detail::Figures);
    // long ones that differ at their ends
    let long: Vec<String> = (0..9).map(|n| format!("{}-{n}.internal", "very".repeat(30))).collect();
    let shown = plain(&trace(&long, &ring(9, 99), &ring(9, 99)), Detail::Figures);
    has(&shown, "-7.");
}

#[test]
fn colours_carry_nothing_alone() {
    let trace = trace(&webs(3), &ring(3, 60), &ring(3, 60));
    let verdict = judge(&Case::new(&trace, ALPHA));
    for detail in [Detail::Sentences, Detail::Figures] {
        let coloured = text(&trace, &verdict, detail, Paint::Colour);
        let mut stripped = String::new();
        for (index, part) in coloured.split('\x1b').enumerate() {
            stripped += if index == 0 { part } else { part.split_once('m').unwrap().1 };
        }
        assert_ne!(coloured, stripped);
        assert_eq!(stripped, plain(&trace, detail));
    }
}

#[test]
fn counts_are_shown_beside_what_is_expected() {
    let shown = |without: &[u8], count| plain(&trace(&webs(count), without, &[]), Detail::Sentences);
    has(&shown(&ring(5, 60), 5), "  requests:  12 to each\n");
    has(&shown(&ring(5, 62), 5), "  requests:  12 or 13 to each\n");
    let weighted: Vec<u8> = b"aabacaa".repeat(40);
    let weighted = shown(&weighted[..260], 3);
    has(
        &weighted,
        "  requests:  web-1 186  (weight 5: 185 or 186 expected)\n             web-2  37  (weight 1: 37 or 38",
    );
    let random = shown(&drawn(5, 400), 5);
    has(&random, "\nrandom over 5 instances");
    has(&random, "\n             about 80 expected, 52 to 111 by chance\n");
    // an instance whose answers are missing got its turns all the same
    let failing: Vec<u8> =
        ring(4, 80).into_iter().enumerate().map(|(n, id)| if n % 20 == 3 { b'!' } else { id }).collect();
    has(&shown(&failing, 4), "web-4 16\n             16 to 20 expected\n");
}

#[test]
fn the_size_of_a_sample_is_told() {
    let sampled = |without: &[u8], alpha: f64| {
        let trace = trace(&webs(5), without, &[]);
        let text = text(&trace, &judge(&Case::new(&trace, alpha)), Detail::Sentences, Paint::Plain);
        let at = text.find("  sampled:   ").unwrap_or_else(|| panic!("{text}"));
        text[at..].lines().take(2).map(str::trim).collect::<Vec<_>>().join(" ")
    };
    let five = sampled(&ring(5, 30), ALPHA);
    has(&five, "30 requests; 5 instances and a chance of error below 1 in a million take 30 or more");
    has(
        &sampled(&ring(5, 8), ALPHA),
        "8 requests; 5 instances and a chance of error below 1 in a million take 30 or more",
    );
    // what is no order may be chance
    let random = drawn(5, 120);
    has(&sampled(&random[..60], ALPHA), "60 requests; 5 instances and a chance of error below 1 in a million take 100");
    has(&sampled(&[b'a'; 40], ALPHA), "40 requests; one instance and a chance of error below 1 in a million take 23");
    has(
        &sampled(&[b'a'; 40], 0.001),
        "40 requests; one instance and a chance of error below 1 in 1,000 take 14 or more",
    );
}

#[test]
fn figures_are_for_those_who_ask() {
    let trace = trace(&webs(5), &ring(5, 60), &drawn(5, 60));
    let sentences = plain(&trace, Detail::Sentences);
    for hidden in ["figures:", "alpha", "fixed cycle", "p95"] {
        assert!(!sentences.contains(hidden), "`{hidden}` in {sentences}");
    }
    let figures = plain(&trace, Detail::Figures);
    assert!(figures.starts_with(&sentences), "{figures}");
    has(&figures, "alpha is 1e-6, shared: 40 % for picks at random");
    let row = |begins: &str| {
        let row = figures.lines().find(|line| line.trim_start().starts_with(begins)).unwrap_or_default();
        row.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(row("random").starts_with("random fixed cycle ") && row("random").contains("e-"), "{}", row("random"));
    // sent, takes, failed, seconds, median, p95, connections
    assert_eq!(row("without jar  "), "without jar 60 30 0 0.06 0.5 0.5 -", "{figures}");
    has(&figures, "web-1 12 (20.0 %)");
}

#[test]
fn long_series_of_a_lab_and_of_nginx() {
    let lab = Lab::up(&["--web-static", "5", "--web-dynamic", "0"]);
    let asked = ["probe", "demo.api.ch", "-n", "203", "--verbose"];
    let mut reports = vec![lab.lbctl(&asked)];
    if let Some(nginx) = server::nginx(&lab.replica_addresses("web_static"), "", "") {
        let connect = nginx.address.to_string();
        reports.push(lab.lbctl(&[&asked[..], &["--connect", &connect]].concat()));
    }
    for report in reports {
        let shown = &report.ok().stdout;
        assert!(shown.lines().all(|line| line.chars().count() <= 80) && !shown.contains('\x1b'), "{shown}");
        has(shown, "without jar: 203 requests, in rounds of 5\n");
        has(shown, "  requests:  40 or 41 to each\n");
        has(
            shown,
            "203 requests; 5 instances and a chance of error below 1 in a\n             million take 30 or more\n",
        );
        has(shown, "\n  figures:\n");
    }
    let verdict = &lab.lbctl(&["probe", "-n", "203", "--format", "json"]).json()["verdict"];
    assert_eq!(verdict["alpha"].as_f64(), Some(ALPHA));
    assert!(verdict["instances"].as_array().unwrap().iter().all(|one| one["expected"] == json!([40, 41])), "{verdict}");
}

#[test]
fn colours_where_they_are_wanted_and_a_surer_verdict() {
    let place = Place::new();
    let file = place.path().join("trace.json");
    trace(&webs(60), &ring(60, 240), &[]).write_json(std::fs::File::create(&file).unwrap()).unwrap();
    let mut command = place.command(["probe", "--replay", file.to_str().unwrap(), "--alpha", "1e-9"]);
    let shown = crate::support::Ended::from(command.env("CLICOLOR_FORCE", "1").output().unwrap());
    let shown = &shown.ok().stdout;
    has(shown, "\x1b[33m 1\x1b[0m \x1b[35m 2\x1b[0m");
    has(shown, "a chance of error below 1 in 1,000");
}

#[test]
fn names_whose_characters_are_no_columns_keep_to_80_columns() {
    for stem in ["東京都渋谷区サーバー", "東京", "cafe\u{301}", "🦀🦀🦀🦀🦀🦀🦀🦀🦀", "❤\u{fe0f}👋🏽"]
    {
        for (count, without) in [(3, ring(3, 36)), (12, ring(12, 240)), (30, drawn(30, 240))] {
            let names: Vec<String> = (1..=count).map(|n| format!("{stem}-{n}")).collect();
            plain(&trace(&names, &without, &vec![b'a'; without.len()]), Detail::Figures);
        }
    }
    // names with nothing in common, which are cut or numbered
    let names =
        ["東京都千代田区永田町一丁目", "大阪府大阪市北区中之島", "京都府京都市上京区下立売通"].map(str::to_owned);
    let shown = plain(&trace(&names, &ring(3, 240), &ring(3, 240)), Detail::Figures);
    has(&shown, "\nA #3  B #2  C #1\n");
    // what stands behind a wide name is aligned
    let shown = plain(&trace(&["東京-1".to_owned(), "web-10".to_owned()], &ring(2, 30), &[]), Detail::Sentences);
    let rows: Vec<&str> = shown.lines().filter(|line| line.contains(" 0.5")).collect();
    assert!(rows.iter().all(|row| row.trim_end().width() == rows[0].trim_end().width()), "{shown}");
}
