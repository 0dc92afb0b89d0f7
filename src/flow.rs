//! Sign-in as a row of stages with one dispatcher.
