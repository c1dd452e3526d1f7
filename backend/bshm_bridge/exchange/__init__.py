"""Leased directories through which pixels pass on one machine."""
