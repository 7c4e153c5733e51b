"""Recommenders: factors of users and items learnt from ratings."""
