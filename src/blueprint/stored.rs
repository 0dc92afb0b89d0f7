//! Blueprints as generations keep them.

use std::collections::HashMap;
use std::sync::Arc;

use super::flow::Flow;
use super::load::{Loaded, understand_sources};
use super::read::Limits;
use super::source::Sources;
use super::validate::Mode;

/// Understands the stored files of a generation; `None` if the text is none of ours.
#[must_use]
pub fn understand(sources: &str, mode: Mode) -> Option<Loaded> {
    let sources: Sources = serde_json::from_str(sources).ok()?;
    Some(understand_sources(sources, &Limits::default(), mode))
}

/// The flows of stored files with the built-in ones, and the files.
#[must_use]
pub fn flows(sources: &str) -> Option<(HashMap<String, Arc<Flow>>, Sources)> {
    let loaded =
        understand(sources, Mode { dev: true, allow_raw_routers: true, ..Mode::default() })?;
    let declared = loaded.blueprint?.flows;
    let all = super::builtin::flows().into_iter().chain(declared);
    Some((all.map(|flow| (flow.slug.value.clone(), Arc::new(flow))).collect(), loaded.sources))
}
