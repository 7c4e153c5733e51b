"""Support vector machines: linear ones from blocks of rows, kernel ones from packed rows."""
