"""The tasks that networks learn, and Fourier analysis over their inputs."""
