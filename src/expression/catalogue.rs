//! placeholder
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    Policy,
    Claim,
    Invariant,
}
