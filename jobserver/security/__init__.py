"""Who may do what: roles, permissions, the caller's identity, sessions and sign-in."""
