"""How a circuit computes, and what theory allows."""
