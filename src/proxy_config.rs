//! Configuration for reverse proxies.
