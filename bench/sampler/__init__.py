"""A folder for PYTHONPATH, with which the processes of a server sample their own stacks."""
