//! The provider against the sandbox, which checks as strictly as Meta does.
