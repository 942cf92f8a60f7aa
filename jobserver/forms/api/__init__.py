"""The bodies of JSON requests: one model for each, and how what is wrong with one is told."""
