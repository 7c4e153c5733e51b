"""Search for hyperparameters: the space of them, and which point to try next."""
