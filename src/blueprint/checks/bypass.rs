//! `bypass` and `protect-only`: what is open to everybody.

use super::View;
use crate::blueprint::app::{App, Bypass, Proxy};
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::object::Kind;

/// Parts of paths where web sockets usually live.
const SOCKETS: [&str; 5] = ["websocket", "/ws", "socket.io", "/socket", "/signalr"];

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    for app in &view.blueprint.apps {
        for proxy in &app.proxies {
            for bypass in &proxy.bypass {
                one(view, app, bypass, out);
            }
            only_everything(view, app, proxy, out);
        }
    }
}

fn one(view: &View<'_>, app: &App, bypass: &Bypass, out: &mut Diagnostics) {
    let mut everything = false;
    for path in &bypass.paths {
        let text = path.value.as_str();
        if is_everything(text) && bypass.methods.is_empty() {
            everything = true;
            let diagnostic = Diagnostic::error(
                "blueprint::bypass-everything",
                format!("nothing of app `{}` is behind the login", app.slug.value),
            )
            .at(path.span, "takes in every path")
            .help("name the public paths, or write `access { allow everyone }` to let everyone in who is signed in");
            view.report(out, Kind::App, &app.slug.value, diagnostic);
        }
        if SOCKETS.iter().any(|part| text.to_lowercase().contains(part)) {
            let diagnostic = Diagnostic::warning(
                "blueprint::bypass-websocket",
                "this looks like the path of a web socket",
            )
            .at(path.span, "open to everybody on the network")
            .help("handshakes are answered 200, 401 or 403 and never redirected, so no bypass is needed");
            view.report(out, Kind::App, &app.slug.value, diagnostic);
        }
    }
    if bypass.reason.is_none() && !everything {
        let diagnostic =
            Diagnostic::warning("blueprint::bypass-without-reason", "`bypass` without a reason")
                .at(bypass.at, "why may everybody see this?")
                .help("add for example reason=\"dashboards shared by link\"");
        view.report(out, Kind::App, &app.slug.value, diagnostic);
    }
}

fn only_everything(view: &View<'_>, app: &App, proxy: &Proxy, out: &mut Diagnostics) {
    for path in proxy.protect_only.iter().filter(|path| is_everything(path.value.as_str())) {
        let diagnostic =
            Diagnostic::advice("blueprint::protect-everything", "`protect-only` names every path")
                .at(path.span, "as if it were not there")
                .help("leave `protect-only` out");
        view.report(out, Kind::App, &app.slug.value, diagnostic);
    }
}

fn is_everything(glob: &str) -> bool {
    glob.chars().all(|c| c == '*' || c == '/') && glob.contains('*')
}
