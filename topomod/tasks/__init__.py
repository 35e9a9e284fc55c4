"""What is to be learnt, and Fourier analysis over it."""
