use super::*;

fn parts(headers: &[(&str, &str)]) -> request::Parts {
    let mut request = http::Request::get("/auth/traefik");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).expect("a request").into_parts().0
}

const TARGET: [(&str, &str); 4] = [
    ("X-Forwarded-Method", "GET"),
    ("X-Forwarded-Proto", "wss"),
    ("X-Forwarded-Host", "grafana.example.com"),
    ("X-Forwarded-Uri", "/d/home?x=1"),
];

fn read(
    path: &str,
    headers: &[(&str, &str)],
) -> Result<(String, Option<bool>, String, String), ReadError> {
    let parts = parts(headers);
    let asked = Reader::of_path(path).expect("an endpoint").read(&parts)?;
    Ok((asked.method.into(), asked.secure, asked.authority.into(), asked.uri.into()))
}

#[test]
fn traefik_names_the_target_in_four_headers() {
    let asked = read("/auth/traefik", &TARGET).expect("a target");
    assert_eq!(
        asked,
        ("GET".into(), Some(true), "grafana.example.com".into(), "/d/home?x=1".into())
    );
}

#[test]
fn nginx_names_it_in_two() {
    let headers =
        [("X-Original-Method", "POST"), ("X-Original-URL", "https://a.example.com:8443/x?y")];
    let asked = read("/auth/nginx", &headers).expect("a target");
    assert_eq!(asked, ("POST".into(), Some(true), "a.example.com:8443".into(), "/x?y".into()));
}

fn read_envoy(target: &str, headers: &[(&str, &str)]) -> Result<String, ReadError> {
    let mut request = http::Request::builder().method("PUT").uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let parts = request.body(()).expect("a request").into_parts().0;
    let asked = Reader::of_envoy_path(parts.uri.path()).expect("an endpoint").read(&parts)?;
    assert_eq!((asked.method, asked.authority), ("PUT", "a.example.com:8443"));
    Ok(format!("{} {}", asked.secure == Some(true), asked.uri))
}

const HEADERS: [(&str, &str); 2] = [("Host", "a.example.com:8443"), ("X-Forwarded-Proto", "https")];

#[test]
fn envoy_sends_the_request_itself_below_a_prefix() {
    for (target, uri) in [
        ("/auth/envoy/x?y=/z", "true /x?y=/z"),
        ("/auth/envoy/", "true /"),
        ("/auth/envoy//x", "true //x"),
        ("/auth/envoy/auth/envoy/x", "true /auth/envoy/x"),
        ("/outpost.goauthentik.io/auth/envoy/x", "true /x"),
        ("/api/authz/ext-authz//x", "true /x"),
        ("/api/authz/ext-authz///x", "true //x"),
    ] {
        assert_eq!(read_envoy(target, &HEADERS).as_deref(), Ok(uri), "{target}");
    }
}

#[test]
fn a_prefix_has_one_spelling() {
    for target in ["/auth/envoy", "/auth/envoy?x", "/outpost.goauthentik.io/auth/envoy"] {
        let refused = read_envoy(target, &HEADERS);
        assert!(matches!(refused, Err(ReadError::NoPath(_))), "{target}");
    }
    for target in ["/api/authz/ext-authz", "/api/authz/ext-authz/", "/api/authz/ext-authz/x"] {
        let refused = read_envoy(target, &HEADERS);
        assert_eq!(refused, Err(ReadError::NoPath("/api/authz/ext-authz/")), "{target}");
    }
    for path in ["/", "/auth/envoys/x", "/auth/traefik", "/x/auth/envoy/y", "/auth%2fenvoy/x"] {
        assert_eq!(Reader::of_envoy_path(path), None, "{path}");
    }
    for path in ["/auth/envoy/x", "/outpost.goauthentik.io/auth/envoy/x", "/auth/envoy"] {
        assert_eq!(Reader::of_path(path), None, "{path}");
    }
}

/// `security.md` 2, 4, R16.
#[test]
fn envoy_names_host_and_scheme_once_and_nothing_else_does() {
    let [host, scheme] = HEADERS;
    let read = |headers: &[(&str, &str)]| read_envoy("/auth/envoy/x", headers);
    assert_eq!(read(&[host]), Err(ReadError::Missing("X-Forwarded-Proto")));
    assert_eq!(read(&[scheme]), Err(ReadError::Missing("Host")));
    assert_eq!(read(&[host, host, scheme]), Err(ReadError::Twice("Host".into())));
    assert!(read(&[host, scheme, scheme]).is_err());
    for (name, value) in [("X-Original-URL", "https://b.example.com/"), ("X-Forwarded-Uri", "/y")] {
        assert_eq!(read(&[host, scheme, (name, value)]), Err(ReadError::TwoDialects));
    }
    let absolute = read_envoy("http://b.example.com/auth/envoy/x", &HEADERS);
    assert_eq!(absolute, Err(ReadError::TwoDialects));
    assert!(read(&[host, scheme, ("X-Forwarded-Host", "b.example.com")]).is_ok());
    assert!(matches!(
        read(&[host, scheme, ("x_forwarded_proto", "http")]),
        Err(ReadError::Alias(_))
    ));
}

/// `security.md` 4.
#[test]
fn missing_metadata_is_refused_and_nothing_stands_in_for_it() {
    for left_out in 0..TARGET.len() {
        let mut headers = TARGET.to_vec();
        headers.remove(left_out);
        headers.push(("Host", "grafana.example.com"));
        assert!(matches!(read("/auth/traefik", &headers), Err(ReadError::Missing(_))));
    }
}

/// `security.md` 2.
#[test]
fn doubles_and_underscore_aliases_are_refused() {
    for extra in ["X-Forwarded-Host", "X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Proto"]
    {
        let headers = [TARGET.as_slice(), &[(extra, "GET")]].concat();
        assert_eq!(read("/auth/traefik", &headers), Err(ReadError::Twice(extra.into())));
    }
    for alias in ["X_Forwarded_Host", "x_forwarded-uri", "Remote_User", "X-Authentik_username"] {
        let headers = [TARGET.as_slice(), &[(alias, "x")]].concat();
        let refused = read("/auth/traefik", &headers);
        assert_eq!(refused, Err(ReadError::Alias(alias.to_ascii_lowercase())));
    }
}

/// `security.md` R16.
#[test]
fn a_target_named_in_two_ways_is_refused() {
    let headers = [TARGET.as_slice(), &[("X-Original-URL", "https://b.example.com/")]].concat();
    assert_eq!(read("/auth/traefik", &headers), Err(ReadError::TwoDialects));
}

#[test]
fn methods_and_schemes_are_words() {
    for (name, value) in [("X-Forwarded-Method", "get it"), ("X-Forwarded-Proto", "ftp")] {
        let mut headers = TARGET.to_vec();
        headers.retain(|(known, _)| *known != name);
        headers.push((name, value));
        assert!(matches!(read("/auth/traefik", &headers), Err(ReadError::Senseless(_))));
    }
}
