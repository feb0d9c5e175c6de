"""Controllers: they watch the API and write through it, like anybody else who may."""
