"""The outside world on loopback: RAP controller, GitHub, OpenCodelists, Slack and a mail server.

``make run`` and the tests start it so that the application itself needs no stand-ins: it
speaks to real sockets, over the real protocols, and finds out about real faults (see
``simulator.control``). Start it with ``python -m simulator --port 8001``.
"""
