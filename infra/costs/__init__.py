"""The costs of Parley on AWS: one table of prices, and a model of their use; `python -m infra.costs`."""
