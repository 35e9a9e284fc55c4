"""What is measured of the neurons of one circuit: sites, groups, references, similarity, phases."""
