"""The layers, by family; their names are public in `tensorgrad.nn`."""
