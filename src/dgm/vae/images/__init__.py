"""Read, decode and batch images in two classes."""
