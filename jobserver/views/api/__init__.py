"""JSON for programs, ``/api/v2/``: bodies in, answers out, in the shapes that they know."""
