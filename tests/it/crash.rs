//! Power cuts: the process is killed in the middle of its work, again and again. What was
//! acknowledged is there afterwards, and what was not is there whole or not at all.

mod edits;
mod removals;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::support::server::Server;

const PASSWORD: &str = "quiet-lantern-42-river";

/// Numbers that are the same at every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// Lets both go on for a while and kills the server under them. Each is told when to stop.
fn cut_off(
    server: &mut Server,
    after: Duration,
    one: impl FnOnce(&Server, &AtomicBool) + Send,
    other: impl FnOnce(&Server, &AtomicBool) + Send,
) {
    let stop = AtomicBool::new(false);
    let process = server.take();
    std::thread::scope(|scope| {
        let (server, stop) = (&*server, &stop);
        scope.spawn(move || one(server, stop));
        scope.spawn(move || other(server, stop));
        std::thread::park_timeout(after);
        drop(process);
        stop.store(true, Ordering::Relaxed);
    });
}

fn generation(said: &Value) -> i64 {
    said.get("generation").and_then(Value::as_i64).expect("a generation")
}
