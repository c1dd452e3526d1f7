"""Model files and the manifests that describe them."""
