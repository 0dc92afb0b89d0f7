//! Envoy: the `ext_authz` filter over HTTP.

use super::{Site, UNKNOWN_UPSTREAM, Where};

/// The connection manager of a listener, and the clusters. `decisions` is where Envoy alone asks.
pub fn text(reach: &Where, decisions: &Where, sites: &[Site]) -> String {
    let mut out = String::from(HEAD);
    out.push_str(&filters(decisions, sites));
    out.push_str("route_config:\n  name: doorward\n  virtual_hosts:\n");
    for (number, site) in sites.iter().enumerate() {
        out.push_str(&virtual_host(number, site));
    }
    out.push_str("\n# Into `static_resources.clusters`:\nclusters:\n");
    out.push_str(&cluster("doorward", reach));
    out.push_str(&cluster("doorward_decisions", decisions));
    for (number, site) in sites.iter().enumerate() {
        match &site.upstream {
            Some(upstream) => out.push_str(&cluster(&format!("app_{number}"), upstream)),
            None => out.push_str(&format!(
                "  # The blueprint does not say where the app runs; add `app_{number}` for \
                 {UNKNOWN_UPSTREAM} or where it is.\n"
            )),
        }
    }
    out
}

const HEAD: &str = "\
# Into the `http_connection_manager` of the listener. Decisions are asked for at `listen-envoy`, to
# which no route may lead. Envoy older than 1.28 tells its own address there as the client's: add
# it to `trusted-proxies`.
use_remote_address: true
common_http_protocol_options:
  # A client's `Remote_User` is `Remote-User` to many servers.
  headers_with_underscores_action: REJECT_REQUEST
upgrade_configs:
  - upgrade_type: websocket
";

/// What Doorward decides by. `Host`, the method, the path and `Authorization` always go along.
const SENT: [&str; 12] = [
    "accept",
    "access-control-request-headers",
    "access-control-request-method",
    "cookie",
    "origin",
    "referer",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-websocket-key",
    "x-forwarded-for",
    "x-forwarded-proto",
];

fn filters(decisions: &Where, sites: &[Site]) -> String {
    let removed = lines(sites, Site::deleted, "          - remove: ");
    let copied =
        lines(sites, Site::copied, "              - ignore_case: true\n                exact: ");
    let sent: String = SENT.iter().map(|name| format!("          - exact: {name}\n")).collect();
    let origin = &decisions.origin;
    format!(
        r#"http_filters:
  - name: envoy.filters.http.header_mutation
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
      mutations:
        request_mutations:
          # Only Doorward says who somebody is and what was asked for.
{removed}  - name: envoy.filters.http.ext_authz
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
      transport_api_version: V3
      failure_mode_allow: false
      # No answer, or 503 from Doorward: 503, and not the 403 of somebody who may not come in.
      status_on_error: {{ code: ServiceUnavailable }}
      allowed_headers:
        patterns:
{sent}      http_service:
        path_prefix: /auth/envoy
        server_uri:
          uri: {origin}
          cluster: doorward_decisions
          timeout: 5s
        authorization_response:
          allowed_upstream_headers:
            patterns:
{copied}  - name: envoy.filters.http.router
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
"#
    )
}

