"""Tests of whether two populations of networks are the same, from one number, sample or diagram per network."""
