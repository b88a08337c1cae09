//! Which router takes a request, and what a container's labels make of it.

use super::{
    case::{BAD_GATEWAY, Case, Fact::*, NOT_FOUND},
    stage::Wanted,
};

/// What most cases ask: a container with many routers and services.
const MANY: &str = r#"
    traefik.enable=true
    services.many.loadbalancer.server.port=3000
    routers.many.rule=Host(`many.test`)
    routers.many.service=many
    services.alt.loadbalancer.server.port=3001
    routers.api.rule=Host(`many.test`) && PathPrefix(`/api`)
    routers.api.service=alt
    routers.high.rule=PathPrefix(`/high`)
    routers.high.service=alt
    routers.high.priority=1000
    routers.low.rule=Host(`many.test`) && PathPrefix(`/low-although-it-is-long`)
    routers.low.service=alt
    routers.low.priority=1
    routers.wild.rule=Host(`*.wild.test`)
    routers.wild.service=alt
    routers.syntax.rule=(host("quoted.test") || HOST(`Upper.TEST.`)) && !pathprefix(`/not`) || Host(`under_score.test`)
    routers.syntax.service=alt
    routers.fields.Rule=Host(`fields.test`)
    routers.fields.SERVICE=alt
    routers.cross.rule=Host(`cross.test`)
    routers.cross.service=web@docker
    routers.cross-bare.rule=Host(`cross-bare.test`)
    routers.cross-bare.service=web
    routers.nowhere.rule=Host(`nowhere.test`)
    routers.nowhere.service=nowhere
    routers.unlinked.rule=Host(`unlinked.test`)
    routers.no-middleware.rule=Host(`no-middleware.test`)
    routers.no-middleware.service=many
    routers.no-middleware.middlewares=nowhere
    routers.entry.rule=Host(`entry.test`)
    routers.entry.service=many
    routers.entry.entrypoints=nowhere
    routers.tls.rule=Host(`tls.test`)
    routers.tls.service=many
    routers.tls.tls=true
    services.merged.loadbalancer.server.port=3000
    routers.merged.rule=Host(`merged.test`)
    routers.merged.service=merged
    services.twice.loadbalancer.server.port=3000
    routers.twice.rule=Host(`twice.test`)
    routers.twice.service=twice
    routers.again.rule=Host(`again-1.test`)
    routers.again.service=many
    services.no-host.loadbalancer.server.port=3000
    services.no-host.loadbalancer.passhostheader=false
    routers.no-host.rule=Host(`no-host.test`)
    routers.no-host.service=no-host
    services.refused.loadbalancer.server.port=3999
    routers.refused.rule=Host(`refused.test`)
    routers.refused.service=refused
    services.lost.loadbalancer.server.port=3999
    services.lost.loadbalancer.sticky.cookie=true
    routers.lost.rule=Host(`lost.test`)
    routers.lost.service=lost
    services.trap.loadbalancer.server.port=3000
    services.trap.loadbalancer.sticky=true
    routers.trap.rule=Host(`trap.test`)
    routers.trap.service=trap
    services.full.loadbalancer.server.port=3000
    services.full.loadbalancer.sticky.cookie.name=srv
    services.full.loadbalancer.sticky.cookie.secure=true
    services.full.loadbalancer.sticky.cookie.httponly=true
    services.full.loadbalancer.sticky.cookie.samesite=strict
    services.full.loadbalancer.sticky.cookie.maxage=60
    services.full.loadbalancer.sticky.cookie.path=/x
    services.full.loadbalancer.sticky.cookie.domain=full.test
    routers.full.rule=Host(`full.test`)
    routers.full.service=full
"#;

/// Three replicas of one service.
const WEB: &str = "
    traefik.enable=true
    services.web.loadbalancer.server.port=3000
    routers.web.rule=Host(`web.test`)
    routers.web.service=web
    services.order.loadbalancer.server.port=3000
    routers.order.rule=Host(`order.test`)
    routers.order.service=order
    services.sticky.loadbalancer.server.port=3000
    services.sticky.loadbalancer.sticky.cookie=true
    routers.sticky.rule=Host(`sticky.test`)
    routers.sticky.service=sticky
    services.twice.loadbalancer.server.port=3000
    services.twice.loadbalancer.passhostheader=false
    routers.again.rule=Host(`again-2.test`)
    routers.again.service=web
";

/// The lowest of the exposed ports; the rule is made of service and project.
const EXPOSED: &str = "traefik.enable=true";

/// Good routers that an unknown field takes with it.
const BAD_LABEL: &str = "
    traefik.enable=true
    services.bad.loadbalancer.server.port=3000
    routers.bad.rule=Host(`bad.test`)
    routers.bad.colour=red
";

