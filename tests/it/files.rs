//! The lab's files: compiled in, exported, and started from there.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::support::{Lab, Place, http::numbers};

/// Every file below a directory, by its path from there.
fn below(directory: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in fs::read_dir(next).expect("a directory").flatten() {
            let path = entry.path();
            if path.is_dir() {
                directories.push(path);
            } else {
                found.insert(path.strip_prefix(directory).expect("below").to_owned());
            }
        }
    }
    found
}

/// That a directory has the lab's files and nothing else.
#[track_caller]
fn has_the_lab(directory: &Path) {
    let expected: BTreeSet<PathBuf> = lbctl::lab::files().iter().map(|(path, _)| path.into()).collect();
    assert_eq!(below(directory), expected);
    for (path, text) in lbctl::lab::files() {
        assert_eq!(fs::read_to_string(directory.join(path)).expect("text"), text, "{path}");
    }
}

#[test]
fn every_file_of_the_lab_is_compiled_in() {
    has_the_lab(&Path::new(env!("CARGO_MANIFEST_DIR")).join("lab"));
}

#[test]
fn an_exported_lab_starts_with_what_was_edited() {
    let place = Place::new();
    let directory = place.path().join("my/lab");
    let export = place.lbctl(["export", directory.to_str().expect("text")]);
    let compose = directory.join("docker-compose.yml").display().to_string();
    assert_eq!(export.ok().stdout, "");
    assert!(export.stderr.contains(&format!("`lbctl up -f {compose}` starts it")), "{export:?}");
    has_the_lab(&directory);
    assert_eq!(fs::read_dir(place.path().join("my")).expect("a directory").count(), 1);

    let text = fs::read_to_string(&compose).expect("text");
    let edited = text.replace(
        "      traefik.http.services.web-static",
        "      lbctl.strategy: random\n      traefik.http.services.web-static",
    );
    assert_ne!(text, edited);
    fs::write(&compose, edited).expect("a file");
    let lab = Lab::up_in(place, &["-f", &compose]);
    assert_eq!(lab.view["services"]["web_static"]["strategy"], "random");
    assert_eq!(numbers(&lab.address(), "/api/", 6), [1, 2, 3, 4, 5, 1]);
}

#[test]
fn a_directory_that_is_there_is_filled_if_it_is_empty() {
    let place = Place::new();
    let (empty, link) = (place.path().join("empty"), place.path().join("link"));
    fs::create_dir(&empty).expect("a directory");
    std::os::unix::fs::symlink(&empty, &link).expect("a link");
    let mut here = place.command(["export", "."]);
    let here = crate::support::Ended::from(here.current_dir(&empty).output().expect("lbctl runs"));
    here.ok();
    has_the_lab(&empty);
    // now it is not empty
    for target in [&empty, &link] {
        let again = place.lbctl(["export".as_ref(), target.as_os_str()]);
        again.fails(2, &format!("{} is not empty", target.display()));
        assert!(again.stderr.contains("\nhint: name a directory that does not exist yet"), "{again:?}");
    }
    fs::remove_dir_all(&empty).expect("it goes");
    fs::create_dir(&empty).expect("a directory");
    place.lbctl(["export".as_ref(), link.as_os_str()]).ok();
    has_the_lab(&empty);
}

#[test]
fn an_export_that_fails_leaves_nothing() {
    let place = Place::new();
    let file = place.path().join("file");
    fs::write(&file, "mine").expect("a file");
    place.lbctl(["export".as_ref(), file.as_os_str()]).fails(2, "file is not a directory");
    place.lbctl(["export".as_ref(), file.join("lab").as_os_str()]).fails(2, "file/lab is not a directory");
    place.lbctl(["export", "/proc/nowhere"]).fails(3, "/proc/nowhere");
    assert_eq!(fs::read_to_string(&file).expect("text"), "mine");
    assert_eq!(below(place.path()), BTreeSet::from(["file".into()]));
}
