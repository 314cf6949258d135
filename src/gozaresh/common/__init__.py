"""The ground of the engine: errors, files, stores, environment, Persian. Imports nothing of ours."""
