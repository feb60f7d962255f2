"""What LocalStack lacks for Parley without Docker, as LocalStack plugins; runs in LocalStack's own Python.

LocalStack finds the plugins by the entry points in the dist-info folder beside this one, so this folder's
parent only has to be on PYTHONPATH.
"""
