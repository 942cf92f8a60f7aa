"""The simulated RAP controller (spec: rap 1): its HTTP interface, its rules and its backends' agents."""
