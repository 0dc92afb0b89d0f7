//! The control socket, health and metrics.
