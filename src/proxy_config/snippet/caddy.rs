//! Caddy: what `forward_auth` stands for, written out.
//!
//! The short directive copies no empty header, and from 2.10.0 on it then lets the client's own
//! through (GHSA-7r4p-vjf4-gxv4). Written out, the same text is safe in every version.

use super::{Site, UNKNOWN_UPSTREAM, Where};

/// One site block for each address.
pub fn text(reach: &Where, sites: &[Site]) -> String {
    let blocks: Vec<String> = sites.iter().map(|site| block(reach, site)).collect();
    blocks.join("\n")
}

/// What Doorward has to read before it is deleted.
const REPLACED: [&str; 2] = ["Authorization", "Cookie"];

fn block(reach: &Where, site: &Site) -> String {
    let addresses = addresses(site);
    let origin = &reach.origin;
    let deleted: String =
        site.deleted().iter().map(|name| format!("\t\trequest_header -{name}\n")).collect();
    let names = site.copied();
    let copied: String =
        REPLACED.iter().map(|name| format!("\t\t\t\t\trequest_header -{name}\n")).collect();
    let copied: String = copied + &names.iter().map(|name| copy(name)).collect::<String>();
    let upstream = upstream(site);
    format!(
        "{addresses} {{
\troute {{
\t\t# A client's `Connection` could name headers to be dropped on the way.
\t\t@doorward_plain not header Upgrade *
\t\trequest_header @doorward_plain -Connection
\t\t@doorward_upgrade header Upgrade *
\t\trequest_header @doorward_upgrade Connection Upgrade
\t\t# Only Doorward says who somebody is and what was asked for.
{deleted}
\t\t@doorward_decisions path /outpost.goauthentik.io/auth/*
\t\trespond @doorward_decisions 404
\t\t@doorward path /.doorward/* /outpost.goauthentik.io/*
\t\treverse_proxy @doorward {origin}

\t\treverse_proxy {origin} {{
\t\t\tmethod GET
\t\t\trewrite /auth/caddy?
\t\t\theader_up Host {{upstream_hostport}}
\t\t\theader_up X-Forwarded-Method {{method}}
\t\t\theader_up X-Forwarded-Uri {{uri}}
\t\t\t@doorward_allows status 2xx
\t\t\thandle_response @doorward_allows {{
\t\t\t\troute {{
{copied}\t\t\t\t}}
\t\t\t}}
\t\t}}
{upstream}\t}}
}}
"
    )
}

/// Sets one header from the answer, or leaves it away. Caddy 2.6.2 takes what the answer lacks for
/// `<nil>`, and would write the name of the placeholder.
fn copy(name: &str) -> String {
    let matcher = format!("@doorward_{}", name.to_ascii_lowercase().replace('-', "_"));
    let value = format!("{{rp.header.{}}}", canonical(name));
    format!(
        "\t\t\t\t\t{matcher} not vars {value} \"\" \"<nil>\"\n\
         \t\t\t\t\trequest_header {matcher} {name} {value}\n"
    )
}

/// As Go spells header names, and so Caddy its placeholders.
fn canonical(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

fn addresses(site: &Site) -> String {
    let port = site.port.map(|port| format!(":{port}")).unwrap_or_default();
    let scheme = if site.scheme == "http" { "http://" } else { "" };
    let all: Vec<String> = site.hosts.iter().map(|host| format!("{scheme}{host}{port}")).collect();
    all.join(", ")
}

fn upstream(site: &Site) -> String {
    match &site.upstream {
        Some(upstream) => format!("\t\treverse_proxy {}\n", upstream.origin),
        None => format!(
            "\t\t# The blueprint does not say where the app runs: write its address here.\n\
             \t\treverse_proxy {UNKNOWN_UPSTREAM}\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::proxy_config::fixture;
    use crate::proxy_config::snippet::{Program, snippet};

    #[test]
    fn caddy_gets_this_text() {
        let text = snippet(Program::Caddy, &fixture::homelab(), "grafana").unwrap();
        insta::assert_snapshot!(text, @r#"
        # Written by Doorward for app `grafana`. The proxy's address belongs in `trusted-proxies`.
        grafana.example.com {
        	route {
        		# A client's `Connection` could name headers to be dropped on the way.
        		@doorward_plain not header Upgrade *
        		request_header @doorward_plain -Connection
        		@doorward_upgrade header Upgrade *
        		request_header @doorward_upgrade Connection Upgrade
        		# Only Doorward says who somebody is and what was asked for.
        		request_header -Remote-User
        		request_header -Remote-Groups
        		request_header -Remote-Name
        		request_header -Remote-Email
        		request_header -X-WEBAUTH-USER
        		request_header -Remote_User
        		request_header -Remote_Groups
        		request_header -Remote_Name
        		request_header -Remote_Email
        		request_header -X_WEBAUTH_USER
        		request_header -X-Forwarded-Host
        		request_header -X-Forwarded-Method
        		request_header -X-Forwarded-Uri
        		request_header -X-HTTP-Method-Override
        		request_header -X-Original-Host
        		request_header -X-Original-Method
        		request_header -X-Original-URI
        		request_header -X-Original-URL
        		request_header -X-Rewrite-URL

        		@doorward_decisions path /outpost.goauthentik.io/auth/*
        		respond @doorward_decisions 404
        		@doorward path /.doorward/* /outpost.goauthentik.io/*
        		reverse_proxy @doorward http://127.0.0.1:9000

        		reverse_proxy http://127.0.0.1:9000 {
        			method GET
        			rewrite /auth/caddy?
        			header_up Host {upstream_hostport}
        			header_up X-Forwarded-Method {method}
        			header_up X-Forwarded-Uri {uri}
        			@doorward_allows status 2xx
        			handle_response @doorward_allows {
        				route {
        					request_header -Authorization
        					request_header -Cookie
        					@doorward_remote_user not vars {rp.header.Remote-User} "" "<nil>"
        					request_header @doorward_remote_user Remote-User {rp.header.Remote-User}
        					@doorward_remote_groups not vars {rp.header.Remote-Groups} "" "<nil>"
        					request_header @doorward_remote_groups Remote-Groups {rp.header.Remote-Groups}
        					@doorward_remote_name not vars {rp.header.Remote-Name} "" "<nil>"
        					request_header @doorward_remote_name Remote-Name {rp.header.Remote-Name}
        					@doorward_remote_email not vars {rp.header.Remote-Email} "" "<nil>"
        					request_header @doorward_remote_email Remote-Email {rp.header.Remote-Email}
        					@doorward_x_webauth_user not vars {rp.header.X-Webauth-User} "" "<nil>"
        					request_header @doorward_x_webauth_user X-WEBAUTH-USER {rp.header.X-Webauth-User}
        					@doorward_authorization not vars {rp.header.Authorization} "" "<nil>"
        					request_header @doorward_authorization Authorization {rp.header.Authorization}
        					@doorward_cookie not vars {rp.header.Cookie} "" "<nil>"
        					request_header @doorward_cookie Cookie {rp.header.Cookie}
        				}
        			}
        		}
        		reverse_proxy http://10.0.20.30:3000
        	}
        }
        "#);
    }
}