/// Rules that are none, and a router without a service in a container with one.
const BAD_RULES: &str = r#"
    traefik.enable=true
    services.merged.loadbalancer.server.port=3001
    routers.fine.rule=Host(`fine.test`)
    routers.quotes.rule=Host('quotes.test')
    routers.two.rule=Host(`two-1.test`, `two-2.test`)
    routers.word.rule=Host(`word.test`) AND PathPrefix(`/`)
    routers.slash.rule=Host(`slash.test`) && PathPrefix(`api`)
    routers.unknown.rule=Hosts(`unknown.test`)
    routers.umlaut.rule=Host(`bücher.test`)
"#;

const NO_PORT: &str = "
    traefik.enable=true
    routers.no-port.rule=Host(`no-port.test`)
";

const NOT_ENABLED: &str = "
    services.plain.loadbalancer.server.port=3000
    routers.plain.rule=Host(`plain.test`)
";

const fn one(service: &'static str, number: u32, labels: &'static str, flags: &'static [&str]) -> Wanted<'static> {
    Wanted { service, number, labels, flags }
}

/// The containers of every case that changes nothing.
pub const SERVERS: [Wanted; 9] = [
    one("web", 1, WEB, &[]),
    one("web", 2, WEB, &[]),
    one("web", 3, WEB, &[]),
    one("many", 1, MANY, &[]),
    one("ex_posed", 1, EXPOSED, &["--expose=3001", "--expose=3000"]),
    one("bad", 1, BAD_LABEL, &[]),
    one("rules", 1, BAD_RULES, &[]),
    one("portless", 1, NO_PORT, &[]),
    one("plain", 1, NOT_ENABLED, &[]),
];

pub fn cases() -> Vec<Case> {
    let reaches = |host, target, port| Case::get(host, target).is(&[Status(200), Port(port)]);
    let nowhere = |host| Case::get(host, "/").is(NOT_FOUND);
    vec![
        // hosts
        reaches("many.test", "/", 3000),
        reaches("MANY.test:8080", "/", 3000),
        reaches("many.test.", "/", 3000),
        reaches("many.test.:80", "/", 3000),
        reaches("many.test:", "/", 3000),
        reaches("a.wild.test", "/", 3001),
        reaches("A.Wild.Test:81", "/", 3001),
        reaches("upper.test", "/", 3001),
        reaches("under_score.test", "/not", 3001),
        reaches("fields.test", "/", 3001),
        nowhere("many.test.."),
        nowhere("xmany.test"),
        nowhere("many.test.more"),
        nowhere("wild.test"),
        nowhere("a.b.wild.test"),
        nowhere("[::1]"),
        nowhere("127.0.0.1"),
        nowhere("a,b"),
        // paths: the longer rule, and a number before it
        reaches("many.test", "/api", 3001),
        reaches("many.test", "/api/x?y", 3001),
        reaches("many.test", "/apix", 3001),
        reaches("many.test", "/API", 3000),
        reaches("many.test", "/x/api", 3000),
        reaches("many.test", "/?/api", 3000),
        reaches("many.test", "/low-although-it-is-long", 3000),
        reaches("many.test", "/high", 3001),
        reaches("nobody.test", "/higher", 3001),
        reaches("quoted.test", "/", 3001),
        Case::get("quoted.test", "/not").is(NOT_FOUND),
        // services
        reaches("cross.test", "/", 3000),
        reaches("cross-bare.test", "/", 3000),
        Case::get("merged.test", "/").is(&[Status(200)]),
        Case::get("fine.test", "/").is(&[Status(200)]),
        nowhere("nowhere.test"),
        nowhere("unlinked.test"),
        nowhere("no-middleware.test"),
        nowhere("twice.test"),
        nowhere("again-1.test"),
        nowhere("again-2.test"),
        nowhere("entry.test").but("it has one entry point, whatever it is called", &[Status(200)]),
        nowhere("tls.test").but("it speaks no TLS, so it answers without", &[Status(200)]),
        Case::get("refused.test", "/").is(BAD_GATEWAY),
        // what a container's labels make of it
        reaches("ex-posed-{project}", "/", 3000),
        reaches("EX-POSED-{project}", "/", 3000),
        nowhere("ex_posed-1"),
        nowhere("ex_posed-{project}"),
        nowhere("many-{project}"),
        nowhere("bad.test"),
        nowhere("no-port.test"),
        nowhere("plain.test"),
        // rules that are none turn off their router alone
        nowhere("quotes.test"),
        nowhere("two-1.test"),
        nowhere("two-2.test"),
        nowhere("word.test"),
        nowhere("slash.test"),
        nowhere("unknown.test"),
        nowhere("xn--bcher-kva.test"),
    ]
}
