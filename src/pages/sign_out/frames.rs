//! Opens the addresses by which applications forget a browser (OIDC Front-Channel Logout §3), and goes on.
//! The page is no template's: what it holds is for these applications alone.

use axum::body::Body;
use http::Response;
use url::Url;

use crate::pages::plain::{Plain, escaped};
use crate::pages::visit::Visit;

/// Goes on when every frame has loaded, or after three seconds; where no script runs there is a link.
const SCRIPT: &str = "const go=()=>location.replace(document.links[0].href);\
    let left=document.getElementsByTagName('iframe').length;\
    document.addEventListener('load',e=>{if(e.target.tagName==='IFRAME'&&--left===0)go()},true);\
    setTimeout(go,3000)";

/// The page with its frames, which leads to `next`.
pub fn page(visit: &Visit<'_>, addresses: &[String], next: &str) -> Response<Body> {
    let say = |key: &str| visit.say(key, None).unwrap_or_default();
    let frames: String = addresses
        .iter()
        .map(|address| {
            format!(
                "<iframe src=\"{}\" hidden title=\"\" sandbox=\"allow-scripts allow-same-origin\"></iframe>\n",
                escaped(address)
            )
        })
        .collect();
    let mut origins: Vec<String> = addresses
        .iter()
        .filter_map(|address| Some(Url::parse(address).ok()?.origin().ascii_serialization()))
        .collect();
    origins.sort_unstable();
    origins.dedup();
    let main = format!(
        "<p>{}</p>\n<p><a href=\"{}\">{}</a></p>\n",
        escaped(&say("signed-out.what")),
        escaped(next),
        escaped(&say("back-to-app.submit")),
    );
    Plain {
        language: &visit.language(None),
        title: &say("signed-out.title"),
        main: &main,
        rest: &frames,
        script: SCRIPT,
        policy: &format!("frame-src {}; ", origins.join(" ")),
    }
    .response()
}
