"""The network, its layers and its objective."""
