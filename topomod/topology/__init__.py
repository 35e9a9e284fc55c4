"""From a point cloud to its shape. Nothing here depends on networks."""
