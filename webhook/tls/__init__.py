"""Who this server is on the wire: its own authority, its certificates, and the context that serves them."""
