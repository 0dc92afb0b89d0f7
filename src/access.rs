//! The only place that grants.
