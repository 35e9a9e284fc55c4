"""From a point cloud to its shape; nothing here knows a network."""
