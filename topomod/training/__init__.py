"""From seeds to circuits."""
