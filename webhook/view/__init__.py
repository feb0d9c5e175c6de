"""The read side of image streams: what admission looks names up in."""
