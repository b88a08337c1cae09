//! Real balancers of the matrix, each with a configuration of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use super::{docker, peer, server, server::Balancer};

/// nginx with its worker processes.
#[derive(Clone, Copy, Default)]
pub struct Nginx<'a> {
    /// Worker processes; none is one process that does all.
    pub workers: u32,
    /// In the `http` block; in `stream`'s place nothing.
    pub http: &'a str,
    /// In the upstream block, before the servers.
    pub upstream: &'a str,
    /// What follows each server's address, the last for all that remain.
    pub servers: &'a [&'a str],
    /// In the upstream block, after the servers.
    pub last: &'a str,
    /// Options of `listen`.
    pub listen: &'a str,
    /// In the location, before `proxy_pass`.
    pub location: &'a str,
    /// Where to, `http://app` by default.
    pub pass: &'a str,
}

impl Nginx<'_> {
    /// In front of these servers.
    pub fn start(self, upstreams: &[String]) -> Option<Balancer> {
        let program = peer("nginx")?;
        server::start(|directory, address| {
            let Nginx { workers, http, listen, location, .. } = self;
            let pass = if self.pass.is_empty() { "http://app" } else { self.pass };
            let (dir, upstream) = (directory.display(), self.upstream(upstreams));
            nginx(
                &program,
                directory,
                workers,
                &format!(
                    "http {{ access_log off; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; \
                 fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;\n{http}\n{upstream}\n\
                 server {{ listen {address} {listen};\n\
                 location / {{ {location} proxy_pass {pass}; proxy_set_header Host $http_host; }} }} }}"
                ),
            )
        })
    }

    /// The same for connections.
    pub fn start_tcp(self, upstreams: &[String]) -> Option<Balancer> {
        let program = peer("nginx")?;
        let module = ["/usr/lib/nginx/modules/ngx_stream_module.so", "/usr/lib64/nginx/modules/ngx_stream_module.so"];
        let Some(module) = module.into_iter().find(|module| Path::new(module).exists()) else {
            super::missing("nginx has no stream module");
            return None;
        };
        server::start(|directory, address| {
            let mut command = nginx(
                &program,
                directory,
                self.workers,
                &format!(
                    "stream {{ {}\nserver {{ listen {address} {}; proxy_pass app; }} }}",
                    self.upstream(upstreams),
                    self.listen
                ),
            );
            command.arg("-g").arg(format!("load_module {module};"));
            command
        })
    }

    fn upstream(&self, upstreams: &[String]) -> String {
        let each = upstreams.iter().enumerate().map(|(index, server)| {
            let options = self.servers.get(index).or(self.servers.last()).unwrap_or(&"");
            format!("server {server} {options};\n")
        });
        format!("upstream app {{ {}\n{} {} }}", self.upstream, each.collect::<String>(), self.last)
    }
}

fn nginx(program: &Path, directory: &Path, workers: u32, block: &str) -> Command {
    let dir = directory.display();
    let processes = match workers {
        0 => "master_process off;".to_owned(),
        // a directory of root's own, into which its workers write nothing
        several => format!("user root; worker_processes {several};"),
    };
    let config = format!(
        "daemon off; {processes} pid {dir}/pid; error_log stderr;\nevents {{ worker_connections 512; }}\n{block}\n"
    );
    fs::write(directory.join("nginx.conf"), config).unwrap();
    let mut command = Command::new(program);
    command.args(["-e", "stderr", "-p"]).arg(directory).arg("-c").arg(directory.join("nginx.conf"));
    command
}

/// HAProxy: a section of its own in front of servers with these options, the last for all that remain.
pub fn haproxy(upstreams: &[String], threads: u32, section: &str, options: &[&str]) -> Option<Balancer> {
    let program = peer("haproxy")?;
    server::start(|directory, address| {
        let servers = upstreams.iter().enumerate().map(|(index, server)| {
            let options = options.get(index).or(options.last()).unwrap_or(&"");
            format!("  server s{index} {server} {}\n", options.replace("NAME", &format!("s{index}")))
        });
        let config = format!(
            "global\n  nbthread {threads}\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  \
             timeout server 30s\nlisten app\n  bind {address}\n  {section}\n{}",
            servers.collect::<String>()
        );
        fs::write(directory.join("haproxy.cfg"), config).unwrap();
        let mut command = Command::new(&program);
        command.args(["-db", "-f"]).arg(directory.join("haproxy.cfg"));
        command
    })
}

/// Caddy with one route in front of these servers.
pub fn caddy(upstreams: &[String], policy: &str) -> Option<Balancer> {
    let program = peer("caddy")?;
    server::start(|directory, address| {
        let config = format!(
            "{{\n admin off\n auto_https off\n}}\nhttp://:{} {{\n bind {}\n reverse_proxy {} {{\n  lb_policy {policy}\n }}\n}}\n",
            address.port(),
            address.ip(),
            upstreams.join(" ")
        );
        fs::write(directory.join("Caddyfile"), config).unwrap();
        let mut command = Command::new(&program);
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(directory.join("Caddyfile"));
        // where it keeps what it would find again
        command.env("HOME", directory).env("XDG_DATA_HOME", directory).env("XDG_CONFIG_HOME", directory);
        command
    })
}

/// Traefik out of the lab's image, as a process of its own; `services` is what stands under `http.services` of its file,
/// as JSON, of which `app` is asked.
pub fn traefik(services: &serde_json::Value) -> Option<Balancer> {
    let program = traefik_program()?;
    server::start(|directory, address| {
        let router = serde_json::json!({ "rule": "PathPrefix(`/`)", "service": "app", "entryPoints": ["web"] });
        let dynamic = serde_json::json!({ "http": { "routers": { "app": router }, "services": services } });
        fs::write(directory.join("dynamic.yml"), dynamic.to_string()).unwrap();
        let mut command = Command::new(&program);
        command.arg(format!("--entrypoints.web.address={address}"));
        command.arg(format!("--providers.file.filename={}", directory.join("dynamic.yml").display()));
        command.args(["--global.checknewversion=false", "--global.sendanonymoususage=false"]);
        command
    })
}

/// Its only file, which needs no other.
fn traefik_program() -> Option<PathBuf> {
    static COPIED: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    if !docker::present(docker::traefik()) {
        return None;
    }
    let (_, program) = COPIED.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("traefik");
        let container = docker::docker(&["create", docker::traefik(), "unused"]).ok().stdout.trim().to_owned();
        let from = format!("{container}:/traefik");
        let copied = docker::docker(&["cp", &from, program.to_str().unwrap()]);
        docker::docker(&["rm", &container]);
        copied.ok();
        (directory, program)
    });
    Some(program.clone())
}
