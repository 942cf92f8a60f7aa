"""Airlock, played from outside: the calls that it makes to Job Server, and what it makes of the answers.

``python -m simulator.airlock --help``. Unlike the rest of the simulator this is no server but a client.
"""
