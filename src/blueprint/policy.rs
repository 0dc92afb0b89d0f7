//! `policy`: named conditions.

use std::time::Duration;

use super::decode;
use super::source::{Name, Span, Spanned};
use super::tree::Node;
use crate::model::factor::Factor;
use crate::model::network::Network;
use crate::model::time_window::TimeWindow;

/// All parts must hold.
#[derive(Clone, Debug)]
pub struct Policy {
    pub slug: Name,
    pub formerly: Option<Name>,
    pub parts: Vec<Part>,
    pub at: Span,
}

/// One condition and where it stands.
#[derive(Clone, Debug)]
pub struct Part {
    pub condition: Condition,
    pub at: Span,
}

#[derive(Clone, Debug)]
pub enum Condition {
    /// A second factor was proven: one of `kinds` (any if empty), `within` the time if given.
    Mfa {
        kinds: Vec<Factor>,
        within: Option<Duration>,
    },
    /// The client's address lies in one of these.
    Network(Vec<Network>),
    Time(TimeWindow),
    Cel(Spanned<String>),
    Attribute {
        key: String,
        test: AttributeTest,
    },
    Reputation {
        min: i64,
    },
    /// Member of one of these.
    Group(Vec<Name>),
    Use(Name),
    /// One of these holds.
    Any(Vec<Part>),
    /// None of these holds.
    Not(Vec<Part>),
}

#[derive(Clone, Debug)]
pub enum AttributeTest {
    Equals(String),
    /// The whole value matches.
    Matches(Spanned<String>),
}

impl Policy {
    pub(super) fn from_node(node: &Node) -> Option<Self> {
        Some(Self {
            slug: decode::name(node)?,
            formerly: decode::prop_name(node, "formerly"),
            parts: parts(node),
            at: node.head(),
        })
    }
}

fn parts(node: &Node) -> Vec<Part> {
    node.kids.iter().filter_map(part).collect()
}

fn part(node: &Node) -> Option<Part> {
    let condition = match node.name.text.as_str() {
        "mfa" => Condition::Mfa { kinds: factors(node), within: decode::duration(node) },
        "network" => Condition::Network(networks(node)),
        "time" => Condition::Time(time(node)?),
        "cel" => Condition::Cel(decode::name(node)?),
        "attribute" => {
            Condition::Attribute { key: decode::name(node)?.value, test: attribute_test(node)? }
        }
        "reputation" => Condition::Reputation { min: decode::prop_number(node, "min")? },
        "group" => Condition::Group(decode::words(node)),
        "use" => Condition::Use(decode::name(node)?),
        "any" => Condition::Any(parts(node)),
        "not" => Condition::Not(parts(node)),
        _ => return None,
    };
    Some(Part { condition, at: node.line })
}

fn factors(node: &Node) -> Vec<Factor> {
    [Factor::Webauthn, Factor::Totp]
        .into_iter()
        .filter(|factor| decode::has(node, 0, factor.word()))
        .collect()
}

fn networks(node: &Node) -> Vec<Network> {
    let read = |value| decode::parsed(value, Network::parse);
    node.args.iter().filter_map(read).map(|network| network.value).collect()
}

fn time(node: &Node) -> Option<TimeWindow> {
    let days: Vec<String> = decode::words(node).into_iter().map(|day| day.value).collect();
    let from = decode::prop_text(node, "from").unwrap_or_else(|| "00:00".to_owned());
    let to = decode::prop_text(node, "to").unwrap_or_else(|| "24:00".to_owned());
    TimeWindow::parse(&days.join(" "), &from, &to, &decode::prop_text(node, "tz")?).ok()
}

fn attribute_test(node: &Node) -> Option<AttributeTest> {
    match decode::prop_text(node, "equals") {
        Some(text) => Some(AttributeTest::Equals(text)),
        None => decode::prop_name(node, "matches").map(AttributeTest::Matches),
    }
}
