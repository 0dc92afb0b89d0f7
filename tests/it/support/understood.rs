//! Blueprint text, compiled as the server has it.

use doorward::blueprint::builtin;
use doorward::blueprint::load::{Loaded, understand_sources};
use doorward::blueprint::read::Limits;
use doorward::blueprint::source::Sources;
use doorward::blueprint::validate::Mode;
use doorward::runtime::Runtime;
use doorward::runtime::compile::{Inputs, compile};
use doorward::runtime::origin::Addressing;

/// A small installation with this text added.
pub fn runtime(more: &str) -> Runtime {
    let text = super::server::household(more);
    let sources = Sources::single("home.kdl", &text);
    let loaded = understand_sources(sources, &Limits::default(), Mode::default());
    compiled(loaded)
}

/// What was understood without an error, compiled.
pub fn compiled(loaded: Loaded) -> Runtime {
    let inputs = Inputs {
        generation: 0,
        source_digest: String::new(),
        model_digest: String::new(),
        revision: None,
        addressing: Addressing::default(),
        uids: &|_, _| None,
        builtin_flows: &builtin::flows(),
        texts: Default::default(),
        breached_list: None,
        duo: None,
        source_secrets: Default::default(),
        paths: Vec::new(),
    };
    let blueprint = loaded.blueprint.expect("a blueprint without errors");
    compile(blueprint, loaded.sources, inputs).expect("a blueprint that compiles")
}
