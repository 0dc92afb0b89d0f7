//! nginx: `auth_request`, whose answers are 2xx, 401 and 403 only.

use super::{Site, UNKNOWN_UPSTREAM, Where};

/// One `server` block for each address.
pub fn text(reach: &Where, sites: &[Site]) -> String {
    let servers: Vec<String> = sites.iter().map(|site| server(reach, site)).collect();
    format!("{HEAD}{}", servers.join("\n"))
}

const HEAD: &str = "\
# Add your `listen` and `ssl_certificate` lines. nginx needs its auth_request module (Debian has it).
# `underscores_in_headers` has to be off in the default server of the port as well; it is unless
# somebody turned it on. With it nginx drops a client's `Remote_User`, which many servers take for
# `Remote-User`.
";

fn server(reach: &Where, site: &Site) -> String {
    let names = site.hosts.join(" ");
    let target_host = target_host(site);
    let origin = &reach.origin;
    let scheme = &site.scheme;
    let decision = cleaned(site, DECISION_KEEPS);
    let own = cleaned(site, OWN_KEEPS);
    let protected = protected(site);
    format!(
        r#"server {{
    server_name {names};
    underscores_in_headers off;

    # The client's own `Connection` goes nowhere: it could name headers to be dropped.
    set $doorward_connection "";
    if ($http_upgrade ~* "^websocket$") {{ set $doorward_connection "upgrade"; }}
    # A redirect is for navigations alone; everything else gets the 401.
    set $doorward_navigation "";
    if ($http_accept ~* "^text/html") {{ set $doorward_navigation "yes"; }}
    if ($http_sec_fetch_mode) {{ set $doorward_navigation ""; }}
    if ($http_sec_fetch_mode = "navigate") {{ set $doorward_navigation "yes"; }}
    if ($http_upgrade) {{ set $doorward_navigation ""; }}

    location = /.doorward/decision {{
        internal;
        proxy_pass {origin}/auth/nginx;
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
        proxy_set_header Host $proxy_host;
        proxy_set_header Connection "";
        proxy_set_header Upgrade "";
        proxy_set_header X-Original-Method $request_method;
        proxy_set_header X-Original-URL {scheme}://{target_host}$request_uri;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto {scheme};
{decision}    }}

    location @doorward_sign_in {{
        add_header Set-Cookie $doorward_set_cookie always;
        add_header Cache-Control no-store always;
        add_header Location $doorward_location always;
        if ($doorward_location = "") {{ set $doorward_navigation ""; }}
        if ($doorward_navigation) {{
            add_header Set-Cookie $doorward_set_cookie always;
            add_header Cache-Control no-store always;
            return 303 $doorward_location;
        }}
        return 401;
    }}

    location /.doorward/ {{
        proxy_pass {origin};
        proxy_set_header Host {target_host};
        proxy_set_header Connection "";
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Host {target_host};
        proxy_set_header X-Forwarded-Proto {scheme};
{own}    }}

    location /outpost.goauthentik.io/ {{
        proxy_pass {origin};
        proxy_set_header Host {target_host};
        proxy_set_header Connection "";
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Host {target_host};
        proxy_set_header X-Forwarded-Proto {scheme};
{own}    }}

    location /outpost.goauthentik.io/auth/ {{
        return 404;
    }}

{protected}}}
"#
    )
}

/// What the sub-request sets itself.
const DECISION_KEEPS: &[&str] = &["X-Original-Method", "X-Original-URL"];
const OWN_KEEPS: &[&str] = &["X-Forwarded-Host"];

