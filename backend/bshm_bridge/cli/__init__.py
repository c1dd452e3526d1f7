"""The ``bshm`` command: one module per subcommand."""
