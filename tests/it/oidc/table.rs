//! Every grant × client × app × person × rule × expiry × reuse: exactly the right cells are given tokens
//! (`security.md` 14, 15, 18).
//!
//! One server holds them all. Everybody and every app is good at first, and whatever is presented later is
//! given then; one reload, a sign-out and a new password make them what their names say; then all is
//! presented.

use super::*;
use crate::support::stores::{on_postgres_server, on_sqlite_server};

/// The dimensions, and which of their combinations make sense.
mod cell;
/// What is expected, by the words of the specifications.
mod expected;
/// Bringing a pushed request.
mod pushed;
/// The server, its people and its apps.
mod world;

use cell::{Asks, Cell, Expiry, Grant, Presented, Reuse};
use expected::Expected;
use world::{Given, World};

/// All that ran, and those of them that were given tokens. Of two apps (with a secret and without), two people
/// (of them one by a second factor) enter where the rules let in, and one where they want that factor: 6 codes
/// and 6 pushed requests, each fresh and for the first time; 18 refresh tokens, since a lost answer comes
/// again even when the token has run out since. Whoever signed out is let in by what outlives a sign-in:
/// 8 devices, 24 refresh tokens. One app asks for itself, twice.
const COUNTS: (usize, usize) = (3998, 6 + 6 + 18 + 8 + 24 + 2);

#[test]
fn exactly_the_right_cells_are_given_tokens() {
    on_sqlite_server(every_cell);
}

#[test]
fn exactly_the_right_cells_are_given_tokens_on_postgres() {
    on_postgres_server(every_cell);
}

fn every_cell(state: &[&str]) {
    let world = World::new(state);
    let given = world.give(Presented::all());
    pushed::is_for_a_minute_and_a_half(&world);
    world.turn();
    world.let_time_pass(&given);
    let outcomes = world.each(&given, present);
    let wrong: Vec<String> = outcomes.iter().filter_map(Outcome::complaint).collect();
    assert!(wrong.is_empty(), "{} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
    let succeeded = outcomes.iter().filter(|outcome| outcome.found == expected::TOKENS).count();
    println!("{} cells, {succeeded} of them with tokens", outcomes.len());
    assert_eq!((outcomes.len(), succeeded), COUNTS);
}

/// What came of one cell.
#[derive(Clone)]
struct Outcome {
    cell: Cell,
    /// `tokens`, or the name of the error.
    found: String,
    /// What it says beside its name.
    words: String,
    /// What else was wrong.
    beside: Option<String>,
}

impl Outcome {
    fn complaint(&self) -> Option<String> {
        let Expected { name, words, why } = Expected::of(&self.cell);
        let fits = words.is_empty() || words.iter().any(|part| self.words.contains(part));
        if self.found == name && fits && self.beside.is_none() {
            return None;
        }
        let beside = self.beside.as_deref().unwrap_or_default();
        Some(format!(
            "{:?}\n  expected {name}, since {why}\n  found {}: {} {beside}",
            self.cell, self.found, self.words
        ))
    }
}

/// Presents one thing as each client that makes sense, the right one last: the others use nothing up.
fn present(world: &World, given: &Given) -> Vec<Outcome> {
    let asks = given.what.asks();
    asks.into_iter().map(|asks| present_as(world, given, asks)).collect()
}

fn present_as(world: &World, given: &Given, asks: Asks) -> Outcome {
    let cell = Cell { what: given.what, asks };
    let (found, words, token) = match cell.what.grant {
        Grant::Pushed => pushed::bring(world, given, asks),
        _ => read(&world.ask(&cell, &given.text)),
    };
    let beside = match &token {
        Some(token) => opens(world, &cell, token),
        None => is_over(world, &cell, given),
    };
    Outcome { cell, found, words, beside }
}

fn read(answer: &Answer) -> (String, String, Option<String>) {
    let told = json(answer);
    let part = |name: &str| told.get(name).and_then(Value::as_str).map(str::to_owned);
    match answer.status {
        200 => (expected::TOKENS.to_owned(), String::new(), part("access_token")),
        _ => {
            let name = part("error").unwrap_or_else(|| answer.status.to_string());
            (name, part("error_description").unwrap_or_default(), None)
        }
    }
}

/// Tokens that were given open what they are for.
fn opens(world: &World, cell: &Cell, token: &str) -> Option<String> {
    let wanted = if cell.what.grant == Grant::Itself { 403 } else { 200 };
    let status = userinfo(&world.server, token).status;
    (status != wanted).then(|| format!("and what was given opens with {status}"))
}

/// Whoever it belongs to brought it too often: what came of it before opens nothing any more
/// (RFC 6749 §4.1.2, RFC 9700 §4.14.2).
fn is_over(world: &World, cell: &Cell, given: &Given) -> Option<String> {
    let earlier = given.earlier.as_ref().filter(|_| expected::ends_the_family(cell))?;
    let status = userinfo(&world.server, earlier).status;
    (status != 401).then(|| format!("and what came of it before opens with {status}"))
}
