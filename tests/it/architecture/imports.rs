//! Which file of `src/` imports which, read from the source text.
//!
//! Paths count that begin with `crate`, `super` or `self`, or with a module that the file has imported or declares. A path
//! through a `mod.rs` leads to the file that defines what it names: `crate::analysis::judge` to `analysis/judge.rs` if that
//! is where `analysis/mod.rs` takes `judge` from. What a `mod.rs` itself re-exports is no import of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A path as it is written: `["crate", "analysis", "judge"]`.
type Segments = Vec<String>;

/// The files of a crate by their modules: `["analysis", "judge"]` is `analysis/judge.rs`.
pub struct Sources {
    modules: BTreeMap<Segments, Source>,
}

struct Source {
    /// The path below `src/`.
    file: PathBuf,
    /// The code without comments, texts, and tests.
    code: String,
}

/// One path of a `use` tree, and the name that it gets.
struct Import {
    path: Segments,
    name: String,
    exported: bool,
}

impl Sources {
    pub fn read(root: &Path) -> Sources {
        let module = |path: &Path| {
            let inside = path.strip_prefix(root).unwrap().to_owned();
            let mut segments: Segments =
                inside.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            segments.pop_if(|last| last == "mod" || last == "lib");
            let code = without_tests(&bare(&fs::read_to_string(path).unwrap()));
            (segments, Source { file: inside, code })
        };
        Sources { modules: super::sources(root).iter().map(|path| module(path)).collect() }
    }

