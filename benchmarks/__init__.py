"""Side-by-side timings against peers: ``python -m benchmarks`` runs them all."""
