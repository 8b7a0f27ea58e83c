"""The embedded platform: the same kinds of servers as in production, started from packages on one machine.

One module a server says how it is started; `supervision.py` starts and stops; `platform.py` composes them.
Nothing of the platform imports this package but the command line and the tests.
"""
