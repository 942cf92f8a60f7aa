"""Changes of the world, one module per aggregate.

An action takes a session and the acting person, never a request; it writes its audit
event and defers its tasks in the session's transaction, and leaves the commit to its caller.
"""
