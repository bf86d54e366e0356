"""The generators: facts about the API to models, the async face to the sync one. See `python -m codegen --help`."""
