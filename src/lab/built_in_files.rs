//! The files of the built-in lab, compiled into the program.

/// The path below the directory of the lab, and the text, of every file of the built-in lab.
pub fn files() -> [(&'static str, &'static str); 12] {
    [
        ("docker-compose.yml", include_str!("../../lab/docker-compose.yml")),
        ("web_static/.dockerignore", include_str!("../../lab/web_static/.dockerignore")),
        ("web_static/Dockerfile", include_str!("../../lab/web_static/Dockerfile")),
        ("web_static/apache.conf", include_str!("../../lab/web_static/apache.conf")),
        ("web_static/index.php", include_str!("../../lab/web_static/index.php")),
        ("web_static/sessions.php", include_str!("../../lab/web_static/sessions.php")),
        ("web_static/page.html", include_str!("../../lab/web_static/page.html")),
        ("web_static/page.css", include_str!("../../lab/web_static/page.css")),
        ("web_static/page.js", include_str!("../../lab/web_static/page.js")),
        ("web_dynamic/.dockerignore", include_str!("../../lab/web_dynamic/.dockerignore")),
        ("web_dynamic/Dockerfile", include_str!("../../lab/web_dynamic/Dockerfile")),
        ("web_dynamic/server.js", include_str!("../../lab/web_dynamic/server.js")),
    ]
}
