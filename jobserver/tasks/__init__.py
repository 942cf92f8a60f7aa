"""What happens behind the pages: each task of :class:`jobserver.queue.Task`, and the worker that runs them.

A task may run more than once (its worker can be killed at any point), so each is safe to repeat.
"""
