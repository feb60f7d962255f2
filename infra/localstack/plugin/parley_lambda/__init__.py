"""Plugins for what LocalStack lacks to run Parley without Docker; they run in LocalStack's own Python.

LocalStack finds the plugins by the entry points in the dist-info folder beside this one, so only this
folder's parent has to be on PYTHONPATH.
"""
