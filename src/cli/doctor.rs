//! `doorward doctor`.

use std::path::PathBuf;

use clap::Args;
use http::Method;

use super::{Installation, socket};
use crate::app::control::Ask;
use crate::app::doctor::{Wanted, examine};
use crate::blueprint::render::Format;
use crate::clock::Clock;
use crate::model::web_url::WebUrl;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  doorward doctor\n  doorward doctor https://grafana.example.com\n  doorward doctor --traefik-api http://127.0.0.1:8080\n\nExit codes: 0 without errors, 1 otherwise."
)]
pub struct Doctor {
    /// The address of an application: visited without a session, and the answer judged
    #[arg(value_name = "URL", value_parser = WebUrl::parse)]
    url: Option<WebUrl>,
    /// Where Traefik's API answers: looks for routers without the middleware
    #[arg(long, value_name = "URL", value_parser = WebUrl::parse)]
    traefik_api: Option<WebUrl>,
    /// A middleware file of your own for Traefik, to compare with what is needed
    #[arg(long, value_name = "FILE")]
    middleware: Option<PathBuf>,
    #[command(flatten)]
    at: Installation,
    /// Print everything for scripts (doorward.doctor/1)
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub fn run(self) -> anyhow::Result<u8> {
        let (options, places) = (self.at.options(), socket::places(&self.at)?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let report = runtime.block_on(async {
            let asked =
                socket::ask(&places.control, Method::GET, "/status", &Ask::default()).await?;
            let wanted = Wanted {
                url: self.url,
                traefik_api: self.traefik_api,
                middleware: self.middleware,
                status: asked.map(|answer| answer.json),
            };
            anyhow::Ok(examine(&options, &places, &wanted, Clock::machine().now()).await?)
        });
        // A resolver without a network may still wait, long after we have given up on it.
        runtime.shutdown_background();
        let report = report?;
        if self.json {
            super::print_json(&report.json())?;
        } else {
            let style = super::style(Format::Human, &std::io::stdout());
            super::print(&report.text(style.colour))?;
        }
        Ok(report.exit_code())
    }
}
