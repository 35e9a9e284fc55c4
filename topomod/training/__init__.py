"""How circuits are trained from seeds."""
