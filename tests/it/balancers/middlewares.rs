//! Middlewares: what routers change of a request and of its answer.

use super::{
    case::{Case, Fact::*, NOT_FOUND},
    stage::Wanted,
};

const CHANGED: &str = "
    traefik.enable=true
    services.changed.loadbalancer.server.port=3000
    middlewares.short.stripprefix.prefixes=/api,/v1/
    middlewares.shorter.stripprefix.prefixes=/x
    middlewares.asks.headers.customrequestheaders.X-Set=set
    middlewares.asks.headers.customrequestheaders.X-Gone=
    middlewares.asks.headers.customrequestheaders.User-Agent=agent
    middlewares.asks.headers.customrequestheaders.X-Real-Ip=mine
    middlewares.names.headers.customrequestheaders.Host=other.test
    middlewares.says.headers.customresponseheaders.X-Set=set
    middlewares.says.headers.customresponseheaders.X-Served-By=
    middlewares.says.headers.customresponseheaders.Content-Type=text/x
    middlewares.says.headers.customresponseheaders.set-cookie=mine=1
    middlewares.Mixed.StripPrefix.Prefixes=/mixed
    routers.strip.rule=Host(`strip.test`)
    routers.strip.middlewares=short
    routers.strip.service=changed
    routers.twofold.rule=Host(`twofold.test`)
    routers.twofold.middlewares=short@docker, shorter
    routers.twofold.service=changed
    routers.asks.rule=Host(`asks.test`)
    routers.asks.middlewares=asks
    routers.asks.service=changed
    routers.names.rule=Host(`names.test`)
    routers.names.middlewares=names
    routers.names.service=changed
    routers.says.rule=Host(`says.test`)
    routers.says.middlewares=says
    routers.says.service=changed
    routers.all.rule=Host(`all.test`) && PathPrefix(`/api`)
    routers.all.middlewares=short,asks,says
    routers.all.service=changed
    routers.some.rule=Host(`some.test`)
    routers.some.middlewares=short,nowhere
    routers.some.service=changed
    routers.case.rule=Host(`case.test`)
    routers.case.middlewares=Mixed
    routers.case.service=changed
    routers.lower.rule=Host(`lower.test`)
    routers.lower.middlewares=mixed
    routers.lower.service=changed
    services.nobody.loadbalancer.server.port=3999
    routers.nobody.rule=Host(`nobody-says.test`)
    routers.nobody.middlewares=says
    routers.nobody.service=nobody
";

pub const SERVER: Wanted<'static> = Wanted { service: "changed", number: 1, labels: CHANGED, flags: &[] };

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (target, forwarded, prefix) in [
        ("/", "/", &[] as &[_]),
        ("/api", "/", &["/api"]),
        ("/api/", "/", &["/api"]),
        ("/api/x?y", "/x?y", &["/api"]),
        ("/api?x", "/?x", &["/api"]),
        // there is no boundary here either
        ("/apix/y", "/x/y", &["/api"]),
        ("/api/api/x", "/api/x", &["/api"]),
        ("/v1/", "/", &["/v1/"]),
        ("/v1/x", "/x", &["/v1/"]),
        ("/v1", "/v1", &[]),
        ("/API", "/API", &[]),
        ("/x/api", "/x/api", &[]),
        ("/%61pi/x", "/x", &["/api"]),
        ("//api//x", "/x", &["/api"]),
        ("/v1/../x", "/x", &[]),
        ("/api/a%2fb", "/a%2Fb", &["/api"]),
    ] {
        cases.push(Case::get("strip.test", target).is(&[Url(forwarded), Saw("x-forwarded-prefix", prefix)]));
    }
    for (target, forwarded, prefix) in
        [("/api/x/y", "/y", &["/api", "/x"] as &[_]), ("/x/api/y", "/api/y", &["/x"]), ("/api/x", "/", &["/api", "/x"])]
    {
        cases.push(Case::get("twofold.test", target).is(&[Url(forwarded), Saw("x-forwarded-prefix", prefix)]));
    }
    let asked = &[
        Saw("x-set", &["set"]),
        Saw("x-gone", &[]),
        Saw("user-agent", &["agent"]),
        Saw("x-real-ip", &["mine"]),
        Saw("x-forwarded-for", &["{client}"]),
    ];
    let said = &[
        Header("x-set", &["set"]),
        Header("x-served-by", &[]),
        Header("content-type", &["text/x"]),
        Header("set-cookie", &["mine=1"]),
    ];
    cases.extend([
        Case::get("asks.test", "/").is(asked),
        Case::raw("GET / HTTP/1.1\nHost: asks.test\nX-Set: a\nx-set: b\nX-Gone: 1\nUser-Agent: me").is(asked),
        Case::get("names.test", "/").is(&[Saw("host", &["other.test"]), Saw("x-forwarded-host", &["names.test"])]),
        Case::get("says.test", "/").is(&[Status(200)]).is(said),
        Case::get("says.test", "/cookies").is(&[Status(200)]).is(said),
        Case::get("says.test", "/status/204").is(&[Status(204)]).is(said),
        Case::get("nobody-says.test", "/").is(&[Status(502), Body("Bad Gateway")]).is(said),
        Case::get("all.test", "/api/x").is(&[Status(200), Url("/x")]).is(asked).is(said),
        Case::get("all.test", "/x").is(NOT_FOUND),
        Case::get("some.test", "/api").is(NOT_FOUND),
        // a middleware's name has its case, its fields have none
        Case::get("case.test", "/mixed/x").is(&[Url("/x")]),
        Case::get("lower.test", "/mixed/x").is(NOT_FOUND),
    ]);
    cases
}
