"""The API server: image.openshift.io/v1 over a store, and the sandbox kinds of the standalone mode."""
