"""The derivations that the report displays, one module a subject.

Each is a chain of expressions: the chapters print it, ``verification.verify`` checks it, and the tests plant
errors in it.
"""
