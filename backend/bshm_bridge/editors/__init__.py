"""Editors found on this machine and the plugin in each."""
