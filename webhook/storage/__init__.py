"""Where objects live: one `Store` protocol with an in-memory and an SQLite implementation."""
