//! A blueprint compiled into the immutable view that requests are answered from.
