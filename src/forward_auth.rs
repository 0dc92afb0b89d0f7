//! Forward authentication.
