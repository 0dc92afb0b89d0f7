//! `doorward snippet`.

use clap::Args;

use super::Installation;
use crate::proxy_config::snippet as make;

#[derive(Debug, Args)]
pub struct Snippet {
    /// The proxy
    #[arg(value_name = "PROXY", value_enum)]
    proxy: Proxy,
    /// The app, such as app:grafana
    #[arg(value_name = "APP")]
    app: String,
    #[command(flatten)]
    at: Installation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Proxy {
    Nginx,
    Caddy,
    Envoy,
}

impl Snippet {
    pub fn run(self) -> anyhow::Result<u8> {
        let (blueprint, _) = super::blueprint(&self.at)?;
        let slug = self.app.strip_prefix("app:").unwrap_or(&self.app);
        let proxy = match self.proxy {
            Proxy::Nginx => make::Program::Nginx,
            Proxy::Caddy => make::Program::Caddy,
            Proxy::Envoy => make::Program::Envoy,
        };
        let text = make::snippet(proxy, &blueprint, slug)?;
        super::print(&text)?;
        Ok(0)
    }
}
