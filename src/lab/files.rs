//! The lab's files, compiled in.

/// Path below the lab's directory, and text, of every file of the lab.
pub fn files() -> [(&'static str, &'static str); 4] {
    [
        ("docker-compose.yml", include_str!("../../lab/docker-compose.yml")),
        ("web_static/page.html", include_str!("../../lab/web_static/page.html")),
        ("web_static/page.css", include_str!("../../lab/web_static/page.css")),
        ("web_static/page.js", include_str!("../../lab/web_static/page.js")),
    ]
}
