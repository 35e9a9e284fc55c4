"""What one YAML of a study leads to: circuits, rows, tables and verdicts."""