    /// Each file, and the other files that it imports.
    pub fn imports(&self) -> BTreeMap<&Path, BTreeSet<&Path>> {
        let one = |(module, source): (&Segments, &'_ Source)| (module.clone(), source.file.clone());
        let files: Vec<(Segments, PathBuf)> = self.modules.iter().map(one).collect();
        files.into_iter().map(|(module, _)| (self.file(&module), self.imports_of(&module))).collect()
    }

    fn file(&self, module: &Segments) -> &Path {
        &self.modules[module].file
    }

    fn imports_of(&self, module: &Segments) -> BTreeSet<&Path> {
        let (uses, rest) = split_uses(&self.modules[module].code);
        let mut known: BTreeMap<String, Segments> = BTreeMap::new();
        let children = self.modules.keys().filter(|other| other.len() == module.len() + 1 && other.starts_with(module));
        known.extend(children.map(|child| (child.last().unwrap().clone(), child.clone())));
        let mut found: BTreeSet<Segments> = BTreeSet::new();
        for Import { path, name, exported } in &uses {
            let Some(target) = self.resolve(module, path) else { continue };
            if self.absolute(module, path).as_ref() == Some(&target) {
                known.insert(name.clone(), target.clone());
            }
            if !exported {
                found.insert(target);
            }
        }
        for path in paths(&rest) {
            let whole = match known.get(&path[0]) {
                Some(start) => [vec!["crate".to_owned()], start.clone(), path[1..].to_vec()].concat(),
                None => path,
            };
            found.extend(self.resolve(module, &whole));
        }
        found.into_iter().filter(|other| other != module).map(|other| self.file(&other)).collect()
    }

    /// A path from the crate's root; `None` for one that begins elsewhere.
    fn absolute(&self, module: &Segments, path: &[String]) -> Option<Segments> {
        let mut from = match path[0].as_str() {
            "crate" => Vec::new(),
            "self" => module.clone(),
            "super" => module[..module.len().checked_sub(1)?].to_vec(),
            child if self.modules.contains_key(&[module.clone(), vec![child.to_owned()]].concat()) => {
                [module.clone(), vec![child.to_owned()]].concat()
            }
            _ => return None,
        };
        for segment in &path[1..] {
            if segment == "super" {
                from.pop();
            } else if segment != "self" {
                from.push(segment.clone());
            }
        }
        Some(from)
    }

    /// The module that defines what a path names.
    fn resolve(&self, module: &Segments, path: &[String]) -> Option<Segments> {
        let whole = self.absolute(module, path)?;
        let depth = (0..=whole.len()).rev().find(|depth| self.modules.contains_key(&whole[..*depth]))?;
        let within = whole[..depth].to_vec();
        let Some(item) = whole.get(depth) else { return Some(within) };
        let (uses, _) = split_uses(&self.modules[&within].code);
        let from = uses.iter().filter(|import| import.exported).find(|import| import.name == *item);
        from.and_then(|import| self.resolve(&within, &import.path)).or(Some(within))
    }
}

/// The paths of all `use` items, and the code without them.
fn split_uses(code: &str) -> (Vec<Import>, String) {
    let (mut uses, mut rest) = (Vec::new(), String::new());
    let mut left = code;
    while let Some(at) = left.match_indices("use ").map(|(at, _)| at).find(|at| begins_an_item(&left[..*at])) {
        let end = at + left[at..].find(';').unwrap();
        let before = left[..at].trim_end();
        let exported = before.ends_with("pub") || (before.ends_with(')') && before.contains("pub("));
        for (path, name) in tree(&left[at + "use ".len()..end]) {
            uses.push(Import { path, name, exported });
        }
        rest += &left[..at];
        left = &left[end + 1..];
    }
    (uses, rest + left)
}

fn begins_an_item(before: &str) -> bool {
    let before = before.trim_end_matches(' ');
    let word = before.rsplit(|c: char| c.is_whitespace()).next().unwrap();
    before.is_empty() || before.ends_with(['\n', ';', '{', '}']) || word == "pub" || word.starts_with("pub(")
}

/// The paths of a `use` tree with the names that they get.
fn tree(text: &str) -> Vec<(Segments, String)> {
    let Some((head, group)) = text.split_once('{') else {
        let (path, alias) = text.split_once(" as ").map_or((text, None), |(path, alias)| (path, Some(alias.trim())));
        let path: Segments = path.split("::").map(|part| part.trim().to_owned()).filter(|part| part != "*").collect();
        let last = path.iter().rev().find(|part| *part != "self").cloned().unwrap_or_default();
        let name = alias.map_or(last, str::to_owned);
        return if path.iter().all(String::is_empty) { Vec::new() } else { vec![(path, name)] };
    };
    let inside = group.rsplit_once('}').unwrap().0;
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inside[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inside[start..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| tree(&format!("{}{}", head.trim(), part.trim()))).collect()
}

/// Every path of two segments or more in code that has no `use` items.
fn paths(code: &str) -> Vec<Segments> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut path: Segments = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let length = if is_word(first) { rest.find(|c| !is_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        if is_word(first) {
            path.push(rest[..length].to_owned());
        }
        rest = &rest[length..];
        match rest.strip_prefix("::") {
            Some(after) if !path.is_empty() => rest = after,
            _ => {
                let whole = std::mem::take(&mut path);
                if whole.len() > 1 {
                    found.push(whole);
                }
            }
        }
    }
    found
}

/// The code with neither comments nor what stands in texts and character literals.
fn bare(text: &str) -> String {
    let (mut code, mut left) = (String::new(), text);
    while let Some(c) = left.chars().next() {
        let after = code.chars().last().is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let hashes = left[1..].chars().take_while(|c| *c == '#').count();
        let length = if left.starts_with("//") {
            left.find('\n').unwrap_or(left.len())
        } else if after && c == 'r' && left[1 + hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let begin = 2 + hashes;
            begin + left[begin..].find(&close).unwrap() + close.len()
        } else if c == '"' {
            1 + literal(&left[1..], '"')
        } else if c == '\'' && (left[1..].starts_with('\\') || left.chars().nth(2) == Some('\'')) {
            1 + literal(&left[1..], '\'')
        } else {
            code.push(c);
            c.len_utf8()
        };
        left = &left[length..];
    }
    code
}

/// The length of a literal as far as its end, which is included.
fn literal(text: &str, end: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == end => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The code without its modules of tests.
fn without_tests(code: &str) -> String {
    let Some((before, tests)) = code.split_once("#[cfg(test)]") else { return code.to_owned() };
    let mut depth = 0;
    for (at, c) in tests.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return before.to_owned() + &without_tests(&tests[at + 1..]),
            '}' => depth -= 1,
            ';' if depth == 0 => return before.to_owned() + &without_tests(&tests[at + 1..]),
            _ => {}
        }
    }
    before.to_owned()
}

/// The sets of files of which each imports every other, directly or by others of the set.
pub fn circles<'a>(imports: &BTreeMap<&'a Path, BTreeSet<&'a Path>>) -> Vec<BTreeSet<&'a Path>> {
    let reached = |start: &'a Path| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
        while let Some(file) = next.pop() {
            let new = imports[file].iter().copied().filter(|other| seen.insert(*other));
            next.extend(new.collect::<Vec<_>>());
        }
        seen
    };
    let reached: BTreeMap<&Path, BTreeSet<&Path>> = imports.keys().map(|file| (*file, reached(file))).collect();
    let circle = |file: &'a Path| reached[file].iter().copied().filter(|other| reached[other].contains(file)).collect();
    let circles: BTreeSet<BTreeSet<&Path>> = imports.keys().map(|file| circle(file)).collect();
    circles.into_iter().filter(|circle: &BTreeSet<&Path>| circle.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(files: &[(&str, &str)]) -> Sources {
        let one = |(file, text): &(&str, &str)| {
            let mut module: Segments = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            module.pop_if(|last| last == "mod");
            (module, Source { file: file.into(), code: without_tests(&bare(text)) })
        };
        Sources { modules: files.iter().map(one).collect() }
    }

    fn imported(files: &[(&str, &str)], by: &str) -> Vec<String> {
        let sources = sources(files);
        let imports = sources.imports();
        imports[Path::new(by)].iter().map(|file| file.display().to_string()).collect()
    }

    #[test]
    fn a_path_leads_to_the_file_that_defines_what_it_names() {
        let files = [
            ("a/mod.rs", "mod b; mod c; mod d; pub use b::{self, X as Y}; use d::helper; fn f() {}"),
            ("a/b.rs", "use super::{c::{Z, self}, f}; use std::fmt; pub struct X;"),
            ("a/c.rs", "// super::f\nfn g() -> &'static str { crate::a::Y; \"super::d::h\" }"),
            ("a/d.rs", "use super::b; fn g() { b::X; super::c::g(); } #[cfg(test)] mod tests { use super::super::f; }"),
        ];
        assert_eq!(imported(&files, "a/mod.rs"), ["a/d.rs"]);
        assert_eq!(imported(&files, "a/b.rs"), ["a/c.rs", "a/mod.rs"]);
        assert_eq!(imported(&files, "a/c.rs"), ["a/b.rs"]);
        assert_eq!(imported(&files, "a/d.rs"), ["a/b.rs", "a/c.rs"]);
    }

    #[test]
    fn a_circle_is_found_whole() {
        let files = [
            ("a/x.rs", "use super::y::Y;"),
            ("a/y.rs", "fn f() { super::z::g() }"),
            ("a/z.rs", "use crate::a::x::X;"),
            ("a/v.rs", "use super::x::X;"),
        ];
        let sources = sources(&files);
        let expected: BTreeSet<&Path> = ["a/x.rs", "a/y.rs", "a/z.rs"].iter().map(|file| Path::new(*file)).collect();
        assert_eq!(circles(&sources.imports()), [expected]);
    }
}
