"""What Parley costs on AWS: prices in one table, and a model of what uses them; `python -m infra.costs`."""
