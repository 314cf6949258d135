"""Devices, files and the console: imports nothing of ours but errors."""
