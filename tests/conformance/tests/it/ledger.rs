//! Which test holds which requirement of `spec/requirements.toml`.
