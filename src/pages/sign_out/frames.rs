//! Opens the addresses by which applications forget a browser (OIDC Front-Channel Logout §3), and goes on.
//! The page is no template's: what it holds is for these applications alone.

use axum::body::Body;
use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderValue, Response, StatusCode};
use url::Url;

use crate::pages::plain::{STYLE, digest_source, escaped};
use crate::pages::visit::Visit;
use crate::web::reply;

/// Goes on when every frame has loaded, or after three seconds; where no script runs there is a link.
const SCRIPT: &str = "const go=()=>location.replace(document.links[0].href);\
    let left=document.getElementsByTagName('iframe').length;\
    document.addEventListener('load',e=>{if(e.target.tagName==='IFRAME'&&--left===0)go()},true);\
    setTimeout(go,3000)";

/// The page with its frames, which leads to `next`.
pub fn page(visit: &Visit<'_>, addresses: &[String], next: &str) -> Response<Body> {
    let say = |key: &str| escaped(&visit.say(key, None).unwrap_or_default());
    let frames: String = addresses
        .iter()
        .map(|address| {
            format!(
                "<iframe src=\"{}\" hidden title=\"\" sandbox=\"allow-scripts allow-same-origin\"></iframe>\n",
                escaped(address)
            )
        })
        .collect();
    let html = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<p>{}</p>\n\
         <p><a href=\"{}\">{}</a></p>\n</main>\n{frames}<script>{SCRIPT}</script>\n</body>\n</html>\n",
        escaped(&visit.language(None)),
        say("signed-out.what"),
        escaped(next),
        say("back-to-app.submit"),
        title = say("signed-out.title"),
    );
    let mut response = reply::text(StatusCode::OK, "text/html; charset=utf-8", html);
    let mut origins: Vec<String> = addresses
        .iter()
        .filter_map(|address| Some(Url::parse(address).ok()?.origin().ascii_serialization()))
        .collect();
    origins.sort_unstable();
    origins.dedup();
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; frame-src {}; base-uri 'none'; frame-ancestors 'none'",
        digest_source(SCRIPT),
        digest_source(STYLE),
        origins.join(" ")
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}
