"""The clients that are compared. Each module has a class `Player`, which lives in a process of its own.

Its methods take how often to do something, and return when that is done: `get` one instance, one after another;
`get_at_once`, 64 at once; `get_by_few`, 8 at once; `list` all instances with their state; `life`, the five steps of a
short life, for which it returns how long each step took. Everything that a program does once, such as connecting, is
done before.
"""
