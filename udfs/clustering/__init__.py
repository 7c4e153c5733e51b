"""Groups of rows that lie together: k-means and Gaussian mixtures."""
