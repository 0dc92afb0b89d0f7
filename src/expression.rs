//! CEL: parsed, type-checked against a catalogue, compiled and evaluated.
