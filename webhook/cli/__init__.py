"""The command `imagestreams`: one module per subcommand."""
