//! What becomes of a target, and which ones are refused.

use super::case::{Case, Fact::*, NOT_FOUND};

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (target, forwarded) in [
        ("/", "/"),
        ("//", "/"),
        ("///a//b/", "/a/b/"),
        ("/./a", "/a"),
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/a//../b", "/b"),
        ("/../../etc", "/etc"),
        ("/..", "/"),
        ("/a/..", "/"),
        ("/a/b/..", "/a"),
        ("/a/b/../", "/a/"),
        ("/a/b/.", "/a/b"),
        ("/a/b/./", "/a/b/"),
        ("/...", "/..."),
        ("/.a", "/.a"),
        // escapes: what needs none loses it, what has one keeps it, in capitals
        ("/ap%69", "/api"),
        ("/a%7Eb%2Dc%5F", "/a~b-c_"),
        ("/%2e%2e/x", "/x"),
        ("/a/%2e", "/a"),
        ("/a%2fb", "/a%2Fb"),
        ("/a%2f../b", "/a%2F../b"),
        ("/%2F..%2F", "/%2F..%2F"),
        ("/a%00b", "/a%00b"),
        ("/a%20b", "/a%20b"),
        ("/a%25b", "/a%25b"),
        ("/a%3fb%23c", "/a%3Fb%23c"),
        ("/a%5cb", "/a%5Cb"),
        ("/%c3%a9", "/%C3%A9"),
        ("/%21%24%26%27%28%29%2A%2B%2C%3A%3D", "/%21%24%26%27%28%29%2A%2B%2C%3A%3D"),
        ("/!$&'()*+,;=:@-._~", "/!$&'()*+,;=:@-._~"),
        ("/a{b}|c\\d\"e^f", "/a%7Bb%7D%7Cc%5Cd%22e%5Ef"),
        // what comes after the first question mark is nobody's business
        ("/?q=//x/../y&%zz", "/?q=//x/../y&%zz"),
        ("/?%", "/?%"),
        ("/?", "/?"),
        ("/a??b", "/a??b"),
        ("/a/./b?c/./d", "/a/b?c/./d"),
        // as a client of a proxy asks
        ("http://many.test/abs/../x?y", "/x?y"),
        ("http://many.test", "/"),
        ("http://user:word@many.test/", "/"),
    ] {
        cases.push(Case::get("many.test", target).is(&[Status(200), Url(forwarded)]));
    }
    for target in ["/%", "/%2", "/%zz", "/a b", "a"] {
        cases.push(Case::get("many.test", target).is(&[Status(400)]));
    }
    // a target says nothing of fragments (RFC 9112 §3.2), and is made of certain characters (RFC 3986 §2)
    let fragment = "what follows a # is left out, as clients should have done";
    cases.extend([
        Case::get("many.test", "/#x").is(&[Status(400)]).but(fragment, &[Status(200), Url("/")]),
        Case::get("many.test", "/a#b?c").is(&[Status(400)]).but(fragment, &[Status(200), Url("/a")]),
        Case::get("many.test", "/?a#b").is(&[Url("/?a#b")]).but(fragment, &[Url("/?a")]),
    ]);
    for (target, forwarded) in [("/<", "/%3C"), ("/>", "/%3E"), ("/`", "/%60"), ("/\u{e9}", "/%E9")] {
        let case = Case::get("many.test", target).is(&[Status(200), Url(forwarded)]);
        cases.push(case.but("what no URL has as it is is refused, not mended", &[Status(400)]));
    }
    // routers see what is forwarded
    for target in ["/%61pi", "//api", "/x/../api", "/./api"] {
        cases.push(Case::get("many.test", target).is(&[Status(200), Port(3001)]));
    }
    for target in ["/api/../x", "/api%2f/../../x"] {
        cases.push(Case::get("many.test", target).is(&[Status(200), Port(3000)]));
    }
    // an absolute target's host counts
    cases.push(Case::get("other.test", "http://many.test/").is(&[Status(200), Saw("host", &["many.test"])]));
    cases.push(Case::get("many.test", "http://other.test/").is(&[Status(404)]));
    cases.push(
        Case::raw("OPTIONS * HTTP/1.1\nHost: nobody.test")
            .is(&[Status(200), Body("")])
            .but("it is routed as any other request, where Go's server answers by itself", NOT_FOUND),
    );
    cases
}
