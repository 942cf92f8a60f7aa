"""The viewer: a set of released files as a tree, and one of them beside it (spec: pages 18, airlock 9)."""
