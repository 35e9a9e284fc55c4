"""What the neurons of one circuit hold: sites, groups, references, similarity, phases."""
