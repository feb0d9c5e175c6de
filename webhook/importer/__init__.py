"""Imports: what registries have to say about the images of an ImageStreamImport, and what becomes of the stream."""
