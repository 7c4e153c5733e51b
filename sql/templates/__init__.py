"""Reading, checking, rendering and installing the SQL templates."""
