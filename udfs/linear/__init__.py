"""Linear models: least squares and logistic regression, fitted from blocks of rows."""
