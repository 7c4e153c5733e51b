"""Making probabilities mean what they say: scaling of logits, and isotonic regression."""
