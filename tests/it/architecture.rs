//! The map in `src/lib.rs` is true: who imports whom, and which Rust it needs.

mod imports;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Each part of `src/` and the parts it may import.
const ARROWS: [(&str, &[&str]); 14] = [
    ("main", &["cli", "commands"]),
    (
        "commands",
        &[
            "analysis",
            "app",
            "cli",
            "composefile",
            "engine",
            "error",
            "experiment",
            "lab",
            "model",
            "probe",
            "proxy",
            "report",
            "routing",
        ],
    ),
    ("cli", &["model"]),
    ("error", &["analysis", "composefile", "engine", "experiment", "lab", "model", "probe"]),
    ("composefile", &["model"]),
    ("lab", &["composefile", "engine", "model", "proxy", "routing"]),
    ("engine", &["model"]),
    ("proxy", &["model", "routing"]),
    ("routing", &["model"]),
    ("app", &["model"]),
    ("experiment", &["analysis", "model", "probe"]),
    ("probe", &["model"]),
    ("analysis", &["model"]),
    ("report", &["analysis", "model"]),
];

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let nested = |path: PathBuf| if path.is_dir() { sources(&path) } else { vec![path] };
    entries.flat_map(nested).filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The source without comments, in which other modules may be spoken of.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The first segments of every path below `root` (`crate::`, `lbctl::`), those of a group in braces included.
fn imports(code: &str, root: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(root) {
        let rest = &code[at + root.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = true;
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if start && !c.is_whitespace() => {
                    found.insert(word(&group[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn nobody_imports_what_the_map_forbids() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = BTreeSet::new();
    for path in sources(&root) {
        let inside = path.strip_prefix(&root).unwrap();
        let part = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if part == "lib" || part == "model" {
            assert!(imports(&code(&path), "crate::").is_empty(), "{}", inside.display());
            continue;
        }
        let (_, allowed) =
            ARROWS.iter().find(|(name, _)| *name == part).unwrap_or_else(|| panic!("`{part}` is not on the map"));
        let prefix = if part == "main" { "lbctl::" } else { "crate::" };
        for import in imports(&code(&path), prefix) {
            let fine = import == part || allowed.contains(&import.as_str());
            assert!(fine, "{} imports `{import}`, which `{part}` may not", inside.display());
        }
        // a path that climbs out of its part would go round the map
        let climbing = "super::".repeat(inside.iter().count());
        assert!(!code(&path).contains(&climbing), "{} climbs out of `{part}`", inside.display());
        seen.insert(part);
    }
    assert_eq!(seen.len(), ARROWS.len(), "every part of the map is there");
}

/// The analysis sees the requests of a probe and nothing else: no lab, no replica, no log of a balancer.
#[test]
fn the_analysis_imports_the_trace_alone_of_the_model() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/analysis");
    for path in sources(&root) {
        let others: BTreeSet<String> =
            imports(&code(&path), "model::").into_iter().filter(|import| import != "trace").collect();
        assert!(others.is_empty(), "{} imports {others:?} of the model", path.display());
    }
}

#[test]
fn no_files_of_a_wing_import_each_other_in_a_circle() {
    let sources = imports::Sources::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let wing = |file: &Path| file.iter().next().unwrap().to_owned();
    let mut imports = sources.imports();
    imports.iter_mut().for_each(|(file, others)| others.retain(|other| wing(other) == wing(file)));
    let circles = imports::circles(&imports);
    assert!(circles.is_empty(), "files that import each other in a circle: {circles:#?}");
}

#[test]
fn commands_hold_no_constants() {
    let commands = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands");
    for path in sources(&commands) {
        for line in code(&path).lines() {
            let item = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(super) ");
            let is_constant = item.starts_with("const ") || item.starts_with("static ");
            assert!(!is_constant, "{}: `{item}` belongs to the wing that decides by it", path.display());
        }
    }
}

#[test]
fn imports_are_found_in_every_form() {
    let code = "use crate::{a::{b, c}, d::E,\n f};\nlet x = crate::g::h();";
    assert_eq!(imports(code, "crate::").into_iter().collect::<Vec<_>>(), ["a", "d", "f", "g"]);
}

#[test]
fn the_declared_rust_version_is_enough_for_every_dependency() {
    let metadata = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let version =
        |text: &str| text.split('.').map(|part| part.parse::<u32>().unwrap()).chain([0]).take(3).collect::<Vec<_>>();
    let declared = version(env!("CARGO_PKG_RUST_VERSION"));
    for package in metadata["packages"].as_array().unwrap() {
        if let Some(needed) = package["rust_version"].as_str() {
            assert!(version(needed) <= declared, "{} needs Rust {needed}", package["name"]);
        }
    }
}
