"""Generic Kubernetes API machinery, pure: it knows nothing of images and opens no socket."""
