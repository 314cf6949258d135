"""Trace results to code, data and environment. Stays empty: ``gozaresh why`` must stay light."""
