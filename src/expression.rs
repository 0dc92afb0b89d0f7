//! CEL: parsed, type-checked against a catalogue, compiled and evaluated.
pub mod catalogue;
pub mod facts;
pub mod program;