/// One line for each name of all sites, each name once.
fn lines(sites: &[Site], of: fn(&Site) -> Vec<String>, begin: &str) -> String {
    let mut seen: Vec<String> = Vec::new();
    for name in sites.iter().flat_map(of).map(|name| name.to_ascii_lowercase()) {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen.iter().map(|name| format!("{begin}{name}\n")).collect()
}

fn virtual_host(number: usize, site: &Site) -> String {
    // Envoy compares a domain with `Host` as it came, port included.
    let with_port = |host: &String| site.port.map(|port| format!("{host}:{port}"));
    let hosts = site.hosts.iter().cloned().chain(site.hosts.iter().filter_map(with_port));
    let domains: String = hosts.map(|host| format!("        - \"{host}\"\n")).collect();
    format!(
        r#"    - name: app_{number}
      domains:
{domains}      routes:
        - match: {{ prefix: /outpost.goauthentik.io/auth/ }}
          direct_response: {{ status: 404 }}
{own}{alias}        - match: {{ prefix: / }}
          route: {{ cluster: app_{number} }}
"#,
        own = own_route("/.doorward/"),
        alias = own_route("/outpost.goauthentik.io/"),
    )
}

/// Doorward answers itself, without being asked first.
fn own_route(prefix: &str) -> String {
    format!(
        r#"        - match: {{ prefix: {prefix} }}
          route: {{ cluster: doorward }}
          typed_per_filter_config:
            envoy.filters.http.ext_authz:
              "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
              disabled: true
"#
    )
}

fn cluster(name: &str, at: &Where) -> String {
    let host = at.host.trim_matches(['[', ']']);
    let port = at.port;
    let tls = if at.origin.starts_with("https:") { TLS } else { "" };
    format!(
        r#"  - name: {name}
    type: STRICT_DNS
{tls}    load_assignment:
      cluster_name: {name}
      endpoints:
        - lb_endpoints:
            - endpoint:
                address: {{ socket_address: {{ address: "{host}", port_value: {port} }} }}
"#
    )
}

const TLS: &str = r#"    transport_socket:
      name: envoy.transport_sockets.tls
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
"#;

#[cfg(test)]
mod tests {
    use crate::proxy_config::fixture;
    use crate::proxy_config::snippet::{Program, snippet};

    #[test]
    fn envoy_gets_this_text() {
        let text = snippet(Program::Envoy, &fixture::homelab(), "grafana").unwrap();
        insta::assert_snapshot!(text, @r#"
        # Written by Doorward for app `grafana`. The proxy's address belongs in `trusted-proxies`.
        # Into the `http_connection_manager` of the listener. Decisions are asked for at `listen-envoy`, to
        # which no route may lead. Envoy older than 1.28 tells its own address there as the client's: add
        # it to `trusted-proxies`.
        use_remote_address: true
        common_http_protocol_options:
          # A client's `Remote_User` is `Remote-User` to many servers.
          headers_with_underscores_action: REJECT_REQUEST
        upgrade_configs:
          - upgrade_type: websocket
        http_filters:
          - name: envoy.filters.http.header_mutation
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
              mutations:
                request_mutations:
                  # Only Doorward says who somebody is and what was asked for.
                  - remove: remote-user
                  - remove: remote-groups
                  - remove: remote-name
                  - remove: remote-email
                  - remove: x-webauth-user
                  - remove: remote_user
                  - remove: remote_groups
                  - remove: remote_name
                  - remove: remote_email
                  - remove: x_webauth_user
                  - remove: x-forwarded-host
                  - remove: x-forwarded-method
                  - remove: x-forwarded-uri
                  - remove: x-http-method-override
                  - remove: x-original-host
                  - remove: x-original-method
                  - remove: x-original-uri
                  - remove: x-original-url
                  - remove: x-rewrite-url
          - name: envoy.filters.http.ext_authz
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
              transport_api_version: V3
              failure_mode_allow: false
              # No answer, or 503 from Doorward: 503, and not the 403 of somebody who may not come in.
              status_on_error: { code: ServiceUnavailable }
              allowed_headers:
                patterns:
                  - exact: accept
                  - exact: access-control-request-headers
                  - exact: access-control-request-method
                  - exact: cookie
                  - exact: origin
                  - exact: referer
                  - exact: sec-fetch-dest
                  - exact: sec-fetch-mode
                  - exact: sec-fetch-site
                  - exact: sec-websocket-key
                  - exact: x-forwarded-for
                  - exact: x-forwarded-proto
              http_service:
                path_prefix: /auth/envoy
                server_uri:
                  uri: http://127.0.0.1:9002
                  cluster: doorward_decisions
                  timeout: 5s
                authorization_response:
                  allowed_upstream_headers:
                    patterns:
                      - ignore_case: true
                        exact: remote-user
                      - ignore_case: true
                        exact: remote-groups
                      - ignore_case: true
                        exact: remote-name
                      - ignore_case: true
                        exact: remote-email
                      - ignore_case: true
                        exact: x-webauth-user
                      - ignore_case: true
                        exact: authorization
                      - ignore_case: true
                        exact: cookie
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
        route_config:
          name: doorward
          virtual_hosts:
            - name: app_0
              domains:
                - "grafana.example.com"
              routes:
                - match: { prefix: /outpost.goauthentik.io/auth/ }
                  direct_response: { status: 404 }
                - match: { prefix: /.doorward/ }
                  route: { cluster: doorward }
                  typed_per_filter_config:
                    envoy.filters.http.ext_authz:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
                      disabled: true
                - match: { prefix: /outpost.goauthentik.io/ }
                  route: { cluster: doorward }
                  typed_per_filter_config:
                    envoy.filters.http.ext_authz:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
                      disabled: true
                - match: { prefix: / }
                  route: { cluster: app_0 }

        # Into `static_resources.clusters`:
        clusters:
          - name: doorward
            type: STRICT_DNS
            load_assignment:
              cluster_name: doorward
              endpoints:
                - lb_endpoints:
                    - endpoint:
                        address: { socket_address: { address: "127.0.0.1", port_value: 9000 } }
          - name: doorward_decisions
            type: STRICT_DNS
            load_assignment:
              cluster_name: doorward_decisions
              endpoints:
                - lb_endpoints:
                    - endpoint:
                        address: { socket_address: { address: "127.0.0.1", port_value: 9002 } }
          - name: app_0
            type: STRICT_DNS
            load_assignment:
              cluster_name: app_0
              endpoints:
                - lb_endpoints:
                    - endpoint:
                        address: { socket_address: { address: "10.0.20.30", port_value: 3000 } }
        "#);
    }
}
