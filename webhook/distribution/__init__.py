"""A client of container registries (the distribution protocol), as far as imports need one."""