/// The host as the blueprint has it; the client's only where a pattern leaves it open.
fn target_host(site: &Site) -> String {
    let Some(host) = site.only_host() else { return "$host".to_owned() };
    site.port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn protected(site: &Site) -> String {
    let mut out = String::from(
        "    location / {
        auth_request /.doorward/decision;
        auth_request_set $doorward_location $upstream_http_location;
        auth_request_set $doorward_set_cookie $upstream_http_set_cookie;
        error_page 401 = @doorward_sign_in;

        # Every name is set from Doorward's answer; an empty one is not passed on at all.
",
    );
    for name in site.copied() {
        let folded = name.to_ascii_lowercase().replace('-', "_");
        out.push_str(&format!(
            "        auth_request_set $doorward_header_{folded} $upstream_http_{folded};\n        \
             proxy_set_header {name} $doorward_header_{folded};\n"
        ));
    }
    out.push_str(&format!(
        "
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $doorward_connection;
        proxy_set_header Host {host};
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Host {host};
        proxy_set_header X-Forwarded-Proto {};
{}",
        site.scheme,
        cleaned_targets(OWN_KEEPS),
        host = target_host(site),
    ));
    match &site.upstream {
        Some(upstream) => out.push_str(&format!("        proxy_pass {};\n", upstream.origin)),
        None => out.push_str(&format!(
            "        # The blueprint does not say where the app runs: write its address here.\n        \
             proxy_pass {UNKNOWN_UPSTREAM};\n"
        )),
    }
    out.push_str("    }\n");
    out
}

/// Lines that keep from Doorward what only Doorward says, and other targets.
fn cleaned(site: &Site, but: &[&str]) -> String {
    let names = site.names.iter().filter(|name| !super::is_repeated(name));
    let own: String = names.map(|name| emptied(name)).collect();
    own + &cleaned_targets(but)
}

fn cleaned_targets(but: &[&str]) -> String {
    let targets = crate::proxy_config::identity_headers::NOT_FROM_CLIENTS;
    targets.iter().filter(|name| !but.contains(name)).map(|name| emptied(name)).collect()
}

fn emptied(name: &str) -> String {
    format!("        proxy_set_header {name} \"\";\n")
}

#[cfg(test)]
mod tests {
    use crate::proxy_config::fixture;
    use crate::proxy_config::snippet::{Program, snippet};

    #[test]
    fn nginx_gets_this_text() {
        let text = snippet(Program::Nginx, &fixture::homelab(), "grafana").unwrap();
        insta::assert_snapshot!(text, @r#"
        # Written by Doorward for app `grafana`. The proxy's address belongs in `trusted-proxies`.
        # Add your `listen` and `ssl_certificate` lines. nginx needs its auth_request module (Debian has it).
        # `underscores_in_headers` has to be off in the default server of the port as well; it is unless
        # somebody turned it on. With it nginx drops a client's `Remote_User`, which many servers take for
        # `Remote-User`.
        server {
            server_name grafana.example.com;
            underscores_in_headers off;

            # The client's own `Connection` goes nowhere: it could name headers to be dropped.
            set $doorward_connection "";
            if ($http_upgrade ~* "^websocket$") { set $doorward_connection "upgrade"; }
            # A redirect is for navigations alone; everything else gets the 401.
            set $doorward_navigation "";
            if ($http_accept ~* "^text/html") { set $doorward_navigation "yes"; }
            if ($http_sec_fetch_mode) { set $doorward_navigation ""; }
            if ($http_sec_fetch_mode = "navigate") { set $doorward_navigation "yes"; }
            if ($http_upgrade) { set $doorward_navigation ""; }

            location = /.doorward/decision {
                internal;
                proxy_pass http://127.0.0.1:9000/auth/nginx;
                proxy_pass_request_body off;
                proxy_set_header Content-Length "";
                proxy_set_header Host $proxy_host;
                proxy_set_header Connection "";
                proxy_set_header Upgrade "";
                proxy_set_header X-Original-Method $request_method;
                proxy_set_header X-Original-URL https://grafana.example.com$request_uri;
                proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                proxy_set_header X-Forwarded-Proto https;
                proxy_set_header Remote-User "";
                proxy_set_header Remote-Groups "";
                proxy_set_header Remote-Name "";
                proxy_set_header Remote-Email "";
                proxy_set_header X-WEBAUTH-USER "";
                proxy_set_header X-Forwarded-Host "";
                proxy_set_header X-Forwarded-Method "";
                proxy_set_header X-Forwarded-Uri "";
                proxy_set_header X-HTTP-Method-Override "";
                proxy_set_header X-Original-Host "";
                proxy_set_header X-Original-URI "";
                proxy_set_header X-Rewrite-URL "";
            }

            location @doorward_sign_in {
                add_header Set-Cookie $doorward_set_cookie always;
                add_header Cache-Control no-store always;
                add_header Location $doorward_location always;
                if ($doorward_location = "") { set $doorward_navigation ""; }
                if ($doorward_navigation) {
                    add_header Set-Cookie $doorward_set_cookie always;
                    add_header Cache-Control no-store always;
                    return 303 $doorward_location;
                }
                return 401;
            }

            location /.doorward/ {
                proxy_pass http://127.0.0.1:9000;
                proxy_set_header Host grafana.example.com;
                proxy_set_header Connection "";
                proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                proxy_set_header X-Forwarded-Host grafana.example.com;
                proxy_set_header X-Forwarded-Proto https;
                proxy_set_header Remote-User "";
                proxy_set_header Remote-Groups "";
                proxy_set_header Remote-Name "";
                proxy_set_header Remote-Email "";
                proxy_set_header X-WEBAUTH-USER "";
                proxy_set_header X-Forwarded-Method "";
                proxy_set_header X-Forwarded-Uri "";
                proxy_set_header X-HTTP-Method-Override "";
                proxy_set_header X-Original-Host "";
                proxy_set_header X-Original-Method "";
                proxy_set_header X-Original-URI "";
                proxy_set_header X-Original-URL "";
                proxy_set_header X-Rewrite-URL "";
            }

            location /outpost.goauthentik.io/ {
                proxy_pass http://127.0.0.1:9000;
                proxy_set_header Host grafana.example.com;
                proxy_set_header Connection "";
                proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                proxy_set_header X-Forwarded-Host grafana.example.com;
                proxy_set_header X-Forwarded-Proto https;
                proxy_set_header Remote-User "";
                proxy_set_header Remote-Groups "";
                proxy_set_header Remote-Name "";
                proxy_set_header Remote-Email "";
                proxy_set_header X-WEBAUTH-USER "";
                proxy_set_header X-Forwarded-Method "";
                proxy_set_header X-Forwarded-Uri "";
                proxy_set_header X-HTTP-Method-Override "";
                proxy_set_header X-Original-Host "";
                proxy_set_header X-Original-Method "";
                proxy_set_header X-Original-URI "";
                proxy_set_header X-Original-URL "";
                proxy_set_header X-Rewrite-URL "";
            }

            location /outpost.goauthentik.io/auth/ {
                return 404;
            }

            location / {
                auth_request /.doorward/decision;
                auth_request_set $doorward_location $upstream_http_location;
                auth_request_set $doorward_set_cookie $upstream_http_set_cookie;
                error_page 401 = @doorward_sign_in;

                # Every name is set from Doorward's answer; an empty one is not passed on at all.
                auth_request_set $doorward_header_remote_user $upstream_http_remote_user;
                proxy_set_header Remote-User $doorward_header_remote_user;
                auth_request_set $doorward_header_remote_groups $upstream_http_remote_groups;
                proxy_set_header Remote-Groups $doorward_header_remote_groups;
                auth_request_set $doorward_header_remote_name $upstream_http_remote_name;
                proxy_set_header Remote-Name $doorward_header_remote_name;
                auth_request_set $doorward_header_remote_email $upstream_http_remote_email;
                proxy_set_header Remote-Email $doorward_header_remote_email;
                auth_request_set $doorward_header_x_webauth_user $upstream_http_x_webauth_user;
                proxy_set_header X-WEBAUTH-USER $doorward_header_x_webauth_user;
                auth_request_set $doorward_header_authorization $upstream_http_authorization;
                proxy_set_header Authorization $doorward_header_authorization;
                auth_request_set $doorward_header_cookie $upstream_http_cookie;
                proxy_set_header Cookie $doorward_header_cookie;

                proxy_http_version 1.1;
                proxy_set_header Upgrade $http_upgrade;
                proxy_set_header Connection $doorward_connection;
                proxy_set_header Host grafana.example.com;
                proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                proxy_set_header X-Forwarded-Host grafana.example.com;
                proxy_set_header X-Forwarded-Proto https;
                proxy_set_header X-Forwarded-Method "";
                proxy_set_header X-Forwarded-Uri "";
                proxy_set_header X-HTTP-Method-Override "";
                proxy_set_header X-Original-Host "";
                proxy_set_header X-Original-Method "";
                proxy_set_header X-Original-URI "";
                proxy_set_header X-Original-URL "";
                proxy_set_header X-Rewrite-URL "";
                proxy_pass http://10.0.20.30:3000;
            }
        }
        "#);
    }
}
