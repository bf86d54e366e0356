"""The groups of the API: one module for each collection, its objects beside it."""
